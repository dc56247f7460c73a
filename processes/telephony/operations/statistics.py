"""What the calls of a period came to: by agent, department, hour, day or direction; every number with its calls.

Counted are calls that are over. Offered = answered + missed; who put down before the other side answered is among those
missed. By agent, a call counts at everybody it rang at, but not as missed by those whose colleague took it; by
department once in each whose people it rang at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, case, false, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from engine.actor import Actor
from processes.kernel.periods import Period, day_number, day_of, hour_of, seconds_between
from processes.organization.models import Department, Employee
from processes.organization.permissions import require
from processes.telephony import permissions
from processes.telephony.models import Agent, Call, CallLeg
from processes.telephony.operations.board import gave_up
from processes.telephony.operations.reading import WRAP_UP, calls

By = Literal["agent", "department", "hour", "day", "direction"]
GROUPINGS: tuple[By, ...] = ("agent", "department", "hour", "day", "direction")
_OF_PARTS = ("agent", "department")
"""asked of each agent's part in a call"""
Which = Literal["offered", "answered", "missed", "given_up"]
COUNTED: tuple[Which, ...] = ("offered", "answered", "missed", "given_up")
DIRECTIONS = ("in", "out", "internal")
CALLED_BACK_WITHIN = timedelta(days=7)
"""what is dialled later is no answer to a missed call"""


@dataclass(frozen=True)
class Asked:
    """Which calls. direction, agent: "" and None = all."""

    period: Period
    direction: str = ""
    agent_id: int | None = None


@dataclass(frozen=True)
class Figures:
    """One row. key: the agent's id, the department's (0 = none), the hour, the day, the direction."""

    key: Any
    title: str
    offered: int = 0
    answered: int = 0
    missed: int = 0
    given_up: int = 0
    waited: int = 0
    talked: int = 0
    after: int = 0
    """seconds, all calls together; after: from the end of a call until its pop-up was put away"""
    called_back: int = 0
    """of those missed that came in: we rang the number within CALLED_BACK_WITHIN, whoever of us"""
    back: int = 0
    """seconds from the end of those until we rang, all together"""

    @property
    def average_wait(self) -> int | None:
        return round(self.waited / self.answered) if self.answered else None

    @property
    def average_talk(self) -> int | None:
        return round(self.talked / self.answered) if self.answered else None

    @property
    def average_back(self) -> int | None:
        return round(self.back / self.called_back) if self.called_back else None

    @property
    def answered_share(self) -> int | None:
        return 100 * self.answered // self.offered if self.offered else None


def statistics(session: Session, actor: Actor, asked: Asked, by: By) -> list[Figures]:
    """ix_phone_call_started reads the period, whatever lies before it."""
    require(actor, permissions.TEAM)
    facts = _facts(actor, asked, by).subquery()
    key = facts.c[by]
    found = {row[0]: row for row in session.execute(_sums(facts, key).group_by(key).order_by(key))}
    if by == "agent":
        wanted = select(Agent.id, Employee.name).join(Employee, Employee.id == Agent.person_id)
        names = wanted.where(Agent.id.in_(found)).order_by(Agent.extension)
        return [_row(number, name, found[number]) for number, name in session.execute(names)]
    if by == "department":
        places = dict(session.execute(select(Department.id, Department.name).where(Department.id.in_(found))).all())
        order = sorted(found, key=lambda one: (one == 0, places.get(one, "")))
        return [_row(one, places.get(one, ""), found[one]) for one in order]
    return [_row(day_of(one) if by == "day" else one, "", found.get(one)) for one in _keys(by, found, asked.period)]


def total(session: Session, actor: Actor, asked: Asked) -> Figures:
    """All of them together, each call once; of one agent's, his part in them."""
    require(actor, permissions.TEAM)
    facts = _facts(actor, asked, None).subquery()
    return _row(None, "", session.execute(_sums(facts, literal(0))).one())


def behind(actor: Actor, asked: Asked, by: By, key: Any, which: Which) -> Select[Call]:
    """The calls behind a number, newest first. key: None = behind a number of the total."""
    require(actor, permissions.TEAM)
    facts = _facts(actor, asked, by if key is not None else None).subquery()
    ids = select(facts.c.call_id)
    if which in ("answered", "missed", "given_up"):
        ids = ids.where(facts.c[which] == 1)
    if key is not None:
        ids = ids.where(facts.c[by] == (key.toordinal() - _EPOCH if by == "day" else key))
    return calls(actor).where(Call.id.in_(ids)).order_by(Call.started_at.desc(), Call.id.desc())


_EPOCH = day_of(0).toordinal()


def _facts(actor: Actor, asked: Asked, by: By | None) -> Select[Any]:
    """A row for each call, for each agent's part in one, or for each department's: what it counts as, and how long."""
    over = [asked.period.holds(Call.started_at.expression), Call.ended_at.is_not(None)]
    if asked.direction:
        over.append(Call.direction == asked.direction)
    if by in _OF_PARTS or asked.agent_id is not None:
        parts = _of_legs(actor, asked.agent_id).where(*over)
        return _of_departments(parts.subquery()) if by == "department" else parts
    taken = Call.result == "answered"
    after = (
        select(func.coalesce(func.sum(_after()), 0)).where(CallLeg.call_id == Call.id).correlate(Call).scalar_subquery()
    )
    columns = _columns(taken, Call.started_at, Call.answered_at, Call.ended_at, after)
    return select(*columns, literal(0).label("agent")).where(*over, permissions.visible_to(actor))


