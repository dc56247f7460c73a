"""Quiet hours (免打扰时段): when nothing commercial leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from processes.kernel.working_time import ZONE

_SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day to another in Shanghai, over midnight when the second is the earlier; equal: none at all."""

    begins: time
    ends: time

    @classmethod
    def parse(cls, text: str) -> QuietHours:
        """Read 21:00-08:00; an empty text is never quiet. Raises ValueError."""
        if not text.strip():
            return NEVER_QUIET
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no span like 21:00-08:00")
        first, second, third, fourth = (int(one) for one in found.groups())
        return cls(time(first, second), time(third, fourth))

    def after(self, instant: datetime) -> datetime:
        """The instant itself, or the end of the quiet hours it falls into."""
        local = instant.astimezone(ZONE)
        now, over_midnight = local.time(), self.begins > self.ends
        has_begun, goes_on = now >= self.begins, now < self.ends
        is_quiet = has_begun or goes_on if over_midnight else has_begun and goes_on
        if not is_quiet:
            return instant
        day = local.date() + timedelta(days=1) if over_midnight and has_begun else local.date()
        return datetime.combine(day, self.ends, ZONE)

    def __str__(self) -> str:
        return "" if self.begins == self.ends else f"{self.begins:%H:%M}-{self.ends:%H:%M}"


NEVER_QUIET = QuietHours(time(0), time(0))
