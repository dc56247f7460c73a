"""Urging by hand (催办): who waits says so to who holds it, not too often, each time by a louder channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, live, work_items
from engine.actor import Actor
from engine.errors import AppError, Conflict, Forbidden, NotFound, RuleViolation
from engine.forms import check_opinion
from engine.i18n import Sentence, _
from engine.journal import Entry
from engine.models import Instance, InstanceLog, WorkItem
from engine.runtime.foresee import foresee
from engine.states import stands_still
from engine.work_items import Right
from engine.work_items.rights import ADMINISTER, MONITOR, may_read_instance
from processes.approval import rules
from processes.approval.operations.telling import Told, facts_of, holders, tell
from processes.kernel.working_time import ZONE

SAME_CLICK = timedelta(seconds=10)
"""The same person again within this is one click that came twice."""


@dataclass(frozen=True, slots=True)
class Urged:
    """What came of it."""

    item_id: int
    title: str
    count: int
    """how often this item has been urged"""
    channel: str
    """notice | sms"""
    at: datetime
    next_at: datetime
    """not before then again"""
    told: tuple[int, ...]
    outbox: tuple[int, ...]
    """messages whose delivery can be read"""


def urge(session: Session, actor: Actor, item_id: int, text: str = "") -> Urged:
    """Urge whoever an open item lies with; once in two hours, first in the house, then by SMS.

    Allowed to the starter, to supervisors of processes and to those who would decide after it. Raises RuleViolation
    `urged_lately` with the moment from which it is possible again.
    """
    check_opinion("text", text)
    rules.check_urge_text(text)
    item = session.get(WorkItem, item_id)
    if item is None:
        raise NotFound
    session.execute(select(Instance.id).where(Instance.id == item.instance_id).with_for_update())
    instance = session.get_one(Instance, item.instance_id, populate_existing=True)
    item = session.get_one(WorkItem, item_id, populate_existing=True)
    _demand_right(session, actor, instance, [item])
    if instance.state != "running":
        raise Conflict(stands_still(instance.state))
    if item.state not in rules.LYING:
        raise work_items.too_late(session, item)
    now = clock.now()
    if (again := _same_click(session, actor, item, now)) is not None:
        return again
    if (refusal := _too_soon(item, now)) is not None:
        raise RuleViolation(refusal, code="urged_lately", remedy=_("Until then, please call them."))
    told = Told()
    channel = rules.urge_channel(item.urges)
    tell(
        session,
        actor,
        [person for person in holders(session, item) if person.id != actor.person_id],
        item,
        "approval_urged",
        occasion=f"urge:{item.id}:{item.urges + 1}",
        values={**facts_of(session, item), "who": actor.name, "text": text.strip()},
        channels=("notice",) if channel == "notice" else ("notice", "sms"),
        told=told,
    )
    if not told.persons:
        raise RuleViolation(_("It lies with nobody who could be urged."), code="nobody_to_urge")
    item.urges += 1
    item.urged_at = now
    session.flush()
    detail = {"count": item.urges, "reason": text.strip(), **told.as_detail(), "channel": channel}
    work_items.append(session, actor, instance.id, Entry("urge", item.node, item.token, item.id, None, detail))
    live.push(session, told.persons, "inbox")
    session.flush()
    return _urged(item, detail, now)


def urge_instance(session: Session, actor: Actor, instance_id: int, text: str = "") -> list[Urged]:
    """Urge about everything in an instance that may be urged about now; the refusal of the first when nothing may."""
    if session.get(Instance, instance_id) is None:
        raise NotFound
    session.execute(select(Instance.id).where(Instance.id == instance_id).with_for_update())
    instance = session.get_one(Instance, instance_id, populate_existing=True)
    items = work_items.open_items(session, instance_id)
    _demand_right(session, actor, instance, items)
    if instance.state != "running":
        raise Conflict(stands_still(instance.state))
    done: list[Urged] = []
    refused: AppError | None = None
    for item in items:
        if item.assignee_id == actor.person_id:
            continue
        try:
            done.append(urge(session, actor, item.id, text))
        except AppError as refusal:
            refused = refused or refusal
    if done:
        return done
    raise refused or RuleViolation(_("It lies with nobody who could be urged."), code="nobody_to_urge")


def urge_right(session: Session, actor: Actor, instance: Instance, items: Sequence[WorkItem]) -> Right | None:
    """The button: None where it is not this person's to press, else granted or with the reason why not now."""
    open_items = [item for item in items if item.state in rules.LYING and item.assignee_id != actor.person_id]
    if instance.state != "running" or not open_items or not _may(session, actor, instance, open_items):
        return None
    now = clock.now()
    refusals = [_too_soon(item, now) for item in open_items]
    return Right("urge", None if None in refusals else refusals[0])


def _may(session: Session, actor: Actor, instance: Instance, items: Sequence[WorkItem]) -> bool:
    if actor.person_id == instance.starter_id or actor.may(MONITOR) or actor.may(ADMINISTER):
        return True
    of_tokens = {item.token: item for item in items}  # what comes next hangs on the token, not on the signer
    return any(_decides_later(session, actor, instance, item) for item in of_tokens.values())


def _decides_later(session: Session, actor: Actor, instance: Instance, item: WorkItem) -> bool:
    """Whoever would be asked once this item is agreed to, or is named for a later step of just this instance."""
    if any(actor.person_id in people for people in instance.people.values()):
        return True
    mine = set(actor.principals)
    return any(mine & set(step.principals) for step in foresee(session, actor, item, instance, "approve"))


def _demand_right(session: Session, actor: Actor, instance: Instance, items: Sequence[WorkItem]) -> None:
    if _may(session, actor, instance, items):
        return
    if not may_read_instance(session, actor, instance.id):
        raise NotFound
    raise Forbidden(_("Only the starter, a supervisor and those who decide later may urge."))


def _too_soon(item: WorkItem, now: datetime) -> Sentence | None:
    next_at = rules.next_urge_at(item.urged_at)
    if next_at is None or next_at <= now:
        return None
    return _(
        "“{step}” was urged at {time} already; it is possible again from {next} on.",
        step=item.title,
        time=f"{_local(item.urged_at):%H:%M}",
        next=f"{_local(next_at):%H:%M}",
    )


def _local(instant: datetime | None) -> datetime:
    assert instant is not None
    return instant.astimezone(ZONE)


def _same_click(session: Session, actor: Actor, item: WorkItem, now: datetime) -> Urged | None:
    if item.urged_at is None or now - item.urged_at > SAME_CLICK:
        return None
    last = session.scalars(
        select(InstanceLog)
        .where(
            InstanceLog.instance_id == item.instance_id, InstanceLog.item_id == item.id, InstanceLog.action == "urge"
        )
        .order_by(InstanceLog.seq.desc())
        .limit(1)
    ).first()
    if last is None or last.actor_id != actor.person_id:
        return None
    return _urged(item, last.detail, item.urged_at)


def _urged(item: WorkItem, detail: dict[str, object], at: datetime) -> Urged:
    told, outbox = detail.get("to"), detail.get("outbox")
    return Urged(
        item.id,
        item.title,
        item.urges,
        str(detail.get("channel")),
        at,
        at + rules.URGE_PAUSE,
        tuple(told) if isinstance(told, list) else (),
        tuple(outbox) if isinstance(outbox, list) else (),
    )
