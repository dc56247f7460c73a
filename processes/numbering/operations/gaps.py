"""The gap report: every number of a series accounted for, and those that are nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import NotFound
from processes.numbering import permissions, rules
from processes.numbering.models import SerialCounter, SerialNumber, SerialRule
from processes.organization.models import Department


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a rule: its period, whose it is, and what has become of its numbers.

    missing: stretches (first, last) nobody holds. Gap-free: none, or somebody changed the database by hand. Fast:
    numbers whose transaction rolled back, or has not ended yet.
    """

    period: str
    department_id: int | None
    department: str
    first: int
    last: int
    issued: int
    set_aside: Sequence[SerialNumber] = field(default_factory=tuple)
    """those that are void or reserved, in order"""
    missing: tuple[tuple[int, int], ...] = ()

    @property
    def missing_count(self) -> int:
        return sum(last - first + 1 for first, last in self.missing)


def gap_report(session: Session, actor: Actor, *, rule: str, period: str | None = None) -> list[Series]:
    """The series of a rule, in one period or in all, the newest period first."""
    found = session.scalar(select(SerialRule).where(SerialRule.code == rule, permissions.visible_rules(actor)))
    if found is None:
        raise NotFound
    wanted = select(SerialCounter).where(SerialCounter.rule_id == found.id)
    if period is not None:
        wanted = wanted.where(SerialCounter.period == period)
    counters = session.scalars(
        wanted.order_by(SerialCounter.period.desc(), SerialCounter.scope).execution_options(populate_existing=True)
    ).all()
    return [_series(session, counter) for counter in counters]


def periods(session: Session, actor: Actor, *, rule: str) -> list[str]:
    """The periods in which the rule has given numbers, the newest first."""
    found = select(SerialRule.id).where(SerialRule.code == rule, permissions.visible_rules(actor))
    wanted = select(SerialCounter.period).where(SerialCounter.rule_id.in_(found)).distinct()
    return list(session.scalars(wanted.order_by(SerialCounter.period.desc())))


def _series(session: Session, counter: SerialCounter) -> Series:
    mine = (
        SerialNumber.rule_id == counter.rule_id,
        SerialNumber.period == counter.period,
        SerialNumber.scope == counter.scope,
        SerialNumber.value < counter.next,  # what was taken since the counter was read is not looked for
    )
    values = session.scalars(select(SerialNumber.value).where(*mine).order_by(SerialNumber.value)).all()
    aside = select(SerialNumber).where(*mine, SerialNumber.state != "issued").order_by(SerialNumber.value)
    set_aside = session.scalars(aside).all()
    department = session.get(Department, int(counter.scope)) if counter.scope else None
    return Series(
        period=counter.period,
        department_id=department.id if department is not None else None,
        department=department.name if department is not None else "",
        first=counter.start,
        last=counter.next - 1,
        issued=len(values) - len(set_aside),
        set_aside=set_aside,
        missing=tuple(rules.missing(values, counter.start, counter.next)),
    )
