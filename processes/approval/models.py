"""What is remembered of the time an item takes: when to look at it again, and what was sent by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


class ItemWatch(Base):
    """When an open item with a due date wants to be looked at again."""

    __tablename__ = "item_watch"
    __table_args__ = (Index("ix_item_watch_next", "next_at"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("work_item.id"), primary_key=True, autoincrement=False)
    due_at: Mapped[datetime]
    """what it was reckoned from; when the item's own is another, it is reckoned anew"""
    next_at: Mapped[datetime | None]
    """null = never: its diagram says what happens, or everything has happened"""


class ItemReminder(Base):
    """What was sent about an item because so much of its time had passed: each threshold once, whatever happens."""

    __tablename__ = "item_reminder"
    __table_args__ = (UniqueConstraint("item_id", "threshold"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("work_item.id"))
    threshold: Mapped[int] = mapped_column(SmallInteger)
    """per cent of the working time allowed: 50 | 100 | 150"""
    did: Mapped[str] = mapped_column(String(10))
    """remind | escalate | approve | reject | leader"""
    at: Mapped[datetime]
    told: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """{"channel", "to": [person id], "outbox": [message id]}: where the receipts are"""
