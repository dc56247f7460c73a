"""What happened in one instance, and where its tokens are and were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models import Incident, Instance, InstanceLog, WorkItem

PATH_LINES = 500
"""How many log lines back the drawn path reaches; a loop of thousands of rounds still opens at once."""


RENAMING = ("migrate", "migrate_back")
"""Actions that take an instance to another version, where elements may bear other ids."""


@dataclass(slots=True)
class Trail:
    """Where the tokens of an instance are and were, by element id."""

    active: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    flows: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    rounds: dict[str, int] = field(default_factory=dict)
    """how often each node was left"""
    entered_at: dict[str, datetime] = field(default_factory=dict)


def trail(session: Session, instance_id: int) -> Trail:
    """Read the path back from the log's newest lines."""
    found = Trail()
    lines = session.execute(
        select(InstanceLog.at, InstanceLog.action, InstanceLog.detail)
        .where(InstanceLog.instance_id == instance_id)
        .order_by(InstanceLog.seq.desc())
        .limit(PATH_LINES)
    ).all()
    inside: dict[str, int] = {}
    for at, action, detail in reversed(lines):
        if action in RENAMING:
            inside = _renamed(found, inside, detail.get("map") or {})
        for element, mark in detail.get("path", ()):
            if mark == "taken":
                found.flows.add(element)
            elif mark == "entered":
                inside[element] = inside.get(element, 0) + 1
                found.entered_at[element] = at
            else:
                inside[element] = max(inside.get(element, 0) - 1, 0)
                if mark == "left":
                    found.done.add(element)
                    found.rounds[element] = found.rounds.get(element, 0) + 1
    state = session.scalar(select(Instance.state).where(Instance.id == instance_id))
    if state in ("running", "suspended"):
        found.active = {element for element, tokens in inside.items() if tokens > 0}
    found.failed = set(
        session.scalars(select(Incident.node).where(Incident.instance_id == instance_id, Incident.state != "resolved"))
    )
    return found


def _renamed(found: Trail, inside: dict[str, int], names: dict[str, str]) -> dict[str, int]:
    """What is known so far, in the words of the version from here on."""

    def now(element: str) -> str:
        return names.get(element, element)

    found.done = {now(element) for element in found.done}
    found.rounds = _summed((now(element), times) for element, times in found.rounds.items())
    found.entered_at = {now(element): at for element, at in found.entered_at.items()}
    return _summed((now(element), tokens) for element, tokens in inside.items())


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for element, count in pairs:
        total[element] = total.get(element, 0) + count
    return total


def log_lines(session: Session, instance_id: int, *, after: int = 0, limit: int = 200) -> list[InstanceLog]:
    """The instance's log in order, from line `after` + 1."""
    return list(
        session.scalars(
            select(InstanceLog)
            .where(InstanceLog.instance_id == instance_id, InstanceLog.seq > after)
            .order_by(InstanceLog.seq)
            .limit(limit)
        )
    )


def deeds_of(session: Session, instance_id: int, actions: Collection[str]) -> list[InstanceLog]:
    """Lines of an instance's log that tell of these actions, oldest first."""
    wanted = select(InstanceLog).where(InstanceLog.instance_id == instance_id, InstanceLog.action.in_(actions))
    return list(session.scalars(wanted.order_by(InstanceLog.seq)))


def signers_of(session: Session, item: WorkItem) -> list[WorkItem]:
    """Everybody's item of the step this one belongs to, in their order; side questions apart.

    Who was added before or after somebody stands right behind him.
    """
    wanted = select(WorkItem).where(
        WorkItem.instance_id == item.instance_id, WorkItem.token == item.token, WorkItem.kind == "sign"
    )
    found = list(session.scalars(wanted.order_by(WorkItem.sequence)))
    known = {one.id for one in found}
    below = defaultdict(list)
    for one in found:
        hangs = one.added in ("before", "after") and one.parent_id in known
        below[one.parent_id if hangs else None].append(one)

    def with_below(one: WorkItem) -> Iterator[WorkItem]:
        yield one
        for child in below[one.id]:
            yield from with_below(child)

    return [one for top in below[None] for one in with_below(top)]


def items_of(session: Session, instance_id: int) -> list[WorkItem]:
    """Every work item of an instance, oldest first."""
    return list(session.scalars(select(WorkItem).where(WorkItem.instance_id == instance_id).order_by(WorkItem.id)))
