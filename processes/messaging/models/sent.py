"""Messages as people read them: a window on the engine's outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, column_property

from engine.db import Base
from engine.models import OutboxMessage

_payload = OutboxMessage.payload

CHANNELS = ("sms", "mail")

LONGEST_NAME = 80
"""Where a message stands as one line among others: in the search, in links."""


class SentMessage(Base):
    """An SMS or mail on its way or gone; read only, the outbox alone changes it."""

    __table__ = OutboxMessage.__table__

    id: Mapped[int]
    channel: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[int]
    sent_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    lapses_at: Mapped[datetime | None]
    attempts: Mapped[int]
    last_error: Mapped[str]
    instance_id: Mapped[int | None]
    record_type: Mapped[str | None]
    record_id: Mapped[int | None]

    recipient: Mapped[str] = column_property(_payload["recipient"].as_string())
    subject: Mapped[str | None] = column_property(_payload["subject"].as_string())
    text: Mapped[str] = column_property(_payload["text"].as_string())

    def __str__(self) -> str:
        words = " ".join((self.subject or self.text or "").split())
        return words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1]}…"
