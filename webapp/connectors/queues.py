"""What of a way out of the house waits or has gone wrong: counted along an index, however long the house has run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from engine import clock
from engine.i18n import Sentence, _
from engine.models import OutboxMessage

MOST = 1000
"""Where counting ends."""
LATELY = timedelta(days=30)
"""How far back a page of all ways counts what failed; each message stays in its list."""

STATES: Mapping[str, Sentence] = {"up": _("Working"), "degraded": _("Slow"), "down": _("Not reachable")}
TONES: Mapping[str, str] = {"up": "green", "degraded": "amber", "down": "red"}


@dataclass(frozen=True)
class Heap:
    """Messages of one channel in one state."""

    count: int = 0
    """up to MOST"""
    oldest: datetime | None = None
    """since when the first of them is due"""

    @property
    def is_cut(self) -> bool:
        return self.count >= MOST


Heaps = Mapping[tuple[str, str], Heap]


def heaps(session: Session, channels: Iterable[str], states: Iterable[str], since: timedelta | None = None) -> Heaps:
    """(channel, state) -> what lies there, all in one question; with `since` only what was due in so long a time."""
    parts = []
    for channel in channels:
        for state in states:
            one = select(OutboxMessage.available_at).where(
                OutboxMessage.state == state, OutboxMessage.channel == channel
            )
            if since is not None:
                one = one.where(OutboxMessage.available_at > clock.now() - since)
            few = one.order_by(OutboxMessage.available_at).limit(MOST).subquery()
            parts.append(select(literal(channel), literal(state), func.count(), func.min(few.c.available_at)))
    return {
        (channel, state): Heap(count, oldest) for channel, state, count, oldest in session.execute(union_all(*parts))
    }


def together(found: Heaps, channel: str) -> Heap:
    """A channel's messages, whatever their state."""
    mine = [heap for (of, _state), heap in found.items() if of == channel]
    dates = [heap.oldest for heap in mine if heap.oldest is not None]
    return Heap(min(MOST, sum(heap.count for heap in mine)), min(dates, default=None))
