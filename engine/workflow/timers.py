"""When a timer is due: ISO 8601 dates, durations and cycles, expressions that yield them, working time."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.expressions import Expression, ExpressionError, WorkingTime, compile_expression
from engine.expressions.values import HOUSE_ZONE, as_moment, shown
from engine.i18n import _
from engine.workflow.contract import Host
from engine.workflow.diagram import Timer

_DURATION = re.compile(
    r"P(?=[\dT])(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
_CYCLE = re.compile(r"R(?P<count>\d{0,6})/(?:(?P<start>[^/P][^/]*)/)?(?P<duration>P[^/]+)")
_LITERAL = re.compile(r"P[\dT]|R\d*/|\d{4}-\d\d-\d\d")
FOREVER = -1


@dataclass(frozen=True, slots=True)
class Due:
    at: datetime
    repeats: int = 0
    """how often it comes again after this; FOREVER"""
    every: str = ""
    """the ISO duration between, when it repeats"""

    def __post_init__(self) -> None:
        if not 1 < self.at.year < 9999:  # at the very ends a change of time zone leaves the calendar
            raise ExpressionError(_("The date lies too far away."))


@dataclass(frozen=True, slots=True)
class TimerRule:
    """A drawn timer, read once: `literal` when it is plain ISO 8601, else `expression`."""

    form: str
    literal: str
    expression: Expression | None

    def due(self, host: Host, names: Mapping[str, Any]) -> Due:
        value = self.expression.evaluate(names) if self.expression else self.literal
        return due(value, host)

    def working_due(self, host: Host, names: Mapping[str, Any], since: datetime) -> datetime | None:
        """When it is due by the calendar as it is now, counted from `since`; None where no working time is counted."""
        try:
            value = self.expression.evaluate(names) if self.expression else None
        except ExpressionError:  # what it was reckoned from is gone: it stays as it was set
            return None
        if not isinstance(value, WorkingTime):
            return None
        return Due(host.working_due(since, days=value.days, hours=value.hours)).at


def read(timer: Timer) -> TimerRule:
    """Check the text of a timer; ExpressionError says what is wrong with it."""
    text = timer.text.strip()
    if not _LITERAL.match(text):
        return TimerRule(timer.form, "", compile_expression(text))
    if text.startswith("R"):
        cycle = _cycle(text)
        _duration(cycle["duration"])
        if cycle["start"]:
            _moment(cycle["start"])
    elif text.startswith("P"):
        _duration(text)
    else:
        _moment(text)
    return TimerRule(timer.form, text, None)


def due(value: Any, host: Host) -> Due:
    """The instant a value means, counted from now."""
    now = host.now()
    if isinstance(value, WorkingTime):
        return Due(host.working_due(now, days=value.days, hours=value.hours))
    if isinstance(value, str) and value.startswith("R"):
        return _first_of_cycle(value, now)
    if isinstance(value, str) and value.startswith("P"):
        return Due(later(now, value))
    if isinstance(value, (str, date)):
        return _moment(value)
    raise ExpressionError(_("{value} is no ISO 8601 date or duration and no working time.", value=shown(value)))


def _moment(value: str | date) -> Due:
    """A date means its first instant on the company's clock."""
    moment = as_moment(value)
    return Due(moment if isinstance(moment, datetime) else datetime.combine(moment, time(), HOUSE_ZONE))


def due_of(text: str, host: Host) -> Due:
    """The moment of a timer that stands alone: no instance runs yet, so an expression sees no variables."""
    return read(Timer("", text)).due(host, {})


def after(before: Due, now: datetime) -> Due | None:
    """The next of a cycle once `before` has fired."""
    if not before.repeats:
        return None
    left = FOREVER if before.repeats == FOREVER else before.repeats - 1
    return Due(following(before.at, before.every, now, catch_up=False), left, before.every)


def following(before: datetime, every: str, now: datetime, *, catch_up: bool) -> datetime:
    """The next instant of a cycle; missed ones are passed over unless each is to be caught up."""
    after = later(before, every)
    if catch_up or after > now:
        return after
    parts = _duration(every)
    if not parts["years"] and not parts["months"]:  # of one length: no need to walk through what was missed
        span = after - before
        return before + span * ((now - before) // span + 1)
    while after <= now:
        after = later(after, every)
    return after


def later(start: datetime, duration: str) -> datetime:
    """`start` plus an ISO 8601 duration; months keep the day where the month has it."""
    parts = _duration(duration)
    months = int(parts["years"] or 0) * 12 + int(parts["months"] or 0)
    try:
        moved = _plus_months(start, months)
        return moved + timedelta(
            weeks=int(parts["weeks"] or 0),
            days=int(parts["days"] or 0),
            hours=int(parts["hours"] or 0),
            minutes=int(parts["minutes"] or 0),
            seconds=float(parts["seconds"] or 0),
        )
    except (OverflowError, ValueError):
        raise ExpressionError(_("The duration {text} is too long.", text=duration)) from None


def _first_of_cycle(text: str, now: datetime) -> Due:
    cycle = _cycle(text)
    count = int(cycle["count"]) if cycle["count"] else FOREVER
    at = _moment(cycle["start"]).at if cycle["start"] else later(now, cycle["duration"])
    return Due(at, FOREVER if count == FOREVER else max(count - 1, 0), cycle["duration"])


def _plus_months(start: datetime, months: int) -> datetime:
    if not months:
        return start
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, calendar.monthrange(year, month + 1)[1]))


def _duration(text: str) -> dict[str, str | None]:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ExpressionError(_("{text} is no ISO 8601 duration, like PT8H or P2D.", text=text))
    return match.groupdict()


def _cycle(text: str) -> dict[str, str]:
    match = _CYCLE.fullmatch(text)
    if match is None:
        raise ExpressionError(_("{text} is no ISO 8601 cycle, like R3/PT1H.", text=text))
    parts = {name: value or "" for name, value in match.groupdict().items()}
    if not any(sign in "123456789" for sign in parts["duration"]):
        raise ExpressionError(_("{text} repeats without a pause.", text=text))
    return parts
