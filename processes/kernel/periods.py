"""Periods of whole days as reports ask for them, and the SQL that sorts instants into days and hours of Shanghai."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from processes.kernel.working_time import ZONE

LONGEST_PERIOD = 366
_FIRST, _LAST = date(1970, 1, 1), date(9000, 1, 1)
"""days outside are nobody's, and some of them have no instant in UTC"""

_EAST = 8 * 3600
"""Shanghai is so many seconds ahead of UTC, in summer too"""
_DAY = 86_400


def begin_of(day: date) -> datetime:
    """Its midnight in Shanghai."""
    return datetime.combine(max(day, _FIRST), time(), ZONE)


@dataclass(frozen=True)
class Period:
    """Whole days, both ends in it."""

    first: date
    last: date

    @classmethod
    def of(cls, first: date, last: date) -> Period:
        """Turned round when need be, a year at most."""
        first, last = (min(max(day, _FIRST), _LAST) for day in (min(first, last), max(first, last)))
        return cls(max(first, last - timedelta(days=LONGEST_PERIOD)), last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        return begin_of(self.first)

    @property
    def ends(self) -> datetime:
        """Not in it any more."""
        return begin_of(self.last + timedelta(days=1))

    def holds(self, at: ColumnElement[datetime]) -> ColumnElement[bool]:
        return (at >= self.begins) & (at < self.ends)


class epoch(FunctionElement[int]):  # noqa: N801 - reads as the SQL function it is
    """Whole seconds since 1970 of an instant."""

    type = BigInteger()
    inherit_cache = True


@compiles(epoch)
def _epoch(element: epoch, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST(floor(EXTRACT(epoch FROM {compiler.process(element.clauses, **how)})) AS BIGINT)"


@compiles(epoch, "sqlite")
def _epoch_of_sqlite(element: epoch, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **how)}) AS INTEGER)"


def day_number(at: Any) -> ColumnElement[int]:
    """The day in Shanghai an instant falls on, as a number that `day_of` reads."""
    return (epoch(at) + _EAST) // _DAY


def day_of(number: int) -> date:
    return _FIRST + timedelta(days=number)


def hour_of(at: Any) -> ColumnElement[int]:
    """The hour of the day in Shanghai, 0 to 23."""
    return (epoch(at) + _EAST) % _DAY // 3600


def seconds_between(earlier: Any, later: Any) -> ColumnElement[int]:
    return epoch(later) - epoch(earlier)
