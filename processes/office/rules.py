"""When leave may be asked for, and which way a request may go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel.working_time import ZONE

KINDS = ("annual", "personal", "sick", "time_off", "marriage", "parental", "bereavement")

LONGEST = timedelta(days=366)

STATE_NAMES = {
    "in_approval": _("In approval"),
    "approved": _("Approved"),
    "rejected": _("Rejected"),
    "withdrawn": _("Withdrawn"),
}
"""What people read of a request's state."""

NEXT_STATES = {
    "in_approval": {"in_approval", "approved", "rejected", "withdrawn"},
    "approved": set[str](),
    "rejected": set[str](),
    "withdrawn": set[str](),
}

_NOON = time(12)


@dataclass(frozen=True, slots=True)
class Span:
    """Days off, the first perhaps from noon, the last perhaps until noon."""

    first: date
    last: date
    from_noon: bool = False
    until_noon: bool = False

    @property
    def starts(self) -> datetime:
        """The first instant of it on the company's clock."""
        return datetime.combine(self.first, _NOON if self.from_noon else time(), ZONE)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        if self.until_noon:
            return datetime.combine(self.last, _NOON, ZONE)
        return datetime.combine(self.last + timedelta(days=1), time(), ZONE)

    def overlaps(self, other: Span) -> bool:
        return self.starts < other.ends and other.starts < self.ends


def check_span(span: Span) -> None:
    """Something must lie between its ends, and not more than a year."""
    if span.starts >= span.ends:
        raise RuleViolation(_("Leave ends after it begins."), code="span_reversed", remedy=_("Choose a later end."))
    if span.last - span.first > LONGEST:
        raise RuleViolation(
            _("A leave request covers a year at most."), code="span_too_long", remedy=_("Ask for the rest later.")
        )


def check_days(days: Decimal) -> None:
    if not days:
        raise RuleViolation(
            _("There is no working day in this time."),
            code="no_working_day",
            remedy=_("Weekends and holidays need no leave; choose other days."),
        )


def check_overlap(span: Span, others: Iterable[tuple[str, Span]]) -> None:
    """others: (number, days) of the same person's requests that wait or were approved."""
    for number, other in others:
        if span.overlaps(other):
            raise RuleViolation(
                _("You have asked for leave in this time already ({number}).", number=number),
                code="leave_overlaps",
                remedy=_("Choose other days, or withdraw that request first."),
            )


def check_move(number: str | None, state: str, to: str) -> None:
    """What has been decided stays decided."""
    if to not in NEXT_STATES[state]:
        raise RuleViolation(
            _(
                "The request {number} is “{state}” and cannot become “{to}”.",
                number=number,
                state=STATE_NAMES[state],
                to=STATE_NAMES[to],
            ),
            code="wrong_state",
        )
