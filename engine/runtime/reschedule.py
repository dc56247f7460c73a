"""Moves what an instance has to do after some working time, once the company's calendar has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import history, live
from engine.actor import Actor
from engine.journal import Entry
from engine.models import PENDING, InboxEntry, Instance, InstanceLog, WorkItem
from engine.runtime.step import Step, step
from engine.workflow.contract import Live, Reckoned


@dataclass(frozen=True, slots=True)
class Moved:
    """A due time that is another one now."""

    node: str
    before: datetime | None
    at: datetime


class _Nothing(Exception):
    """Every due time stays where it is, so there is no step to record."""


def reckon_dues(session: Session, actor: Actor, instance_id: int, *, asked_by: str = "") -> list[Moved]:
    """Reckon the due times of a running instance again, from when each task came, and note it in its log.

    Only what counts working time moves: a timer drawn as PT8H or as a date means the clock on the wall. What it is
    reckoned from are the variables as they are now.
    """
    session.execute(select(Instance.id).where(Instance.id == instance_id).with_for_update())
    pending = select(WorkItem).where(WorkItem.instance_id == instance_id, WorkItem.state.in_(PENDING))
    items = list(session.scalars(pending.order_by(WorkItem.id)))
    begun = {item.token: item.created_at for item in reversed(items)}
    pauses = _Pauses(session, instance_id)
    entered = history.trail(session, instance_id).entered_at
    moved: list[Moved] = []
    dues: dict[int, datetime] = {}
    entry = Entry("reschedule", detail={"asked_by": asked_by})

    def act(instance: Live) -> None:
        reckoned = instance.reckon_again(
            lambda token, element: pauses.shifted(begun.get(token) or entered.get(element))
        )
        for item in items:
            due = _due_of(item, reckoned, pauses.since(item.created_at))
            if due is not None and due != item.due_at:
                dues[item.id] = due
                moved.append(Moved(item.node, item.due_at, due))
        moved.extend(Moved(one.node, one.before, one.at) for one in reckoned if one.before not in (None, one.at))
        if not moved:
            raise _Nothing
        entry.detail["moved"] = [
            [one.node, one.before.isoformat() if one.before else None, one.at.isoformat()] for one in moved
        ]

    try:
        step(session, actor, instance_id, Step(act=act, entry=entry, interactive=False))
    except _Nothing:
        return []
    for item_id, due in dues.items():
        session.execute(
            update(WorkItem)
            .where(WorkItem.id == item_id)
            .values(due_at=due)
            .execution_options(synchronize_session="fetch")
        )
    if dues:
        waiting = select(InboxEntry.principal).where(InboxEntry.item_id.in_(dues))
        live.push(session, set(session.scalars(waiting)), "inbox")
    return moved


class _Pauses:
    """For how long an instance stood still, and when it went on: that time is nobody's delay."""

    def __init__(self, session: Session, instance_id: int) -> None:
        lines = select(InstanceLog.at, InstanceLog.detail).where(
            InstanceLog.instance_id == instance_id, InstanceLog.action == "resume"
        )
        self._ended = [(at, timedelta(seconds=detail.get("seconds", 0))) for at, detail in session.execute(lines)]

    def since(self, begun: datetime) -> timedelta:
        return sum((pause for at, pause in self._ended if at > begun), timedelta())

    def shifted(self, begun: datetime | None) -> datetime | None:
        return None if begun is None else begun + self.since(begun)


def _due_of(item: WorkItem, reckoned: list[Reckoned], paused: timedelta) -> datetime | None:
    """Its task's own due date, else that of the timer on its border which had given the item its due date."""
    own = next((one.at for one in reckoned if one.token == item.token and one.before is None), None)
    hung = (
        one.at
        for one in reckoned
        if one.host == item.token and one.before and item.due_at in (one.before, one.before + paused)
    )
    return own or next(hung, None)
