"""What the ways a customer comes to somebody and leaves him count as; how months follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from engine.i18n import Sentence, _

MOST_MONTHS = 24

CAME: Mapping[str, tuple[str, ...]] = {"new": ("created", "by_rule", "imported"), "locked": ("applied", "assigned")}
"""counted as -> how an ownership began; whatever else was received from colleagues"""
WENT: Mapping[str, tuple[str, ...]] = {"unlocked": ("released", "unlocked"), "lost": ("closed",)}
"""counted as -> how it ended; whatever else was given to colleagues"""

COLUMNS: Mapping[str, Sentence] = {
    "opening": _("Opening"),
    "new": _("New ones"),
    "locked": _("From the pool"),
    "received": _("From colleagues"),
    "unlocked": _("Back to the pool"),
    "given": _("To colleagues"),
    "lost": _("Lost"),
    "closing": _("Closing"),
}
MEANINGS: Mapping[str, Sentence] = {
    "opening": _("held when the period began"),
    "new": _("new customers: made, imported, dealt out by a rule"),
    "locked": _("out of the pool: applied for, assigned"),
    "received": _("from colleagues: handed over, merged, taken back"),
    "unlocked": _("into the pool: released, unlocked by a rule"),
    "given": _("to colleagues: handed over, merged, taken back"),
    "lost": _("closed: no longer served"),
    "closing": _("held when the period ended"),
}


def month_of(day: date) -> date:
    return day.replace(day=1)


def months_on(month: date, count: int) -> date:
    """The first of the month so many months later or, below zero, earlier."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def months(first: date, last: date) -> list[date]:
    """The firsts of these months, both ends in it, the last ones where there are too many."""
    first, last = month_of(min(first, last)), month_of(max(first, last))
    found = [last]
    while found[-1] > first and len(found) < MOST_MONTHS:
        found.append(months_on(found[-1], -1))
    return found[::-1]
