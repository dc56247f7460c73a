"""What came in by SMS: the parts as the road brought them, and the whole messages people read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


class SmsReceived(Base):
    """A message somebody has sent us, whole or with its gaps marked."""

    __tablename__ = "sms_received"
    __table_args__ = (
        UniqueConstraint("road", "external_id"),
        Index("ix_sms_received_sender", "sender", "id"),
        Index("ix_sms_received_answers", "answers_id"),
        Index("ix_sms_received_kind", "kind", "received_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    road: Mapped[str] = mapped_column(String(200))
    external_id: Mapped[str] = mapped_column(String(128))
    """tells it from every other of its road: the same again is the same message"""
    sender: Mapped[str] = mapped_column(String(40))
    """E.164 where it is a telephone number, else as it came: "10086", "106…", a name"""
    text: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    missing: Mapped[list[Any]] = mapped_column(Json, default=list)
    """numbers of the parts that never came"""
    kind: Mapped[str] = mapped_column(String(12))
    """new (nobody has looked at it yet) | answer | opt_out | approval | wrong_code | unreadable"""
    answers_id: Mapped[int | None] = mapped_column(Id)
    """the newest message we had sent to this number: what it most likely answers"""

    def __str__(self) -> str:
        return " ".join(self.text.split())[:80]


class SmsReport(Base):
    """A report that came before its message was known to have left, kept until the two meet."""

    __tablename__ = "sms_report"
    __table_args__ = (Index("ix_sms_report_at", "received_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    road: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(String(40))
    ref: Mapped[int | None]
    """of a part, as a modem counts them (0-255)"""
    provider_id: Mapped[str] = mapped_column(String(100), default="")
    message_id: Mapped[str] = mapped_column(String(100), default="")
    """ours, where the provider gives it back"""
    state: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(60), default="")
    received_at: Mapped[datetime]


class SmsReference(Base):
    """What the parts of the last long message to a number shared: the next one shares another."""

    __tablename__ = "sms_reference"

    road: Mapped[str] = mapped_column(String(200), primary_key=True)
    number: Mapped[str] = mapped_column(String(40), primary_key=True)
    last: Mapped[int]


class SmsPart(Base):
    """One received part, kept before the modem forgets it; of a long message until all of it is there."""

    __tablename__ = "sms_part"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index("ix_sms_part_waiting", "message_id", "sender", "ref", "total", "width"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    road: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    """of the PDU, which carries sender, text and the second the network took it: the same again is a repeat"""
    pdu: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(String(40))
    ref: Mapped[int]
    total: Mapped[int] = mapped_column(SmallInteger)
    width: Mapped[int] = mapped_column(SmallInteger)
    position: Mapped[int] = mapped_column(SmallInteger)
    received_at: Mapped[datetime]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("sms_received.id"))
    """null = the rest of it is waited for"""
