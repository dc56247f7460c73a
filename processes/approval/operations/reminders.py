"""What happens by itself while an item with a due date lies open: at 50, 100 and 150 % of the time allowed.

A task with a timer drawn on its border is left to its drawing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, live, repository, work_items
from engine.actor import SYSTEM
from engine.errors import AppError
from engine.journal import Entry
from engine.models import Instance, WorkItem
from processes.approval import rules
from processes.approval.models import ItemReminder, ItemWatch
from processes.approval.operations.telling import Channel, Told, facts_of, holders, overdue_with, tell
from processes.kernel.working_time import WorkingCalendar
from processes.organization.assignments import lines_above
from processes.organization.calendar import company_calendar
from processes.organization.models import Employee

logger = logging.getLogger(__name__)

BATCH = 200

_house_default = "escalate"


def on_due_of_house(on_due: str) -> None:
    """What is done about a task whose diagram does not say `approval.on_due`; bootstrap knows the setting."""
    global _house_default
    if on_due and on_due not in rules.ON_DUE[:2]:
        raise ValueError(f"{on_due!r} is none of {rules.ON_DUE[:2]}")
    _house_default = on_due


# ------------------------------------------------------------------------------------------------- what to look at


def enrol(session: Session) -> int:
    """Begin to watch items that have become due for it, or whose due date has moved; answers how many."""
    wanted = (
        select(WorkItem.id, WorkItem.node, WorkItem.created_at, WorkItem.due_at, Instance.definition_id)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .outerjoin(ItemWatch, ItemWatch.item_id == WorkItem.id)
        .where(
            WorkItem.state.in_(rules.LYING),
            WorkItem.due_at.is_not(None),
            or_(ItemWatch.item_id.is_(None), ItemWatch.due_at != WorkItem.due_at),
        )
        .order_by(WorkItem.id)
        .limit(BATCH)
    )
    found = session.execute(wanted).all()
    if not found:
        return 0
    sent: dict[int, int] = {}
    known = select(ItemReminder.item_id, ItemReminder.threshold).where(ItemReminder.item_id.in_([r.id for r in found]))
    for item_id, threshold in session.execute(known):
        sent[item_id] = max(sent.get(item_id, 0), threshold)
    calendar = company_calendar(session)
    rows = [
        {
            "item_id": row.id,
            "due_at": row.due_at,
            "next_at": _next_at(
                calendar, _on_due(session, row.definition_id, row.node), row.created_at, row.due_at, sent.get(row.id, 0)
            ),
        }
        for row in found
    ]
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(ItemWatch).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["item_id"],
            set_={"due_at": statement.excluded.due_at, "next_at": statement.excluded.next_at},
        )
    )
    return len(rows)


def _on_due(session: Session, definition_id: int, node_id: str) -> str:
    """What the diagram, else the house, wants done; "" = nothing, or the diagram has drawn it."""
    try:
        nodes = repository.get(session, definition_id).compiled.nodes
    except AppError:
        logger.warning("reminders.definition_unreadable", extra={"definition_id": definition_id})
        return ""
    node = nodes.get(node_id)
    if node is None or rules.is_drawn(node_id, nodes):
        return ""
    return node.properties.get("approval.on_due", "") or _house_default


def _next_at(
    calendar: WorkingCalendar, on_due: str, since: datetime, due_at: datetime, reached: int
) -> datetime | None:
    coming = (threshold for threshold in rules.THRESHOLDS if on_due and threshold > reached)
    return next((rules.threshold_at(since, due_at, threshold, calendar) for threshold in coming), None)


def due_for_reminder(session: Session) -> list[int]:
    """Items whose next threshold is reached, in instances that run; oldest first, a batch of them."""
    wanted = (
        select(ItemWatch.item_id)
        .join(WorkItem, WorkItem.id == ItemWatch.item_id)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(ItemWatch.next_at <= clock.now(), WorkItem.state.in_(rules.LYING), Instance.state == "running")
        .order_by(ItemWatch.next_at)
        .limit(BATCH)
    )
    return list(session.scalars(wanted))


# ------------------------------------------------------------------------------------------------- one item


def remind(session: Session, item_id: int) -> bool:
    """Do what the newest threshold that is reached asks for; whether anything was done.

    After a long silence only the newest goes out: the earlier ones would say what is no longer true. Everything is
    asked again under the lock of the instance, so it bears being run twice and at once.
    """
    held = session.scalar(
        select(Instance.id)
        .join(WorkItem, WorkItem.instance_id == Instance.id)
        .where(WorkItem.id == item_id, Instance.state == "running")
        .with_for_update(of=Instance)
    )
    watch = session.get(ItemWatch, item_id, populate_existing=True)
    item = session.get(WorkItem, item_id, populate_existing=True)
    now = clock.now()
    if held is None or watch is None or item is None or item.due_at is None:
        return False
    if item.state not in rules.LYING or watch.next_at is None or watch.next_at > now or watch.due_at != item.due_at:
        return False
    instance = session.get_one(Instance, item.instance_id, populate_existing=True)
    on_due = _on_due(session, instance.definition_id, item.node)
    calendar = company_calendar(session)
    reached = [
        threshold
        for threshold in rules.THRESHOLDS
        if on_due and rules.threshold_at(item.created_at, item.due_at, threshold, calendar) <= now
    ]
    newest = max(reached, default=0)
    watch.next_at = _next_at(calendar, on_due, item.created_at, item.due_at, newest)
    session.flush()
    reminder = _once(session, item_id, newest) if newest else None
    if reminder is None:
        return False
    did, told = _deed(session, item_id, on_due, newest)(session, item, instance, newest)
    reminder.did, reminder.told = did, told.as_detail()
    session.flush()
    return True


def _once(session: Session, item_id: int, threshold: int) -> ItemReminder | None:
    """The row that says this threshold is dealt with; None when it is there already, or a later one is."""
    later = select(ItemReminder.id).where(ItemReminder.item_id == item_id, ItemReminder.threshold >= threshold)
    if session.scalar(later.limit(1)) is not None:
        return None
    reminder = ItemReminder(item_id=item_id, threshold=threshold, did="remind", at=clock.now())
    session.add(reminder)
    session.flush()
    return reminder


Done = tuple[str, Told]
"""What was done, and who was told of it."""
Deed = Callable[[Session, WorkItem, Instance, int], Done]


def _remind(session: Session, item: WorkItem, instance: Instance, threshold: int) -> Done:
    """Half-time is a word in the house; from the due date on it is an SMS as well, and at last to the superior too."""
    told = Told()
    channels: tuple[Channel, ...] = ("notice",) if threshold < 100 else ("notice", "sms")
    template = "approval_half_time" if threshold < 100 else "approval_reminder"
    present, facts = holders(session, item), facts_of(session, item)
    _tell(session, present, item, template, threshold, channels, told, facts)
    if threshold > 100:
        for superior, holder in _superiors(session, present, instance):
            said = {**facts, "holder": holder}
            _tell(session, [superior], item, "approval_overdue", threshold, ("notice", "sms"), told, said)
    _note(session, item, threshold, told)
    return "remind", told


def _escalate(session: Session, item: WorkItem, instance: Instance, threshold: int) -> Done:
    """The holder is reminded once more and the superior may decide as well.

    Whoever only gives an opinion, because the item was lent to him or a question put beside it, keeps it alone.
    """
    if item.state != "open" or item.kind != "sign":
        return _remind(session, item, instance, threshold)
    told = Told()
    present, facts = holders(session, item), facts_of(session, item)
    above = _superiors(session, present, instance)
    _tell(session, present, item, "approval_reminder", threshold, ("notice", "sms"), told, facts)
    for superior, holder in above:
        work_items.add_candidate(session, SYSTEM, item, superior.id, overdue_with(holder))
        said = {**facts, "holder": holder}
        _tell(session, [superior], item, "approval_escalated", threshold, ("notice", "sms"), told, said)
    _note(session, item, threshold, told)
    return "escalate" if above else "remind", told


def _decide(action: str) -> Deed:
    """The system decides in the place of whoever has kept silent."""

    def deed(session: Session, item: WorkItem, instance: Instance, threshold: int) -> Done:
        try:
            with session.begin_nested():
                work_items.decide_when_due(session, item.id, action)
        except AppError as refusal:  # a signature or a choice that only a person can give: he is reminded instead
            logger.info("reminders.not_decided", extra={"item_id": item.id, "why": str(refusal)})
            return _remind(session, item, instance, threshold)
        return action, Told()

    return deed


def _to_leader(session: Session, item: WorkItem, instance: Instance, threshold: int) -> Done:
    """The item is the superior's from now on; with nobody above, its holder is reminded."""
    above = _superiors(session, holders(session, item), instance)
    if not above or item.kind != "sign":
        return _remind(session, item, instance, threshold)
    superior, holder = above[0]
    work_items.assign(session, SYSTEM, item.id, superior.id, reason=overdue_with(holder))
    told = Told()
    said = {**facts_of(session, item), "holder": holder}
    _tell(session, [superior], item, "approval_escalated", threshold, ("notice", "sms"), told, said)
    _note(session, item, threshold, told)
    return "leader", told


