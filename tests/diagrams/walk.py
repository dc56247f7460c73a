"""Walking through a deployed process as its people do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import runtime, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.models import Instance, InstanceLog, OutboxMessage, Timer, WorkItem
from processes.organization.models import Employee

Result = TypeVar("Result")


def actor_in(session: Session, person: Employee, *permissions: str) -> Actor:
    """The person with the pools he is in, as a login makes it."""
    assert CATALOG.directory is not None
    groups = CATALOG.directory.groups(session, person.id)  # type: ignore[attr-defined]
    return Actor(person_id=person.id, name=person.name, groups=groups, permissions=frozenset(permissions))


class Walk:
    """One instance on its way, and what people do to it; every step is committed or undone as a whole."""

    def __init__(
        self, session: Session, starter: Employee, key: str, values: dict[str, Any], *permissions: str
    ) -> None:
        self.session = session
        actor = actor_in(session, starter, *permissions)
        self.id = self.do(lambda session: runtime.start(session, actor, key, values=values)).instance_id

    def do(self, work: Callable[[Session], Result]) -> Result:
        """One transaction, repeated when it loses a race, as every page and call does it."""
        self.session.commit()
        try:
            return runtime.perform(work)
        finally:
            self.session.rollback()

    @property
    def instance(self) -> Instance:
        return self.session.get_one(Instance, self.id, populate_existing=True)

    @property
    def open(self) -> list[WorkItem]:
        self.session.expire_all()
        return work_items.open_items(self.session, self.id)

    def at(self) -> list[str]:
        return [item.node for item in self.open]

    def with_whom(self) -> list[int | None]:
        return [item.assignee_id for item in self.open]

    def act(
        self, person: Employee, action: str = "approve", opinion: str = "", values: dict[str, Any] | None = None
    ) -> None:
        """Decide the one open item this person holds."""
        actor = actor_in(self.session, person)
        held = [item for item in self.open if item.assignee_id in (person.id, None)]
        assert len(held) == 1, [(item.node, item.assignee_id) for item in self.open]
        item_id, version = held[0].id, held[0].version
        self.do(
            lambda session: work_items.act(
                session, actor, item_id, action, version=version, opinion=opinion, values=values
            )
        )

    def timers(self) -> dict[str, datetime]:
        found = self.session.scalars(select(Timer).where(Timer.instance_id == self.id))
        return {timer.node: timer.due_at for timer in found}

    def fire(self, node: str) -> None:
        found = select(Timer).where(Timer.instance_id == self.id, Timer.node == node)
        self.do(lambda session: runtime.fire_timer(session, session.scalars(found).one()))

    def told(self) -> list[tuple[str, str, str]]:
        """(channel, recipient, text) in the order they were written."""
        found = select(OutboxMessage).where(OutboxMessage.instance_id == self.id).order_by(OutboxMessage.id)
        return [
            (one.channel, one.payload["recipient"].split()[0], one.payload["text"])
            for one in self.session.scalars(found)
        ]

    def log(self) -> list[InstanceLog]:
        lines = select(InstanceLog).where(InstanceLog.instance_id == self.id).order_by(InstanceLog.seq)
        return list(self.session.scalars(lines))

    def flows_taken(self) -> set[str]:
        return {element for line in self.log() for element, mark in line.detail.get("path", []) if mark == "taken"}
