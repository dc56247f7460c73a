"""What leaves the house, and who holds the duty to bring it there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


class OutboxMessage(Base):
    """An effect outside: written with the change that causes it, delivered after the commit, under a lease."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_outbox_ready", "state", "channel", "available_at"),
        Index("ix_outbox_instance", "instance_id"),
        Index("ix_outbox_record", "record_type", "record_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    """sms | mail | …: which connector handler delivers it"""
    key: Mapped[str] = mapped_column(String(200))
    """natural key, e.g. "sms:expense_approved:instance:17:13800138000": do twice = do once"""
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    """queued | sending | sent | delivered | failed | unknown | cancelled"""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    available_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """when it was asked to leave at the earliest, whatever the attempts have made of `available_at`; null = at once"""
    lapses_at: Mapped[datetime | None]
    """when it is too late to leave at all; null = never"""
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(Integer, default=0)
    """raised by each lease; a result that carries an older one is refused"""
    attempt_started_at: Mapped[datetime | None]
    """committed before the wire is touched; a lease that expires after it means: unknown"""
    sent_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    last_error: Mapped[str] = mapped_column(Text, default="")
    instance_id: Mapped[int | None] = mapped_column(Id)
    token: Mapped[int | None] = mapped_column(Integer)
    """set when a token waits for the result (a connector task)"""
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(Id, default=0)


class OutboxAttempt(Base):
    """What one attempt to send a message came to; append-only."""

    __tablename__ = "outbox_attempt"
    __table_args__ = (
        Index("ix_outbox_attempt_message", "message_id"),
        Index("ix_outbox_attempt_channel", "channel", "at"),
        Index(
            "ix_outbox_attempt_trouble",
            "channel",
            "id",
            postgresql_where=text("outcome <> 'accepted'"),
            sqlite_where=text("outcome <> 'accepted'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("outbox.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    """when its result was kept"""
    channel: Mapped[str] = mapped_column(String(40))
    number: Mapped[int] = mapped_column(Integer)
    """counted from 1 since the message was last queued by a person"""
    outcome: Mapped[str] = mapped_column(String(10))
    """accepted | rejected | deferred | unknown"""
    milliseconds: Mapped[int] = mapped_column(Integer)
    road: Mapped[str] = mapped_column(String(200), default="")
    error: Mapped[str] = mapped_column(String(500), default="")


class PushEvent(Base):
    """A hint for a browser, written inside the business transaction; purged after an hour."""

    __tablename__ = "push_event"
    __table_args__ = (Index("ix_push_event_at", "at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    principal: Mapped[int] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]


class Lease(Base):
    """Who holds a single-holder duty (a device, the timer poll) and until when."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]
    fence: Mapped[int] = mapped_column(Integer, default=1)


class IdempotencyKey(Base):
    """The remembered answer to a POST, so that a repeat gives the same answer and does nothing."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_at", "at"),)

    person_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]
