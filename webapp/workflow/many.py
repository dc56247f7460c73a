"""批量操作: one thing done to many instances, chosen in the list or by its filter; seen first, told one by one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound, RuleViolation
from engine.i18n import _
from engine.models import Instance
from engine.work_items import MOST
from engine.work_items.rights import ADMINISTER, readable_by
from processes.approval.operations import DEEDS, do_to_many, foresee_many
from webapp.once import came_of, once_through
from webapp.security.access import current_actor, requires
from webapp.skin.words import button
from webapp.workflow import deeds, instance_list, lists, processes
from webapp.workflow.instance_list import Wanted

pages = Blueprint("many", __name__)

DANGEROUS = ("void", "terminate")


@dataclass(frozen=True)
class Line:
    instance: Instance
    name: str
    process: str
    why_not: str
    """"" where it can be done, or was"""


@pages.get("/instances/batch")
@requires(ADMINISTER)
def index() -> str:
    chosen = deeds.chosen(request.args.getlist("rowid"))
    return _page(current_actor(), Wanted.read(request.args), chosen, request.args.get("action", ""))


def _page(
    actor: Actor,
    wanted: Wanted,
    chosen: Sequence[int],
    action: str,
    refusal: AppError | None = None,
    reason: str = "",
) -> str:
    session = Sessions()
    ids = chosen or instance_list.matching(session, actor, readable_by(actor), wanted, most=MOST + 1)
    too_many = len(ids) > MOST
    foreseen = {} if too_many else {one: foresee_many(session, actor, ids, one) for one in DEEDS}
    possible = {one: [done.id for done in found if done.refusal is None] for one, found in foreseen.items()}
    if action not in DEEDS:
        action = next((one for one, found in possible.items() if found), next(iter(DEEDS)))
    return render_template(
        "workflow/many/page.html",
        back=_address("instances.index", wanted.arguments()),
        chosen=chosen,
        count=len(ids),
        most=MOST,
        too_many=too_many,
        action=action,
        deed=DEEDS[action],
        dangerous=action in DANGEROUS,
        tabs=[
            (
                _address("many.index", {**wanted.arguments(), "action": one, "rowid": list(chosen)}),
                button(one).text,
                len(found),
                one == action,
            )
            for one, found in possible.items()
        ],
        possible=possible.get(action, []),
        lines=_lines(session, actor, [(one.id, one.reason) for one in foreseen.get(action, [])]),
        wanted=wanted.arguments(),
        refusal=refusal,
        problems=refusal.by_field() if isinstance(refusal, InvalidForm) else {},
        reason=reason,
        submission=secrets.token_urlsafe(12),
    )


def _lines(session: Session, actor: Actor, found: Sequence[tuple[int, str]]) -> list[Line]:
    """Of (instance, why not): what needs a look first, each part in the order it was found."""
    ids = [id for id, _why in found]
    rows = {row.id: row for row in session.scalars(select(Instance).where(Instance.id.in_(ids), readable_by(actor)))}
    known = [(rows[id], why) for id, why in found if id in rows]
    return [
        Line(row, lists.name_of(row.title), processes.title_of(row.definition_key, lists.process_part(row.title)), why)
        for row, why in sorted(known, key=lambda one: not one[1])
    ]


@pages.post("/instances/batch")
@requires(ADMINISTER)
def run() -> BaseResponse:
    actor, form = current_actor(), request.form
    action, reason, wanted = form.get("action", ""), form.get("reason", ""), Wanted.read(form)
    if action not in DEEDS:
        raise NotFound
    ids, key = deeds.chosen(form.get("ids", "").split(",")), form.get("submission") or secrets.token_urlsafe(12)

    def do_it() -> dict[str, Any]:
        done = do_to_many(actor, ids, action, reason=reason)
        return {"action": action, "wanted": wanted.arguments(), "rows": [(one.id, one.reason) for one in done]}

    try:
        once_through(actor, _key(key), do_it)
    except (InvalidForm, RuleViolation) as refusal:
        Sessions().rollback()
        return make_response(_page(actor, wanted, ids, action, refusal, reason), refusal.status)
    return redirect(url_for("many.result", key=key))


@pages.get("/instances/batch/<key>")
@requires(ADMINISTER)
def result(key: str) -> str:
    session, actor = Sessions(), current_actor()
    answer = came_of(session, actor, _key(key))
    if answer is None:
        return render_template(
            "workflow/at_work.html", title=_("Act on many processes"), back=url_for("instances.index")
        )
    rows: list[tuple[int, str]] = [tuple(row) for row in answer["rows"]]
    return render_template(
        "workflow/many/result.html",
        back=_address("instances.index", answer["wanted"]),
        word=button(answer["action"]),
        lines=_lines(session, actor, rows),
        done=sum(not why for _one, why in rows),
        count=len(rows),
    )


def _address(endpoint: str, arguments: Mapping[str, Any]) -> str:
    return url_for(endpoint, **arguments)


def _key(key: str) -> str:
    return f"many:{key}"
