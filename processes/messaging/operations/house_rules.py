"""What the house has laid down for texts: quiet hours, when one is too late, how many need somebody's approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine import clock
from processes.messaging.operations.consenting import COMMERCIAL
from processes.messaging.rules import QuietHours


@dataclass
class HouseRules:
    """Given by bootstrap from the settings."""

    quiet: QuietHours
    late_after: timedelta
    """how long after its time a scheduled text is of use"""
    approval_above: int
    """recipients of one campaign that a person sends without asking"""


HOUSE = HouseRules(QuietHours.parse("21:00-08:00"), timedelta(hours=4), 100)


def lay_down(*, quiet: str, late_after_hours: int, approval_above: int) -> None:
    """Called once by bootstrap."""
    HOUSE.quiet = QuietHours.parse(quiet)
    HOUSE.late_after = timedelta(hours=late_after_hours)
    HOUSE.approval_above = approval_above


def leaves(send_at: datetime | None, payload: Mapping[str, Any]) -> datetime | None:
    """When a text may leave at the earliest; None: at once. Nothing commercial in quiet hours."""
    if payload.get("purpose") != COMMERCIAL:
        return send_at
    wanted = send_at or clock.now()
    allowed = HOUSE.quiet.after(wanted)
    return send_at if allowed == wanted else allowed


def lapses(send_at: datetime | None, leaves_at: datetime | None) -> datetime | None:
    """When a scheduled text is too late; one that is to leave at once only waits for its road."""
    if send_at is None or not HOUSE.late_after:
        return None
    return (leaves_at or send_at) + HOUSE.late_after


def held_until(payload: Mapping[str, Any]) -> datetime | None:
    """The end of the quiet hours in which a text would leave now; None: it may leave."""
    if payload.get("purpose") != COMMERCIAL:
        return None
    now = clock.now()
    allowed = HOUSE.quiet.after(now)
    return None if allowed == now else allowed
