"""How customers came and went (row 132): opening + new + locked + received - unlocked - given - lost = closing.

Everything is read from the ownerships, one row counting at most once on each side; closing is counted by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, joinedload

from engine.actor import Actor
from engine.db import UTCDateTime
from processes.insight import permissions, rules
from processes.kernel.periods import begin_of
from processes.organization.models import Department, Employee
from processes.organization.permissions import require
from processes.ownership.models import Ownership

By = Literal["owner", "department", "month"]
GROUPINGS: tuple[By, ...] = ("owner", "department", "month")
Column = Literal["opening", "new", "locked", "received", "unlocked", "given", "lost", "closing"]


@dataclass(frozen=True)
class Asked:
    """Which months, both ends in them; of one owner, of a department and those below it."""

    first: date
    last: date
    owner_id: int | None = None
    department_id: int | None = None

    @classmethod
    def of(cls, first: date, last: date, owner_id: int | None = None, department_id: int | None = None) -> Asked:
        """Whole months, two years at most."""
        found = rules.months(first, last)
        return cls(found[0], found[-1], owner_id, department_id)

    @property
    def months(self) -> list[date]:
        return rules.months(self.first, self.last)


@dataclass(frozen=True)
class Change:
    """One row. key: the owner's id, the department's (None = in none), the first of the month."""

    key: Any
    title: str
    opening: int = 0
    new: int = 0
    locked: int = 0
    received: int = 0
    unlocked: int = 0
    given: int = 0
    lost: int = 0
    closing: int = 0

    @property
    def came(self) -> int:
        return self.new + self.locked + self.received

    @property
    def went(self) -> int:
        return self.unlocked + self.given + self.lost

    @property
    def agrees(self) -> bool:
        return self.opening + self.came - self.went == self.closing


def changes(session: Session, actor: Actor, asked: Asked, by: By) -> list[Change]:
    """ix_ownership_ended reads those that are open or ended since the first month began, not what was over before."""
    require(actor, permissions.TEAM)
    if by == "month":
        return _by_month(session, actor, asked)
    begins, ends = _instants(asked.first, asked.last)
    key = Ownership.owner_id if by == "owner" else Ownership.department_id
    model: Any = Employee if by == "owner" else Department
    sums = (
        select(key.label("key"), *_sums(begins, ends))
        .where(*_narrowed(actor, asked), _touches(begins, ends))
        .group_by(key)
        .subquery()
    )
    named = select(sums.c.key, func.coalesce(model.name, ""), *(sums.c[name] for name in rules.COLUMNS))
    wanted = named.select_from(sums).outerjoin(model, model.id == sums.c.key).order_by(model.name, sums.c.key)
    return [_row(row) for row in session.execute(wanted)]


def total(session: Session, actor: Actor, asked: Asked) -> Change:
    require(actor, permissions.TEAM)
    begins, ends = _instants(asked.first, asked.last)
    sums = select(*_sums(begins, ends)).where(*_narrowed(actor, asked), _touches(begins, ends))
    return _row((None, "", *session.execute(sums).one()))


def behind(actor: Actor, asked: Asked, by: By, key: Any, column: Column) -> Select[Ownership]:
    """The ownerships behind a number, the latest first. key: "" = behind a number of the total."""
    require(actor, permissions.TEAM)
    months = (key, key) if by == "month" and isinstance(key, date) else (asked.first, asked.last)
    begins, ends = _instants(*months)
    wanted = select(Ownership).where(*_narrowed(actor, asked), _conditions(begins, ends)[column])
    if key != "" and by != "month":
        wanted = wanted.where((Ownership.owner_id if by == "owner" else Ownership.department_id) == key)
    shown = joinedload(Ownership.owner), joinedload(Ownership.customer)
    return wanted.options(*shown).order_by(Ownership.started_at.desc(), Ownership.id.desc())


def _by_month(session: Session, actor: Actor, asked: Asked) -> list[Change]:
    spans = [
        select(
            literal(month, Date).label("month"),
            literal(begin_of(month), UTCDateTime).label("begins"),
            literal(begin_of(rules.months_on(month, 1)), UTCDateTime).label("ends"),
        )
        for month in asked.months
    ]
    span = union_all(*spans).subquery()
    begins, ends = span.c.begins, span.c.ends
    counted = (
        select(span.c.month, *_sums(begins, ends))
        .select_from(span)
        .join(Ownership, _touches(begins, ends))
        .where(*_narrowed(actor, asked), _touches(*_instants(asked.first, asked.last)))
        .group_by(span.c.month)
    )
    found = {row[0]: row for row in session.execute(counted)}
    return [_row((month, "", *(found[month][1:] if month in found else ()))) for month in asked.months]


def _instants(first: date, last: date) -> tuple[Any, Any]:
    return begin_of(first), begin_of(rules.months_on(last, 1))


def _narrowed(actor: Actor, asked: Asked) -> Sequence[ColumnElement[bool]]:
    found = [permissions.visible_ownerships(actor)]
    if asked.owner_id is not None:
        found.append(Ownership.owner_id == asked.owner_id)
    if asked.department_id is not None:
        found.append(Ownership.department_id.in_(at_or_below(asked.department_id)))
    return found


def at_or_below(department_id: int) -> Select[Any]:
    """The department and those below it, as the tree stands now."""
    path = select(Department.path).where(Department.id == department_id).scalar_subquery()
    return select(Department.id).where(Department.path.startswith(path))


def _touches(begins: Any, ends: Any) -> ColumnElement[bool]:
    return and_(Ownership.started_at < ends, or_(Ownership.ended_at.is_(None), Ownership.ended_at >= begins))


def _held(at: Any) -> ColumnElement[bool]:
    """Held when this instant began: what starts or ends in it belongs to what follows."""
    return and_(Ownership.started_at < at, or_(Ownership.ended_at.is_(None), Ownership.ended_at >= at))


def _conditions(begins: Any, ends: Any) -> dict[str, ColumnElement[bool]]:
    came = and_(Ownership.started_at >= begins, Ownership.started_at < ends)
    went = and_(Ownership.ended_at >= begins, Ownership.ended_at < ends)
    known_ways = [way for ways in rules.CAME.values() for way in ways]
    known_ends = [way for ways in rules.WENT.values() for way in ways]
    return {
        "opening": _held(begins),
        **{name: came & Ownership.how.in_(ways) for name, ways in rules.CAME.items()},
        "received": came & Ownership.how.not_in(known_ways),
        **{name: went & Ownership.ended_how.in_(ways) for name, ways in rules.WENT.items()},
        "given": went & Ownership.ended_how.not_in(known_ends),
        "closing": _held(ends),
    }


def _sums(begins: Any, ends: Any) -> list[Any]:
    conditions = _conditions(begins, ends)
    return [func.coalesce(func.sum(case((conditions[name], 1), else_=0)), 0).label(name) for name in rules.COLUMNS]


def _row(row: Sequence[Any]) -> Change:
    key, title, *numbers = row
    return Change(key, title, *(int(one) for one in numbers))
