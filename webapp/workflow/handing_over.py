"""离职转办: who leaves and who takes over, what moves, and what came of each piece; work and tasks in one run."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime, work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, Conflict, Forbidden, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from engine.models import WorkItem
from engine.work_items import Done
from processes.organization.models import Employee
from processes.tasks import operations as tasks, permissions as of_tasks
from webapp.once import came_of, once_through
from webapp.security.access import current_actor, signed_in
from webapp.skin.words import Word
from webapp.workflow import estate
from webapp.workflow.deeds import chosen

pages = Blueprint("handing_over", __name__)

Seen = Mapping[str, Sequence[int]]
"""Kind of piece -> the ids the page showed before it was sent."""

OUTCOMES = {
    "stays": Word(_("Stays"), "amber", "alert-triangle"),
    "gone": Word(_("No longer theirs"), "grey", "minus"),
    "done": Word(_("Handed over"), "green", "check"),
}
"""In the order they are shown: what is to be looked after stands first."""

GONE = _("It no longer lay with them when its turn came.")


@pages.get("/hand-over")
@signed_in
def index() -> str:
    return _page(current_actor(), _one(request.args.get("person", "")), _one(request.args.get("to", "")))


def _one(text: str) -> int | None:
    """Whom a picker has posted."""
    return next(iter(chosen([text])), None)


def _page(
    actor: Actor, person_id: int | None, to: int | None, refusal: AppError | None = None, reason: str = ""
) -> str:
    session = Sessions()
    if person_id is None and not _may_hand_over_somebody(session, actor):
        raise Forbidden(_("Your roles do not include this."), code="permission_missing")
    left = estate.left_by(session, actor, person_id) if person_id is not None else None
    person = session.get(Employee, person_id) if person_id is not None else None
    if person_id is not None and person is None:
        raise NotFound
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return render_template(
        "workflow/hand_over/_estate.html" if partial else "workflow/hand_over/page.html",
        person=person,
        receiver=session.get(Employee, to) if to else None,
        left=left,
        seen=_seal(left.ids) if left is not None else "",
        work_too=work_items.may_hand_over(actor),
        submission=secrets.token_urlsafe(12),
        problems=_problems(refusal),
        reason=reason,
    )


def _may_hand_over_somebody(session: Session, actor: Actor) -> bool:
    if work_items.may_hand_over(actor) or actor.may(of_tasks.MANAGE):
        return True
    return bool(session.scalar(select(exists().where(Employee.superior_id == actor.person_id))))


def _problems(refusal: AppError | None) -> dict[str, str]:
    """Field -> what is wrong with it; "" = with the whole."""
    if isinstance(refusal, InvalidForm):
        return {problem.where.partition(".")[0]: str(problem.message) for problem in refusal.problems}
    return {"": str(refusal)} if refusal is not None else {}


# ------------------------------------------------------------------------------------------------- the run


@pages.post("/hand-over")
@signed_in
def run() -> BaseResponse:
    actor, form = current_actor(), request.form
    person, to, reason = _one(form.get("person", "")), _one(form.get("to", "")), form.get("reason", "")
    key, seen = form.get("submission") or secrets.token_urlsafe(12), _unseal(form.get("seen", ""))

    def hand_over() -> dict[str, Any]:
        missing = [name for name, one in (("person", person), ("to", to)) if one is None]
        if person is None or to is None:
            raise InvalidForm([Problem(name, _("Choose somebody.")) for name in missing])
        return {"person": person, "to": to, "rows": _hand_over(actor, person, to, reason, seen)}

    try:
        once_through(actor, _key(key), hand_over)
    except (InvalidForm, RuleViolation, Conflict) as refusal:
        Sessions().rollback()
        return make_response(_page(actor, person, to, refusal, reason), refusal.status)
    return redirect(url_for("handing_over.result", key=key))


def _hand_over(actor: Actor, person: int, to: int, reason: str, seen: Seen) -> list[tuple[str, int, str, str]]:
    """(kind, id, outcome, why) of every piece that was seen or has come since."""
    done = work_items.hand_over(actor, person, to, reason=reason) if work_items.may_hand_over(actor) else []
    done += _hand_over_tasks(actor, person, to, reason, alone=not done)
    rows = [(one.kind, one.id, _outcome(one), one.reason) for one in done]
    tried = {(one.kind, one.id) for one in done}
    gone = [(kind, one) for kind in estate.KINDS for one in seen.get(kind, ()) if (kind, one) not in tried]
    return [*rows, *((kind, one, "gone", _since_then(kind, one)) for kind, one in gone)]


def _hand_over_tasks(actor: Actor, person: int, to: int, reason: str, *, alone: bool) -> list[Done]:
    """Tasks go all or none; alone: nothing has been done yet, so a refusal is that of the whole run."""
    found = [task.id for task in tasks.to_hand_over(Sessions(), actor, person)]
    Sessions().rollback()
    try:
        moved = runtime.perform(
            lambda session: tasks.reassign_all(session, actor, from_person=person, to_person=to, reason=reason)
        )
    except AppError as refusal:
        if alone:
            raise
        return [Done(one, refusal=refusal, kind="tasks") for one in found]
    finally:
        Sessions.remove()
    return [Done(one, kind="tasks") for one in moved]


def _outcome(one: Done) -> str:
    if one.refusal is None:
        return "done"
    return "gone" if isinstance(one.refusal, Conflict) else "stays"


def _since_then(kind: str, id: int) -> str:
    """Who was faster, where the log of a process tells."""
    session = Sessions()
    item = session.get(WorkItem, id) if kind in ("items", "pools") else None
    return str(work_items.too_late(session, item).message if item is not None else GONE)


# ------------------------------------------------------------------------------------------------- what came of it


@dataclass(frozen=True)
class Row:
    piece: estate.Piece
    outcome: Word
    why: str


@pages.get("/hand-over/<key>")
@signed_in
def result(key: str) -> str:
    session, actor = Sessions(), current_actor()
    answer = came_of(session, actor, _key(key))
    if answer is None:
        return render_template("workflow/at_work.html", title=_("Hand over work"), back=url_for("handing_over.index"))
    if not tasks.may_hand_over(session, actor, answer["person"]):
        raise Forbidden(_("Your roles do not include this."), code="permission_missing")
    rows: list[tuple[str, int, str, str]] = [tuple(row) for row in answer["rows"]]
    counts = {outcome: sum(row[2] == outcome for row in rows) for outcome in OUTCOMES}
    return render_template(
        "workflow/hand_over/result.html",
        person=session.get_one(Employee, answer["person"]),
        receiver=session.get_one(Employee, answer["to"]),
        groups=[
            (title, _rows(session, actor, kind, rows))
            for kind, (title, _hint) in estate.KINDS.items()
            if any(row[0] == kind for row in rows)
        ],
        counts=counts,
        total=len(rows),
    )


def _rows(session: Session, actor: Actor, kind: str, rows: Sequence[tuple[str, int, str, str]]) -> list[Row]:
    of_kind = {id: (outcome, why) for one, id, outcome, why in rows if one == kind}
    found = [
        (list(OUTCOMES).index(of_kind[piece.id][0]), Row(piece, OUTCOMES[of_kind[piece.id][0]], of_kind[piece.id][1]))
        for piece in estate.pieces(session, actor, kind, list(of_kind))
    ]
    return [row for _rank, row in sorted(found, key=lambda one: one[0])]


def _key(key: str) -> str:
    return f"hand-over:{key}"


# ------------------------------------------------------------------------------------------------- what was seen


def _seal(ids: Seen) -> str:
    """What the page shows goes along with the form, signed: titles are told of nothing one has not been shown."""
    return str(_serializer().dumps({kind: list(found) for kind, found in ids.items()}))


def _unseal(text: str) -> Seen:
    try:
        seen: Seen = _serializer().loads(text)
    except BadSignature:
        return {}
    return seen


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="hand-over")
