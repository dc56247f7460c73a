"""Delegations: whom I have asked to stand in for me, whom I stand in for, and what lies with others for me."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine import clock, runtime, work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import InvalidForm
from engine.i18n import Sentence, _, listed
from engine.models import Instance, WorkItem
from processes.approval import operations
from processes.approval.manifest import SCOPES
from processes.approval.models import Delegation
from processes.approval.operations.proxies import PROCESS
from processes.approval.permissions import may_end
from processes.approval.rules import LIVE_STATES, STATE_NAMES
from processes.office.operations import leave_to_cover, span_of
from webapp.registers.nothing_yet import WAYS
from webapp.security.access import current_actor, signed_in
from webapp.skin import formats
from webapp.skin.banners import Banner
from webapp.workflow import lists, processes

pages = Blueprint("delegations", __name__)
WAYS["approval.delegation"] = lambda: ((url_for("delegations.index"), "user-share", _("My delegations")),)

TONES = {"requested": "amber", "accepted": "blue", "active": "green", "declined": "red"}
SHOWN = 50


@dataclass(frozen=True)
class Line:
    """A delegation as the page shows it to one of its two people."""

    id: int
    version: int
    other: str
    reason: str
    starts_at: Any
    ends_at: Any
    scope: str
    state: str
    tone: str
    url: str
    answerable: bool
    endable: bool
    word: str
    """of the button that ends it"""
    confirm: str
    """what it asks before"""


@dataclass(frozen=True)
class Lent:
    """Something that lies with a delegate in one's name."""

    item_id: int
    version: int
    name: str
    step: str
    who: str
    since: Any
    url: str


@pages.get("/delegations")
@signed_in
def index() -> str:
    session, actor = Sessions(), current_actor()
    given = _of(session, Delegation.delegator_id == actor.person_id)
    received = _of(session, Delegation.delegate_id == actor.person_id)
    formats.people([d.delegate_id for d in given] + [d.delegator_id for d in received])
    return render_template(
        "workflow/delegations.html",
        given=[_line(d, actor) for d in given],
        received=[_line(d, actor) for d in received],
        lent=lent(session, actor),
        start_url=url_for("start.form", key=PROCESS),
    )


def _of(session: Session, whose: Any) -> Sequence[Delegation]:
    """What is to come or holds first, then the latest."""
    over = Delegation.state.not_in(LIVE_STATES)
    return session.scalars(
        select(Delegation).where(whose).order_by(over, Delegation.starts_at.desc()).limit(SHOWN)
    ).all()


def _line(delegation: Delegation, actor: Actor) -> Line:
    mine = delegation.delegator_id == actor.person_id
    asked = delegation.state == "requested"
    words = {"requested": _("Take the request back"), "accepted": _("Cancel the delegation"), "active": _("End now")}
    return Line(
        id=delegation.id,
        version=delegation.version,
        other=formats.person(delegation.delegate_id if mine else delegation.delegator_id),
        reason=delegation.reason,
        starts_at=delegation.starts_at,
        ends_at=delegation.ended_at or delegation.ends_at,
        scope=scope_in_words(delegation),
        state=str(STATE_NAMES[delegation.state]),
        tone=TONES.get(delegation.state, "grey"),
        url=url_for("instances.show", instance_id=delegation.instance_id),
        answerable=asked and not mine,
        endable=may_end(actor, delegation),
        word=str(words.get(delegation.state, "")),
        confirm=str(_to_confirm(delegation, actor)),
    )


def _to_confirm(delegation: Delegation, actor: Actor) -> Sentence:
    if delegation.state == "requested":
        return _("Take the request back? It has not been answered yet.")
    if delegation.state == "accepted":
        return _("Cancel the delegation? It has not begun yet.")
    if delegation.delegator_id == actor.person_id:
        return _("End the delegation now? What is not finished comes back to you.")
    name = formats.person(delegation.delegator_id)
    return _("End the delegation now? What you have not finished goes back to {name}.", name=name)


def scope_in_words(delegation: Delegation) -> str:
    if delegation.scope == "processes":
        return listed(processes.title_of(key) for key in delegation.process_keys)
    if delegation.limit_money is not None:
        return str(_("Up to {amount}", amount=formats.money(delegation.limit_money.as_dict())))
    return str(SCOPES[delegation.scope])


