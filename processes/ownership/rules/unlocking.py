"""When a customer goes back to the pool by itself (rows 74, 75): one reckoning for every road.

Days are calendar days in Shanghai, so no holiday moves them. On the N-th day after the last contact it is still locked;
on the day after that it unlocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

WARN_BEFORE = (7, 3, 1)
"""days before it unlocks"""


@dataclass(frozen=True, slots=True)
class Rule:
    id: int
    name: str
    kind: str
    """no_contact | no_deal"""
    days: int
    starts_on: date
    levels: Collection[str] = ()
    industries: Collection[str] = ()
    departments: Collection[int] | None = None
    """the department and those below it; None = everybody's"""

    def fits(self, held: Held) -> bool:
        return (
            (not self.levels or held.level in self.levels)
            and (not self.industries or held.industry in self.industries)
            and (self.departments is None or held.department_id in self.departments)
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A locked customer as the rules see it."""

    locked_on: date
    qualified_on: date | None = None
    """the last contact with content enough"""
    deal_on: date | None = None
    """the last day a deal protects it; date.max: for as long as it runs"""
    protected_until: date | None = None
    level: str = ""
    industry: str = ""
    department_id: int | None = None
    """its owner's"""


@dataclass(frozen=True, slots=True)
class Due:
    """The day a customer unlocks, by which rule, and what it was reckoned from."""

    on: date
    rule: Rule
    base: date

    def days_left(self, today: date) -> int:
        return (self.on - today).days


def due_by(rule: Rule, held: Held) -> Due | None:
    """The first day it is not locked any more; None: never, as long as things stand as they do."""
    last = held.qualified_on if rule.kind == "no_contact" else held.deal_on
    if last == date.max:
        return None
    base = max(day for day in (held.locked_on, rule.starts_on, last) if day is not None)
    on = base + timedelta(days=rule.days + 1)
    return Due(max(on, held.protected_until or on), rule, base)


def due(rules: Iterable[Rule], held: Held) -> Due | None:
    """Of each kind the first rule that fits is its rule; of the two days the earlier counts."""
    chosen: dict[str, Rule] = {}
    for rule in rules:
        if rule.kind not in chosen and rule.fits(held):
            chosen[rule.kind] = rule
    found = [one for one in (due_by(rule, held) for rule in chosen.values()) if one is not None]
    return min(found, key=lambda one: one.on) if found else None


def warning(due: Due, today: date) -> int | None:
    """Which warning is due now: the nearest that has come; a day on which nobody warned is caught up with."""
    left = due.days_left(today)
    return min((days for days in WARN_BEFORE if left <= days), default=None) if left > 0 else None
