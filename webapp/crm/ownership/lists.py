"""One's own lists: my focus, what I watch, what is shared with me, what unlocks soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import clock, runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.activity.permissions import WRITE
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.ownership import permissions
from processes.ownership.operations import reading, sharing, unlocking, watching
from processes.ownership.rules import SHARE_LEVELS
from processes.party.models import Customer
from processes.party.permissions import among_visible
from webapp.crm.ownership.acts import day
from webapp.security.access import current_actor, requires

pages = Blueprint("customer_lists", __name__)

MOST = 200
SPARE = 20
VIEWS: dict[str, Sentence] = {
    "focus": _("My focus"),
    "watched": _("Watched"),
    "shared": _("Shared with me"),
    "unlocking": _("Unlock soon"),
    "spare": _("Could be released"),
}


@dataclass(frozen=True)
class Line:
    """A customer on a list, with what the list itself says about it."""

    customer: Customer
    note: str = ""
    until: date | None = None
    """the day it leaves the list or the pool has it"""
    days_left: int | None = None


@pages.get("/customers/lists")
@requires(permissions.APPLY)
def index() -> str:
    session, actor = Sessions(), current_actor()
    view = next((one for one in VIEWS if one == request.args.get("view")), "focus")
    owner = session.get(Employee, request.args.get("owner", actor.person_id, type=int))
    return render_template(
        "crm/ownership/lists.html",
        views=VIEWS,
        view=view,
        lines=_lines(session, actor, view, owner),
        owner=owner,
        is_own=owner is not None and owner.id == actor.person_id,
        today=business_date(clock.now()),
        may_write=actor.may(WRITE),
    )


def _lines(session: Session, actor: Actor, view: str, owner: Employee | None) -> list[Line]:
    if view == "focus":
        return [Line(one.customer, one.note, one.until) for one in watching.focused(session, actor)]
    if view == "watched":
        return [Line(one.customer, one.note) for one in watching.watched(session, actor, limit=MOST)]
    if view == "shared":
        shares = sharing.shared_with(session, actor, limit=MOST)
        return [Line(one.customer, str(SHARE_LEVELS[one.level]), one.until) for one in shares]
    if view == "spare":
        return [Line(one) for one in reading.least_valuable(session, actor.person_id, SPARE)]
    if owner is None:
        return []
    soon, today = unlocking.soon(session, owner.id), business_date(clock.now())
    seen = among_visible(session, actor, [one.id for one, _on, _owner in soon])
    return [Line(one, until=on, days_left=(on - today).days) for one, on, _owner in soon if one.id in seen]


@pages.post("/customers/<int:customer_id>/note/<any(focus,watch):mark>")
@requires(permissions.APPLY)
def note(customer_id: int, mark: str) -> str:
    """A quick note on a customer of one's list, kept where it is written; a part of the page."""
    actor, said = current_actor(), request.form.get("note", "")
    until, refusal = request.form.get("until", ""), None

    def keep(session: Session) -> None:
        if mark == "focus":
            watching.focus(session, actor, customer_id=customer_id, note=said, until=day(until))
        else:
            watching.watch(session, actor, customer_id=customer_id, note=said)

    try:
        runtime.perform(keep)
    except RuleViolation as found:
        Sessions().rollback()
        refusal = found
    return render_template(
        "crm/ownership/_note.html",
        customer_id=customer_id,
        mark=mark,
        note=said,
        until=until,
        refusal=refusal,
        is_kept=refusal is None,
    )


@pages.get("/customers/unlocking")
@requires(permissions.APPLY)
def unlocking_soon() -> BaseResponse:
    """Where warnings lead."""
    return redirect(url_for("customer_lists.index", view="unlocking", owner=request.args.get("owner", type=int)))
