"""The first page of designers: every process; new ones, imported ones, drafts to throw away."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import repository, runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound, Problem
from engine.i18n import _
from engine.models import Definition
from engine.repository import DEPLOY
from webapp.modeler import beginnings, imports, overview, pickers, workspace
from webapp.modeler.blueprint import LARGEST_BODY, pages
from webapp.security.access import current_actor, requires

LONGEST_NAME = 200


@pages.get("/")
@requires(DEPLOY)
def index() -> str:
    return _page()


def _page(**typed: Any) -> str:
    text = request.args.get("q", "")[:100]
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return render_template(
        "modeler/_lines.html" if partial else "modeler/list.html",
        lines=overview.lines(Sessions(), text),
        text=text,
        typed=typed,
    )


@pages.post("/")
@requires(DEPLOY)
def create() -> BaseResponse:
    """A new process: its key and its name are asked, the rest is drawn."""
    actor = current_actor()
    key, name = request.form.get("key", "").strip(), request.form.get("name", "").strip()
    try:
        if not name or len(name) > LONGEST_NAME:
            raise InvalidForm([Problem("name", _("Please give it a name of at most 200 signs."))])
        runtime.perform(lambda session: _begin(session, actor, key, name))
    except AppError as refusal:
        Sessions().rollback()
        page = _page(open="new", key=key, name=name, problems=_by_field(refusal))
        return make_response(page, refusal.status)
    return redirect(url_for("designer.draw", key=key))


def _begin(session: Session, actor: Actor, key: str, name: str) -> None:
    imports.check_key(session, key)
    if session.scalar(select(exists().where(Definition.key == key))):
        raise InvalidForm([Problem("key", _("There is a process “{key}” already.", key=key))])
    workspace.create(session, actor, key, name, beginnings.process(key, name))


@pages.post("/import")
@requires(DEPLOY)
def bring_in() -> BaseResponse:
    request.max_content_length = LARGEST_BODY
    actor = current_actor()
    try:
        files = imports.texts(request.files.getlist("files"))
        key = runtime.perform(lambda session: imports.bring_in(session, actor, files))
    except AppError as refusal:
        Sessions().rollback()
        page = _page(open="import", refusals=[_in_words(one) for one in refusal.problems] or [str(refusal)])
        return make_response(page, refusal.status)
    flash(str(_("Imported as a draft. Deploy it when the list of problems is empty.")), "success")
    return redirect(url_for("designer.draw", key=key))


@pages.post("/<key>/discard")
@requires(DEPLOY)
def discard(key: str) -> BaseResponse:
    actor = current_actor()
    revision = request.form.get("revision", 0, type=int)
    runtime.perform(lambda session: repository.discard_draft(session, actor, key, revision))
    flash(str(_("The draft has been thrown away.")), "success")
    return redirect(url_for("designer.index"))


@pages.get("/pick/<kind>")
@requires(DEPLOY)
def pick(kind: str) -> Response:
    """What the brackets of a candidate rule may hold: ?q= what was typed, or ?ids= for the names of chosen ones."""
    found = pickers.PICKERS.get(kind)
    if found is None:
        raise NotFound
    text = request.args.get("q", "").strip()[: pickers.LONGEST_SEARCH]
    ids = [one for one in request.args.get("ids", "").split(",") if one][: pickers.MOST_IDS]
    return jsonify(items=found(Sessions(), text, ids))


def _by_field(refusal: AppError) -> dict[str, str]:
    return {p.where: _in_words(p) for p in refusal.problems} or {"key": str(refusal)}


def _in_words(problem: Problem) -> str:
    return " ".join(str(part) for part in (problem.message, problem.remedy) if part)