def _deed(session: Session, item_id: int, on_due: str, threshold: int) -> Deed:
    """What is done now. What the diagram asks for on the due date is done late rather than never."""
    if threshold >= 100 and on_due in ("approve", "reject"):
        return _decide(on_due)
    if threshold >= 100 and on_due == "leader":
        handed = select(ItemReminder.id).where(ItemReminder.item_id == item_id, ItemReminder.did == "leader")
        return _remind if session.scalar(handed) is not None else _to_leader
    return _escalate if threshold > 100 and on_due == "escalate" else _remind


def _superiors(session: Session, present: Sequence[Employee], instance: Instance) -> list[tuple[Employee, str]]:
    """(superior, the holder's name) for everybody an item lies with, each superior once."""
    lines = lines_above(session, [holder.id for holder in present])
    found: dict[int, tuple[Employee, str]] = {}
    for holder in present:
        superior = rules.escalation_target(lines[holder.id], present, instance.starter_id)
        if superior is not None:
            found.setdefault(superior.id, (superior, holder.name))
    return list(found.values())


def _tell(
    session: Session,
    people: Sequence[Employee],
    item: WorkItem,
    template: str,
    threshold: int,
    channels: tuple[Channel, ...],
    told: Told,
    values: Mapping[str, Any],
) -> None:
    tell(
        session,
        SYSTEM,
        people,
        item,
        template,
        occasion=f"due:{item.id}:{threshold}",
        values=values,
        channels=channels,
        told=told,
    )


def _note(session: Session, item: WorkItem, threshold: int, told: Told) -> None:
    """A line in the instance's log, behind what else has been written there."""
    detail = {"threshold": threshold, **told.as_detail()}
    work_items.append(session, SYSTEM, item.instance_id, Entry("remind", item.node, item.token, item.id, None, detail))
    live.push(session, told.persons, "inbox")
