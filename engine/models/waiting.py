"""What tokens wait for: moments, messages, repairs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


class Timer(Base):
    """A moment some token waits for."""

    __tablename__ = "timer"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"),
        Index("ix_timer_due_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(String(120))
    due_at: Mapped[datetime]
    catch_up: Mapped[str] = mapped_column(String(6), default="once")
    """once | all | skip: what a late repeating timer does"""
    parked_until: Mapped[datetime | None]
    """its true moment while the instance is suspended: `due_at` is then out of every poll's reach"""


class StartTimer(Base):
    """A moment at which a process starts by itself: the timer start event of the version that new starts take."""

    __tablename__ = "start_timer"
    __table_args__ = (UniqueConstraint("definition_id", "node"), Index("ix_start_timer_due_at", "due_at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    node: Mapped[str] = mapped_column(String(120))
    due_at: Mapped[datetime]
    repeats: Mapped[int] = mapped_column(Integer, default=0)
    """how often it comes again after this; -1 for ever"""
    every: Mapped[str] = mapped_column(String(40), default="")


class MessageWait(Base):
    """A token that waits for a message or a signal from outside its instance."""

    __tablename__ = "message_wait"
    __table_args__ = (
        UniqueConstraint("instance_id", "token", "name"),
        Index("ix_message_wait_name_key", "kind", "name", "business_key"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(8))
    """message | signal"""
    name: Mapped[str] = mapped_column(String(120))
    business_key: Mapped[str | None] = mapped_column(String(120))


class Message(Base):
    """A message that arrived: matched to a token, or kept until someone waits for it or it expires."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("name", "business_key", "message_id"),
        Index("ix_message_state", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), default="message")
    """message (one receiver) | signal (everybody who waits now)"""
    name: Mapped[str] = mapped_column(String(120))
    business_key: Mapped[str] = mapped_column(String(120), default="")
    message_id: Mapped[str] = mapped_column(String(120))
    variables: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    """waiting | matched | expired"""
    instance_id: Mapped[int | None] = mapped_column(Id)
    received_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Incident(Base):
    """A node that failed for a reason the diagram does not foresee; the rest of the instance lives on."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"),
        Index("ix_incident_state", "state", "retry_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(String(120))
    cause: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[str] = mapped_column(String(10), default="open")
    """open (a person must look) | retrying (at retry_at) | resolved"""
    retry_at: Mapped[datetime | None]
    raised_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(Id)
