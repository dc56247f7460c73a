"""What an SMS would cost, shown beside the text while a person writes it; nothing is reserved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from connectors.outcome import BadMessage
from connectors.sms.segments import Count, count
from engine import clock
from engine.actor import Actor
from processes.messaging import rules
from processes.messaging.operations import charging
from processes.messaging.operations.house_rules import leaves
from processes.organization.models import Department, Employee


@dataclass(frozen=True)
class Cost:
    """counted: None for a text no phone can be sent.  department: who pays; None = nobody's quota.

    rooms: the quotas of the month in which it leaves, the tightest first.  leaves_at: None = at once.
    quiet: it waits for the end of the quiet hours.
    """

    counted: Count | None
    department: Department | None
    rooms: Sequence[rules.Room]
    leaves_at: datetime | None
    quiet: bool

    @property
    def segments(self) -> int:
        return self.counted.segments if self.counted is not None else 0

    @property
    def fits(self) -> bool:
        return not self.rooms or self.rooms[0].left >= self.segments


def cost_of_sms(session: Session, actor: Actor, *, text: str, purpose: str, send_at: datetime | None) -> Cost:
    """Of a text this person would send by hand: his department pays."""
    author = session.get(Employee, actor.person_id)
    department = session.get(Department, author.department_id) if author is not None and author.department_id else None
    now = clock.now()
    wanted = send_at if send_at is not None and send_at > now else None
    leaves_at = leaves(wanted, {"purpose": purpose})
    try:
        counted = count(text.strip()) if text.strip() else None
    except BadMessage:
        counted = None
    return Cost(
        counted=counted,
        department=department,
        rooms=charging.rooms_of(session, department, rules.month_of(leaves_at or now)),
        leaves_at=leaves_at,
        quiet=leaves_at != wanted,
    )
