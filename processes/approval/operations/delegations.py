"""Delegations on their way, asked for, answered, begun, ended: what their diagram calls and what the buttons do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, journal, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.errors import Conflict, Forbidden, NotFound, RuleViolation
from engine.forms import Choice, option_source
from engine.i18n import _
from engine.journal import Entry
from engine.models import Definition, Instance, MessageWait, WorkItem
from engine.service_tasks import StepFacts, service_task
from processes.approval import permissions, rules
from processes.approval.models import Delegation
from processes.approval.operations.handing import give_back, hand_over
from processes.approval.operations.proxies import PROCESS, link_of
from processes.approval.rules import Link
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.money import Money
from processes.organization.models import Employee

RECORD_TYPE = "approval.delegation"
END_MESSAGE = "delegation.end"
ANSWER_NODE = "answer"


@option_source("approval.delegable_process")
def delegable_processes(session: Session, _actor: Actor) -> list[Choice]:
    """Every process that people can start, but the delegation itself."""
    active = select(Definition).where(Definition.state == "active", Definition.key != PROCESS).order_by(Definition.key)
    shipped = CATALOG.processes
    return [
        Choice(row.key, str(shipped[row.key].title) if row.key in shipped else row.name)
        for row in session.scalars(active)
    ]


# ------------------------------------------------------------------------------------------------- asked for


@service_task("approval.file_delegation", _("File the delegation"))
def file_delegation(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    delegate: int,
    starts: str,
    ends: str,
    scope: str,
    processes: Sequence[str] | None = None,
    limit: Any = None,
    include_waiting: bool | None = None,
    delegator: int | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """Keep the request of this process instance if the rules allow it.

    starts, ends: instants.  processes, limit: as the scope needs them.  delegator: for whom, when not for the starter.
    Returns {"id", "delegator", "delegate", "starts", "ends", "title", "period", "names"…}, kept as `delegation`.
    """
    giver = _delegator(session, actor, facts, delegator)
    taker = session.get(Employee, delegate)
    if taker is None or not taker.is_active:
        raise RuleViolation(
            _("{name} has left the company.", name=taker.name if taker else str(delegate)),
            code="delegate_left",
            remedy=_("Choose a colleague."),
        )
    money = Money.parse(limit) if scope == "amount" and limit is not None else None
    wanted = Link(
        delegator=giver.id,
        delegate=taker.id,
        starts=_instant(starts),
        ends=_instant(ends),
        scope=scope,
        processes=frozenset(processes or ()) if scope == "processes" else frozenset(),
        limit=money,
    )
    _one_at_a_time(session)
    rules.check_delegation(wanted, _others(session, wanted), clock.now())
    delegation = Delegation(
        instance_id=facts.instance_id,
        delegator_id=giver.id,
        delegate_id=taker.id,
        reason=reason,
        starts_at=wanted.starts,
        ends_at=wanted.ends,
        scope=scope,
        process_keys=sorted(wanted.processes),
        limit=money.amount if money else None,
        include_waiting=bool(include_waiting),
        state="requested",
        created_by=actor.person_id,
        is_demo=giver.is_demo,
    )
    if money is not None:
        delegation.currency = money.currency
    session.add(delegation)
    stamp(delegation, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, delegation.id, "requested", None, _told(delegation))
    return _told(delegation)


def _delegator(session: Session, actor: Actor, facts: StepFacts, named: int | None) -> Employee:
    if named is not None and named != facts.starter_id and not actor.may(permissions.MANAGE_DELEGATIONS):
        raise Forbidden(_("Only human resources may delegate for others; leave the field empty for yourself."))
    giver = session.get(Employee, named or facts.starter_id)
    if giver is None or not giver.is_active:
        raise RuleViolation(_("There is no such person."), code="no_such_person")
    return giver


def _one_at_a_time(session: Session) -> None:
    """Two delegations filed at once could each be sound and together a circle. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("yunliu.delegations"))))


def _others(session: Session, wanted: Link) -> list[Link]:
    """Every delegation that is asked for or holds at some time of the wanted one."""
    live = select(Delegation).where(
        Delegation.state.in_(rules.LIVE_STATES), Delegation.starts_at < wanted.ends, Delegation.ends_at > wanted.starts
    )
    return [link_of(one) for one in session.scalars(live)]


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise RuleViolation(_("An instant needs its offset, for example +08:00."), code="no_offset")
    return moment


