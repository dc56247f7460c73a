"""What counts as a contact, how often somebody is to be spoken to, and in which queue that puts him."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.kernel.working_time import STATUTORY, WorkingCalendar, is_working_day

WAYS: Mapping[str, Sentence] = {
    "call": _("Telephone"),
    "visit": _("Visit"),
    "meeting": _("Meeting"),
    "message": _("WeChat and the like"),
    "mail": _("Mail"),
    "sms": _("SMS"),
    "other": _("Another way"),
}
RESULTS: Mapping[str, Sentence] = {
    "reached": _("Reached"),
    "interested": _("Is interested"),
    "refused": _("Does not want"),
    "not_reached": _("Not reached"),
}

RECORD_STATES: Mapping[str, Sentence] = {"active": _("Holds"), "void": _("Void")}
APPOINTMENT_STATES: Mapping[str, Sentence] = {
    "open": _("Still open"),
    "done": _("Took place"),
    "cancelled": _("Cancelled"),
}

EDIT_WINDOW = timedelta(hours=24)
BACKDATED_DAYS = 60
"""further back nobody enters a contact"""
LONGEST_CONTENT = 5000
TOLD_AT = 3
"""the postponement of an appointment that its holder's superior hears of"""

CLOSINGS: Mapping[str, Sentence] = {
    "unlocked": _("The customer was unlocked"),
    "released": _("The customer was released"),
    "handed_over": _("The customer was handed over without its appointments"),
    "assigned": _("The customer was assigned to somebody else"),
    "closed": _("The customer was closed"),
    "merged": _("The customer was merged into another that has an appointment"),
    "undone": _("The handing over was taken back"),
    "employer": _("The contact changed the employer, where there is an appointment already"),
}
"""why an appointment was cancelled, where nobody wrote a reason"""

MOVES: Mapping[str, Sentence] = {
    "handed_over": _("The customer was handed over"),
    "locked": _("The customer was locked"),
    "undone": _("The handing over was taken back"),
    "employer": _("The contact changed the employer"),
}
"""why an appointment went to somebody else, where nobody wrote a reason"""

# ------------------------------------------------------------------------------------------------- records

_MEANINGFUL = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Qualifying:
    """What the house asks of a contact before it counts against unlocking (rows 74 and 101)."""

    shortest: int = 8
    """letters, signs and digits of the content; blanks and marks do not count"""
    ways: frozenset[str] = frozenset({"call", "visit", "meeting", "message", "mail"})

    @classmethod
    def parse(cls, shortest: int, ways: str) -> Qualifying:
        """ways: names from WAYS, parted by blanks."""
        named = frozenset(ways.replace(",", " ").split())
        if not named or named - WAYS.keys():
            raise ValueError(f"ways of contact are {', '.join(WAYS)}")
        if shortest < 0:
            raise ValueError("a content cannot be shorter than nothing")
        return cls(shortest, named)


def is_qualified(way: str, result: str, content: str, wanted: Qualifying) -> bool:
    """Whether a contact counts against unlocking: somebody was reached in a way that counts, and it says of what."""
    return result != "not_reached" and way in wanted.ways and len(_MEANINGFUL.findall(content)) >= wanted.shortest


def check_at(at: datetime, now: datetime) -> None:
    """A contact has happened, and not so long ago that nobody could know it any more."""
    if at > now + timedelta(minutes=1):
        raise RuleViolation(
            _("A contact cannot lie in the future."), remedy=_("Make an appointment for what is to come.")
        )
    if at < now - timedelta(days=BACKDATED_DAYS):
        raise RuleViolation(_("A contact is entered within {days} days.", days=BACKDATED_DAYS))


def check_window(created_at: datetime, now: datetime) -> None:
    if now - created_at > EDIT_WINDOW:
        raise RuleViolation(
            _("A contact record can be changed for 24 hours only."),
            code="window_over",
            remedy=_("Void it with a reason, or add a comment."),
        )


# ------------------------------------------------------------------------------------------------- how often


@dataclass(frozen=True)
class Frequency:
    """How often somebody is to be spoken to; "" = any."""

    days: int
    most_days: int
    level: str = ""
    stage: str = ""
    role: str = ""

    def fits(self, level: str, stage: str, role: str) -> bool:
        return self.level in ("", level) and self.stage in ("", stage) and self.role in ("", role)

    @property
    def rank(self) -> tuple[int, bool, bool, bool]:
        """The more it names the more particular; of two that name as much, level goes before stage before role."""
        named = (bool(self.level), bool(self.stage), bool(self.role))
        return sum(named), *named


USUAL = (
    Frequency(7, 14, level="A"),
    Frequency(14, 30, level="B"),
    Frequency(30, 60, level="C"),
    Frequency(60, 120),
)
"""What the house takes until a company says otherwise."""


def frequency(policies: Iterable[Frequency], level: str, stage: str, role: str) -> Frequency:
    """The most particular policy that fits; the house's own stand behind those of the company."""
    own = [one for one in policies if one.fits(level, stage, role)]
    usual = [one for one in USUAL if one.fits(level, stage, role)]
    return max(own or usual, key=lambda one: one.rank)


def next_working_day(day: date, calendar: WorkingCalendar = STATUTORY) -> date:
    """That day, or the first working day after it: a holiday moves it on, a 调休 Saturday does not."""
    while not is_working_day(day, calendar):
        day += timedelta(days=1)
    return day


def proposed(
    contacted_on: date, today: date, often: Frequency, *, result: str = "", calendar: WorkingCalendar = STATUTORY
) -> date:
    """When to speak again: by the frequency, on a working day, never in the past; who was not reached, soon."""
    wanted = (
        today + timedelta(days=1) if result == "not_reached" else max(contacted_on + timedelta(days=often.days), today)
    )
    return next_working_day(wanted, calendar)


def check_due(due_on: date, today: date, base: date, most_days: int) -> None:
    """base: the day the frequency counts from."""
    if due_on < today:
        raise RuleViolation(_("An appointment lies today or later."))
    latest = max(base, today) + timedelta(days=most_days)
    if due_on > latest:
        raise RuleViolation(
            _("The follow-up policy allows {days} days at most: {latest}.", days=most_days, latest=latest.isoformat()),
            code="too_late",
        )


# ------------------------------------------------------------------------------------------------- queues

Queue = Literal["overdue", "today", "week", "idle", "never"]
QUEUES: Mapping[Queue, Sentence] = {
    "overdue": _("Past due"),
    "today": _("Today"),
    "week": _("This week"),
    "idle": _("Not recently"),
    "never": _("Never spoken to"),
}


def end_of_week(today: date) -> date:
    """Sunday."""
    return today + timedelta(days=6 - today.weekday())


def queue_of(next_on: date | None, last_on: date | None, today: date, idle_days: int) -> Queue | None:
    """The one queue somebody stands in; None: spoken to lately, or with a plan beyond this week."""
    if next_on is not None:
        if next_on < today:
            return "overdue"
        if next_on == today:
            return "today"
        return "week" if next_on <= end_of_week(today) else None
    if last_on is None:
        return "never"
    return "idle" if last_on < today - timedelta(days=idle_days) else None


def without(people: Collection[int], person: int) -> list[int]:
    return [one for one in people if one != person]
