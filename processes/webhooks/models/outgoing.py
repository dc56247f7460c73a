"""Who wants to be told what, and under which secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id
from processes.kernel.columns import Stamped


class Webhook(Stamped, Base):
    """An address that is told of events. What it was told lies in the outbox, channel "webhook"."""

    __tablename__ = "webhook"
    __table_args__ = (Index("ix_webhook_state", "state"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(1000))
    events: Mapped[list[Any]] = mapped_column(default=list)
    """names of event types"""
    with_form: Mapped[bool] = mapped_column(default=False, server_default=false())
    """say what the request's form holds, as far as the owner may read it"""
    owner_id: Mapped[int] = mapped_column(Id)
    """with whose rights it listens"""
    state: Mapped[str] = mapped_column(String(10), default="on")
    """on | off"""
    off_reason: Mapped[str] = mapped_column(String(20), default="", server_default=text("''"))
    """why it is off: person | gone (the peer answered 410) | owner_left"""
    secret: Mapped[str] = mapped_column(String(100))
    old_secret: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    old_until: Mapped[datetime | None]
    """until then messages bear the signature of the old secret, too"""

    def __str__(self) -> str:
        return self.name
