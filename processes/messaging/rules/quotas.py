"""What a message costs its department, and when that is too much."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from connectors.outcome import BadMessage
from connectors.sms.segments import count
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel.working_time import business_date

USED_UP = "sms_quota_used_up"

COSTING = frozenset({"queued", "sending", "sent", "delivered", "unknown"})
"""States in which a message costs all its segments. In doubt it stays charged: it may have left."""

WARNINGS = (80, 100)
"""per cent of a quota at which its department is told"""


@dataclass(frozen=True, slots=True)
class Room:
    """A quota as it is now."""

    name: str
    segments: int
    used: int

    @property
    def left(self) -> int:
        return max(self.segments - self.used, 0)


def segments_of(text: str) -> int:
    """What a text costs. Raises RuleViolation for one no phone can be sent."""
    try:
        return count(text).segments
    except BadMessage:
        raise RuleViolation(
            _("This text cannot be sent as an SMS: it is too long or holds half of a character."), code="bad_text"
        ) from None


def due(state: str, segments: int, parts_left: Collection[int]) -> int:
    """What a message costs in this state. Of one that failed only the parts that have left: they cost all the same."""
    return segments if state in COSTING else min(len(parts_left), segments)


def month_of(instant: datetime) -> date:
    """The month, by its first day in Shanghai, that pays for what leaves then."""
    return business_date(instant).replace(day=1)


def check_room(rooms: Iterable[Room], needed: int) -> None:
    """Raises RuleViolation when one of the quotas cannot carry it."""
    tightest = min(rooms, key=lambda room: room.left, default=None)
    if tightest is not None and tightest.left < needed:
        raise RuleViolation(
            _(
                "The SMS quota {quota} is too small: {used} of {segments} segments are used, {needed} are needed and"
                " {left} are left.",
                quota=tightest.name,
                used=tightest.used,
                segments=tightest.segments,
                needed=needed,
                left=tightest.left,
            ),
            code=USED_UP,
            remedy=_("Send to fewer people or shorten the text, wait for the next month, or ask for a larger quota."),
        )


def warning(segments: int, before: int, after: int) -> int | None:
    """The per cent of a quota that has just been reached, the highest."""
    reached = [share for share in WARNINGS if before * 100 < segments * share <= after * 100]
    return max(reached, default=None)