def _told(delegation: Delegation) -> dict[str, Any]:
    """A delegation for the token and for the templates; instants in UTC, as templates show them on the local clock."""
    return {
        "id": delegation.id,
        "delegator": delegation.delegator_id,
        "delegator_name": delegation.delegator.name,
        "delegate": delegation.delegate_id,
        "delegate_name": delegation.delegate.name,
        "starts": delegation.starts_at.isoformat(),
        "ends": delegation.ends_at.isoformat(),
        "scope": delegation.scope,
        "reason": delegation.reason,
    }


# ------------------------------------------------------------------------------------------------- answered


@service_task("approval.accept_delegation", _("Note that the delegation was accepted"))
def accept_delegation(session: Session, actor: Actor, _facts: StepFacts, *, delegation_id: int) -> dict[str, Any]:
    """Returns {"state": "accepted"}."""
    delegation = lock_for_change(session, Delegation, delegation_id)
    if delegation.ends_at <= clock.now():
        raise RuleViolation(_("This period is over."), code="period_over")
    if not delegation.delegator.is_active:
        raise RuleViolation(_("{name} has left the company.", name=delegation.delegator.name), code="delegator_left")
    return _move(session, actor, delegation, "accepted")


@service_task("approval.decline_delegation", _("Note that the delegation was declined"))
def decline_delegation(session: Session, actor: Actor, _facts: StepFacts, *, delegation_id: int) -> dict[str, Any]:
    """Returns {"state": "declined"}."""
    return _move(session, actor, lock_for_change(session, Delegation, delegation_id), "declined")


@service_task("approval.cancel_delegation", _("Cancel a delegation that has not begun"))
def cancel_delegation(session: Session, actor: Actor, _facts: StepFacts, *, delegation_id: int) -> dict[str, Any]:
    """Returns {"state": "cancelled"}."""
    return _move(session, actor, lock_for_change(session, Delegation, delegation_id), "cancelled")


def answer(
    session: Session,
    actor: Actor,
    *,
    delegation_id: int,
    version: int | None = None,
    decision: Literal["approve", "reject"],
    opinion: str = "",
) -> None:
    """The delegate accepts or declines: the decision on the work item of the process."""
    delegation = _seen(session, actor, delegation_id, version)
    items = work_items.open_items(session, delegation.instance_id, ANSWER_NODE)
    if not items:
        raise Conflict(_("This delegation has been answered already."), remedy=_("Load it again."))
    work_items.act(session, actor, items[0].id, decision, opinion=opinion)


# ------------------------------------------------------------------------------------------------- begun and ended


@service_task("approval.start_delegation", _("Begin the delegation"))
def start_delegation(session: Session, actor: Actor, _facts: StepFacts, *, delegation_id: int) -> dict[str, Any]:
    """From now on new items go to the delegate, and where it was asked for, those that wait already.

    Returns {"state", "handed": how many went over}.
    """
    delegation = lock_for_change(session, Delegation, delegation_id)
    if delegation.state != "accepted":
        return {"state": delegation.state, "handed": 0}
    if delegation.ends_at <= clock.now() or not delegation.delegate.is_active:
        return {**_move(session, actor, delegation, "ended"), "handed": 0}  # everything stood still for too long
    _move(session, actor, delegation, "active")
    return {"state": "active", "handed": hand_over(session, delegation) if delegation.include_waiting else 0}


@service_task("approval.end_delegation", _("End the delegation"))
def end_delegation(session: Session, actor: Actor, _facts: StepFacts, *, delegation_id: int) -> dict[str, Any]:
    """What the delegate has not finished returns. Returns the delegation with {"handled", "returned"}: how many."""
    delegation = lock_for_change(session, Delegation, delegation_id)
    returned = _finish(session, actor, delegation)
    handled = select(func.count()).where(
        WorkItem.on_behalf_of == delegation.delegator_id,
        WorkItem.done_by.is_not(None),
        WorkItem.done_at >= delegation.starts_at,
        WorkItem.done_at <= clock.now(),
    )
    return {**_told(delegation), "handled": session.scalar(handled) or 0, "returned": returned}