def _of_legs(actor: Actor, agent_id: int | None) -> Select[Any]:
    taken = CallLeg.answered_at.is_not(None)
    columns = _columns(
        taken,
        func.coalesce(CallLeg.rung_at, Call.started_at),
        CallLeg.answered_at,
        func.coalesce(CallLeg.over_at, Call.ended_at),
        _after(),
    )
    watched = select(Agent.id).where(permissions.watched_agents(actor))
    department = func.coalesce(Employee.department_id, 0).label("department")
    found = (
        select(*columns, CallLeg.agent_id.label("agent"), department)
        .select_from(CallLeg)
        .join(Call, Call.id == CallLeg.call_id)
        .join(Agent, Agent.id == CallLeg.agent_id)
        .join(Employee, Employee.id == Agent.person_id)
        .where(CallLeg.agent_id.in_(watched), or_(taken, CallLeg.cause != "answered_elsewhere"))
    )
    return found.where(CallLeg.agent_id == agent_id) if agent_id is not None else found


def _of_departments(parts: Any) -> Select[Any]:
    """The parts of one department in a call as one: answered when one of its people has."""
    taken = func.max(parts.c.answered)
    most = (func.max(parts.c[name]).label(name) for name in ("hour", "day", "direction", "called_back", "back"))
    sums = (func.sum(parts.c[name]).label(name) for name in ("waited", "talked", "after"))
    return select(
        parts.c.call_id,
        parts.c.department,
        taken.label("answered"),
        (1 - taken).label("missed"),
        case((taken == 1, 0), else_=func.max(parts.c.given_up)).label("given_up"),
        *most,
        *sums,
    ).group_by(parts.c.call_id, parts.c.department)


def _columns(taken: ColumnElement[bool], rung: Any, answered: Any, ended: Any, after: Any) -> list[Any]:
    back = case((~taken & (Call.direction == "in") & Call.number.startswith("+"), _until_called_back()))
    return [
        Call.id.label("call_id"),
        hour_of(Call.started_at).label("hour"),
        day_number(Call.started_at).label("day"),
        Call.direction.label("direction"),
        case((taken, 1), else_=0).label("answered"),
        case((taken, 0), else_=1).label("missed"),
        case((or_(taken, ~func.coalesce(gave_up(), false())), 0), else_=1).label("given_up"),
        case((taken, _length(rung, answered)), else_=0).label("waited"),
        case((taken, _length(answered, ended)), else_=0).label("talked"),
        after.label("after"),
        case((back.is_not(None), 1), else_=0).label("called_back"),
        case((back > 0, back), else_=0).label("back"),
    ]


def _until_called_back() -> Any:
    """Seconds from the end of a call until we first rang its number, NULL = never in time; ix_phone_call_number."""
    later = aliased(Call)
    rang = (
        select(func.min(later.started_at))
        .where(later.number == Call.number, later.direction == "out", later.started_at > Call.started_at)
        .correlate(Call)
        .scalar_subquery()
    )
    seconds = seconds_between(Call.ended_at, rang)
    return case((seconds <= int(CALLED_BACK_WITHIN.total_seconds()), seconds))


def _length(earlier: Any, later: Any) -> Any:
    """Events may come shuffled: nothing took less than no time."""
    seconds = seconds_between(earlier, later)
    return case((seconds > 0, seconds), else_=0)


def _after() -> Any:
    """Of one leg; a pop-up that is never put away goes by itself and says nothing."""
    seconds = seconds_between(CallLeg.over_at, CallLeg.closed_at)
    counts = CallLeg.answered_at.is_not(None) & (seconds > 0) & (seconds <= int(WRAP_UP.total_seconds()))
    return case((counts, seconds), else_=0)


_SUMMED = ("answered", "missed", "given_up", "waited", "talked", "after", "called_back", "back")


def _sums(facts: Any, key: Any) -> Select[Any]:
    return select(key, func.count(), *(func.coalesce(func.sum(facts.c[name]), 0) for name in _SUMMED)).select_from(
        facts
    )


def _row(key: Any, title: str, row: Sequence[Any] | None) -> Figures:
    numbers = [int(one) for one in row[1:]] if row is not None else []
    return Figures(key, title, *numbers)


def _keys(by: By, found: Iterable[Any], period: Period) -> list[Any]:
    """The rows of a table: without gaps, so that a quiet hour or day is seen."""
    if by == "direction":
        return [one for one in (*DIRECTIONS, "") if one in set(found)]
    seen = sorted(found)
    if by == "hour":
        return list(range(min(seen), max(seen) + 1)) if seen else []
    first = period.first.toordinal() - _EPOCH
    return list(range(first, first + period.days)) if period.days <= _MOST_DAYS_WITH_GAPS else seen


_MOST_DAYS_WITH_GAPS = 31