def lent(session: Session, actor: Actor) -> list[Lent]:
    """What others hold in this person's name."""
    held = (
        select(WorkItem, Instance)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(
            WorkItem.on_behalf_of == actor.person_id,
            WorkItem.state == "open",
            or_(WorkItem.assignee_id != actor.person_id, WorkItem.assignee_id.is_(None)),
        )
        .order_by(WorkItem.id.desc())
        .limit(SHOWN)
    )
    rows = session.execute(held).all()
    formats.people(item.assignee_id for item, _instance in rows)
    return [
        Lent(
            item.id,
            item.version,
            lists.name_of(instance.title),
            item.title,
            formats.person(item.assignee_id),
            item.created_at,
            url_for("instances.show", instance_id=instance.id),
        )
        for item, instance in rows
    ]


# ------------------------------------------------------------------------------------------------- buttons


def _end(session: Session, actor: Actor, delegation_id: int, version: int | None) -> Sentence:
    """What its end meant, in words."""
    began = session.scalar(select(Delegation.state).where(Delegation.id == delegation_id)) == "active"
    operations.end(session, actor, delegation_id=delegation_id, version=version)
    if began:
        return _("The delegation has ended; what was not finished is back.")
    return _("The delegation was cancelled before it began.")


@pages.post("/delegations/<int:delegation_id>/<any(accept, decline, end):action>")
@signed_in
def act(delegation_id: int, action: str) -> Response:
    actor, version = current_actor(), request.form.get("version", type=int)
    if action == "end":
        flash(str(runtime.perform(lambda session: _end(session, actor, delegation_id, version))), "success")
        return _back()
    decision: Literal["approve", "reject"] = "approve" if action == "accept" else "reject"
    opinion = request.form.get("opinion", "")
    try:
        runtime.perform(
            lambda session: operations.answer(
                session, actor, delegation_id=delegation_id, version=version, decision=decision, opinion=opinion
            )
        )
    except InvalidForm as refusal:  # a reason is missing
        flash(str(refusal.problems[0].message), "danger")
        return _back()
    flash(str(_("You stand in.") if action == "accept" else _("You have declined.")), "success")
    return _back()


@pages.post("/delegations/items/<int:item_id>/take-back")
@signed_in
def take_back(item_id: int) -> Response:
    """Who is away decides this one after all."""
    actor, version = current_actor(), request.form.get("version", type=int)
    runtime.perform(lambda session: work_items.take_back(session, actor, item_id, version=version))
    flash(str(_("It is yours again.")), "success")
    return redirect(url_for("inbox.show", view="open", key=item_id))


def _back() -> Response:
    return redirect(url_for("delegations.index"))


# ------------------------------------------------------------------------------------------------- everywhere


def banners(session: Session, actor: Actor) -> list[Banner]:
    """While a delegation of mine holds, every page says so."""
    mine = (
        select(Delegation)
        .where(
            Delegation.delegator_id == actor.person_id, Delegation.state == "active", Delegation.ends_at > clock.now()
        )
        .order_by(Delegation.id)
    )
    return [
        Banner(
            _(
                "{name} decides for you until {day}.",
                name=formats.person(delegation.delegate_id),
                day=formats.instant(delegation.ends_at),
            ),
            "user-share",
            url_for("delegations.index"),
            button=_("End now"),
            action=url_for("delegations.act", delegation_id=delegation.id, action="end"),
            confirm=_to_confirm(delegation, actor),
            fields=(("version", str(delegation.version)),),
        )
        for delegation in session.scalars(mine)
    ]


def suggestion(session: Session, actor: Actor) -> dict[str, Any] | None:
    """Leave is approved and nobody stands in yet: a link to the form, with the time filled in."""
    leave = leave_to_cover(session, actor)
    if leave is None:
        return None
    span = span_of(leave)
    until = (span.ends - timedelta(minutes=1)) if not span.until_noon else span.ends
    link = url_for(
        "start.form",
        key=PROCESS,
        reason=leave.reason,
        starts=span.starts.isoformat(),
        ends=span.ends.isoformat(),
        scope="all",
    )
    return {"starts": span.starts, "ends": until, "url": link}


def waiting_answers(session: Session, actor: Actor) -> int:
    """How many ask this person to stand in."""
    asked = select(Delegation.id).where(Delegation.delegate_id == actor.person_id, Delegation.state == "requested")
    return len(session.scalars(asked.limit(100)).all())
