"""Forms and decision tables of a definition as text, checked by the server; a form's rights as a table of choices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from engine import forms, runtime
from engine.db import Sessions
from engine.errors import AppError, DeploymentRefused, InvalidForm, NotFound, Problem
from engine.forms.schema import ALL_FIELDS
from engine.i18n import _
from engine.repository import DEPLOY
from engine.workflow import dialect
from engine.workflow.xml_guard import MAX_BYTES
from webapp.modeler import beginnings, imports, workspace
from webapp.modeler.blueprint import LARGEST_BODY, looking, pages
from webapp.modeler.offers import FORM, title_of
from webapp.modeler.workspace import Workspace
from webapp.security.access import current_actor, requires

FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Step:
    id: str
    name: str
    given: dict[str, str]
    """field id -> right, as the form says it"""


@dataclass(frozen=True)
class Rights:
    """What each step may do with each field; "*" stands for all that are not named."""

    fields: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


RIGHTS = {"edit": _("edit"), "required": _("must fill in"), "read": _("read"), "hide": _("does not see")}


@pages.get("/<key>/files")
@requires(DEPLOY)
def files(key: str) -> str:
    work = workspace.find(Sessions(), key)
    return _page(work, _chosen(work, request.args.get("file", "")))


def _chosen(work: Workspace, wanted: str) -> str:
    """The file asked for, else the form: what people come here for."""
    if wanted:
        if wanted not in work.files:
            raise NotFound
        return wanted
    by_kind = sorted(work.files, key=lambda name: (name.endswith(".bpmn"), not name.endswith(FORM), name))
    return by_kind[0]


def _page(
    work: Workspace, file: str, *, text: str | None = None, refusal: AppError | None = None, token: str = ""
) -> str:
    shown = work.files.get(file, "") if text is None else text
    return render_template(
        "modeler/files.html",
        work=work,
        title=title_of(work.key, work.name),
        file=file,
        text=shown,
        token=token or work.token,
        refusal=refusal,
        kept=text is not None,
        **_checked(work, file, shown),
    )


@pages.post("/<key>/files/check")
@requires(DEPLOY)
def check_file(key: str) -> str:
    """The fragment below the text: what is wrong with it, and who may do what with the fields."""
    request.max_content_length = LARGEST_BODY
    file, text = request.form.get("file", ""), _posted_text()
    with looking() as session:
        work = workspace.find(session, key)
        return render_template("modeler/_check.html", file=file, **_checked(work, file, text))


def _checked(work: Workspace, file: str, text: str) -> dict[str, Any]:
    if len(text) > MAX_BYTES:
        return {"problems": [], "rights": None, "right_words": RIGHTS}
    found = workspace.lint(Sessions(), work, {file: text})
    return {
        "problems": [one for one in found if file in (one.file, one.where)],
        "rights": _rights(work, file, text) if file.endswith(FORM) else None,
        "right_words": RIGHTS,
    }


def _rights(work: Workspace, file: str, text: str) -> Rights | None:
    """None while the form cannot be read."""
    try:
        schema = forms.check_schema(text)
    except DeploymentRefused:
        return None
    key = file.removesuffix(FORM)
    diagram = dialect.read(work.files, work.key)
    drawn = {
        shape.id: shape.node.name or shape.id
        for _scope, shape in diagram.shapes()
        if shape.tag == "userTask" and shape.node.form_key == key
    }
    gone = {step: step for step in schema.steps if step not in drawn}
    steps = (Step(id, name, dict(schema.steps.get(id, {}))) for id, name in (drawn | gone).items())
    names = ((ALL_FIELDS, str(_("all other fields"))), *((one.id, one.label) for one in schema.fields))
    return Rights(names, tuple(steps))


# ------------------------------------------------------------------------------------------------- writing


@pages.post("/<key>/files")
@requires(DEPLOY)
def save_file(key: str) -> BaseResponse:
    request.max_content_length = LARGEST_BODY
    actor, token = current_actor(), request.form.get("token", "")
    file, text = request.form.get("file", ""), _posted_text()
    try:
        runtime.perform(lambda session: workspace.save(session, actor, key, token, {file: text}))
    except AppError as refusal:
        session = Sessions()
        session.rollback()
        page = _page(workspace.find(session, key), file, text=text, refusal=refusal, token=token)
        return make_response(page, refusal.status)
    flash(str(_("The draft has been saved.")), "success")
    return redirect(url_for("designer.files", key=key, file=file))


def _posted_text() -> str:
    return request.form.get("text", "").replace("\r\n", "\n")  # browsers send a text area's lines like this


@pages.post("/<key>/files/add")
@requires(DEPLOY)
def add_file(key: str) -> BaseResponse:
    """A new form or table to fill in, or files from the disk."""
    request.max_content_length = LARGEST_BODY
    actor, token, kind = current_actor(), request.form.get("token", ""), request.form.get("kind", "")
    try:
        added = imports.texts(request.files.getlist("files")) if kind == "upload" else _new_file(kind)
        if not added:
            raise InvalidForm([Problem("files", _("Choose a file first."))])
        work = workspace.find(Sessions(), key)
        taken = [name for name in added if name in work.files]
        if taken and kind != "upload":
            raise InvalidForm([Problem("name", _("There is a file “{name}” already.", name=taken[0]))])
        runtime.perform(lambda session: workspace.save(session, actor, key, token, added))
    except AppError as refusal:
        session = Sessions()
        session.rollback()
        work = workspace.find(session, key)
        page = _page(work, _chosen(work, ""), refusal=refusal, token=token)
        return make_response(page, refusal.status)
    return redirect(url_for("designer.files", key=key, file=next(iter(added))))


def _new_file(kind: str) -> dict[str, str]:
    name = request.form.get("name", "").strip()
    if not FILE_NAME.fullmatch(name):
        message = _("The name begins with a small letter and has only small letters, digits and “_”.")
        raise InvalidForm([Problem("name", message)])
    if kind == "table":
        return {f"{name}.dmn": beginnings.table(name)}
    return {f"{name}{FORM}": beginnings.form(name)}


@pages.post("/<key>/files/remove")
@requires(DEPLOY)
def remove_file(key: str) -> BaseResponse:
    actor, token, file = current_actor(), request.form.get("token", ""), request.form.get("file", "")
    work = workspace.find(Sessions(), key)
    if file not in work.files:
        raise NotFound
    if file == work.main:
        raise InvalidForm([Problem("file", _("The diagram of the process itself cannot be removed."))])
    runtime.perform(lambda session: workspace.save(session, actor, key, token, {file: None}))
    flash(str(_("“{name}” has been removed from the draft.", name=file)), "success")
    return redirect(url_for("designer.files", key=key))
