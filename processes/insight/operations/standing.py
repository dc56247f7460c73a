"""How customers stood on two days, and how they moved from one to the other (row 133)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from processes.insight import permissions
from processes.insight.models import CustomerDay, CustomerStanding
from processes.insight.operations.change import at_or_below
from processes.organization.permissions import require
from processes.party.models import Customer

Sight = Literal["state", "stage", "level"]
SIGHTS: tuple[Sight, ...] = ("state", "stage", "level")

ELSEWHERE = ""
"""Not there yet or no more, or with people the reader does not see."""


@dataclass(frozen=True)
class Asked:
    """Two days; of one owner, of a department and those below it."""

    first: date
    last: date
    owner_id: int | None = None
    department_id: int | None = None


@dataclass(frozen=True)
class Flow:
    """How many went from where to where. Between days that were really looked at."""

    first: date | None
    last: date | None
    table: dict[tuple[str, str], int]

    def was(self, value: str) -> int:
        return sum(count for (before, _now), count in self.table.items() if before == value)

    def is_now(self, value: str) -> int:
        return sum(count for (_before, now), count in self.table.items() if now == value)

    @property
    def moved(self) -> int:
        return sum(count for (before, now), count in self.table.items() if before != now)


def day_before(session: Session, day: date) -> date | None:
    """The last day up to this one on which somebody looked; else the first after it; None when nobody ever did."""
    up_to = session.scalar(select(func.max(CustomerDay.day)).where(CustomerDay.day <= day))
    return up_to or session.scalar(select(func.min(CustomerDay.day)))


def flow(session: Session, actor: Actor, asked: Asked, sight: Sight) -> Flow:
    """ix_customer_standing_until reads what held on one of the days, not what was over before."""
    require(actor, permissions.TEAM)
    first, last = (day_before(session, day) for day in sorted((asked.first, asked.last)))
    if first is None or last is None:
        return Flow(None, None, {})
    moves = _moves(actor, asked, sight, first, last).subquery()
    counted = select(moves.c.was, moves.c.is_now, func.count()).group_by(moves.c.was, moves.c.is_now)
    return Flow(first, last, {(row[0], row[1]): row[2] for row in session.execute(counted)})


def moved(
    session: Session, actor: Actor, asked: Asked, sight: Sight, was: str | None, is_now: str | None
) -> Select[Any]:
    """(customer, was, is now) of those behind a number, by name. None = whatever it was."""
    require(actor, permissions.TEAM)
    first, last = (day_before(session, day) or day for day in sorted((asked.first, asked.last)))
    moves = _moves(actor, asked, sight, first, last).subquery()
    wanted = select(Customer, moves.c.was, moves.c.is_now).join(moves, moves.c.customer_id == Customer.id)
    if was is not None:
        wanted = wanted.where(moves.c.was == was)
    if is_now is not None:
        wanted = wanted.where(moves.c.is_now == is_now)
    return wanted.order_by(Customer.name, Customer.id)


def _moves(actor: Actor, asked: Asked, sight: Sight, first: date, last: date) -> Select[Any]:
    """A row for each customer seen on one of the days: its value then and then."""
    value = getattr(CustomerStanding, sight)

    def on(day: date) -> Any:
        return func.max(case((_held_on(day), value), else_=ELSEWHERE))

    return (
        select(CustomerStanding.customer_id, on(first).label("was"), on(last).label("is_now"))
        .where(or_(_held_on(first), _held_on(last)), *_narrowed(actor, asked))
        .group_by(CustomerStanding.customer_id)
    )


def _held_on(day: date) -> ColumnElement[bool]:
    until: Any = CustomerStanding.until
    return and_(CustomerStanding.since <= day, or_(until.is_(None), until > day))


def _narrowed(actor: Actor, asked: Asked) -> Sequence[ColumnElement[bool]]:
    found = [permissions.visible_standings(actor)]
    if asked.owner_id is not None:
        found.append(CustomerStanding.owner_id == asked.owner_id)
    if asked.department_id is not None:
        found.append(CustomerStanding.department_id.in_(at_or_below(asked.department_id)))
    return found