def _finish(session: Session, actor: Actor, delegation: Delegation) -> int:
    """How many items returned; none when it was over already."""
    if delegation.state not in ("accepted", "active"):
        return 0
    was_active = delegation.state == "active"
    delegation.ended_at = clock.now()
    delegation.ended_by = actor.person_id
    _move(session, actor, delegation, "ended")
    # Work of somebody who has left would return to nobody: it stays where it is until it is done or transferred.
    return give_back(session, delegation) if was_active and delegation.delegator.is_active else 0


def end(session: Session, actor: Actor, *, delegation_id: int, version: int | None = None, reason: str = "") -> None:
    """End it before its time: take back a request, cancel what was accepted, end what holds."""
    delegation = _seen(session, actor, delegation_id, version)
    why_not = permissions.no_end(actor, delegation)
    if why_not is not None:
        raise Forbidden(why_not)
    if delegation.state != "requested":
        end_now(session, actor, delegation)
    elif actor.person_id == delegation.created_by:
        work_items.withdraw(session, actor, delegation.instance_id, reason or _("The delegation was taken back."))
    else:
        ended = reason or _("Ended by {name}.", name=actor.name)
        work_items.terminate(session, SYSTEM, delegation.instance_id, ended)


def end_now(session: Session, actor: Actor, delegation: Delegation) -> None:
    """Give the process of this delegation the message it waits for, it and no other."""
    wait = _wait_of(session, delegation)
    if wait is None:
        raise Conflict(_("This delegation is over already."), remedy=_("Load it again."))
    token = wait.token
    todo = runtime.Step(
        act=lambda live: live.deliver(token, END_MESSAGE, {}),
        entry=Entry("message", wait.node, token, detail={"name": END_MESSAGE}),
    )
    runtime.step(session, actor, delegation.instance_id, todo)


def _wait_of(session: Session, delegation: Delegation) -> MessageWait | None:
    waits = MessageWait.instance_id == delegation.instance_id, MessageWait.name == END_MESSAGE
    return session.scalars(select(MessageWait).where(*waits)).first()


def settle_delegation(session: Session, actor: Actor, *, instance_id: int) -> None:
    """Its process was withdrawn, terminated or failed: nothing of it may stay in force."""
    found = select(Delegation.id).where(Delegation.instance_id == instance_id)
    delegation_id = session.scalar(found)
    if delegation_id is None:
        return
    delegation = lock_for_change(session, Delegation, delegation_id)
    if delegation.state in ("requested", "accepted"):
        _move(session, actor, delegation, "cancelled")
    else:
        _finish(session, actor, delegation)


def end_those_of(session: Session, actor: Actor, *, person_id: int) -> int:
    """Somebody has left: no delegation to or from them goes on. Returns how many ended.

    One that cannot hear of it, suspended or at an incident, is terminated: it must not keep anybody from leaving.
    """
    theirs = select(Delegation).where(
        Delegation.state.in_(rules.LIVE_STATES),
        (Delegation.delegate_id == person_id) | (Delegation.delegator_id == person_id),
    )
    found = list(session.scalars(theirs.order_by(Delegation.instance_id)))
    if not found:
        return 0
    gone = _("{name} has left the company.", name=session.get_one(Employee, person_id).name)
    for delegation in found:
        instance = session.get_one(Instance, delegation.instance_id)
        hears = instance.state == "running" and _wait_of(session, delegation) is not None
        if delegation.state == "requested" or not hears:
            work_items.terminate(session, SYSTEM, delegation.instance_id, gone)
        else:
            end_now(session, actor, delegation)
    return len(found)


def _seen(session: Session, actor: Actor, delegation_id: int, version: int | None) -> Delegation:
    found = select(Delegation).where(Delegation.id == delegation_id, permissions.visible_to(actor))
    delegation = session.scalars(found.execution_options(populate_existing=True)).first()
    if delegation is None:
        raise NotFound
    if version is not None and delegation.version != version:
        raise Conflict(
            _("Somebody else changed this in the meantime."), remedy=_("Reload the page and make your change again.")
        )
    return delegation


def _move(session: Session, actor: Actor, delegation: Delegation, state: str) -> dict[str, Any]:
    rules.check_move(delegation.state, state)
    before = delegation.state
    delegation.state = state
    stamp(delegation, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, delegation.id, state, {"state": before}, {"state": state})
    return {"state": state}
