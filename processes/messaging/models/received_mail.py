"""Mails that came in, and how far each mailbox has been read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id

LONGEST_BOX = 200
LONGEST_ID = 255
LONGEST_ADDRESS = 254
LONGEST_PERSON = 200


class ReceivedMail(Base):
    """A mail as it came, its bytes among the attachments; what it answers and what was done about it."""

    __tablename__ = "mail_received"
    __table_args__ = (
        UniqueConstraint("fingerprint"),
        Index("ix_mail_received_new", "state", "next_at"),
        Index("ix_mail_received_instance", "instance_id"),
        Index("ix_mail_received_outbox", "outbox_id"),
        Index("ix_mail_received_record", "record_type", "record_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """of Message-ID and body: the same mail again, by another way or after the mailbox was made anew, is the same"""
    box: Mapped[str] = mapped_column(String(LONGEST_BOX))
    uid_validity: Mapped[int] = mapped_column(Id)
    uid: Mapped[int] = mapped_column(Id)
    size: Mapped[int] = mapped_column(Id)
    whole: Mapped[bool] = mapped_column(default=True)
    """False: too large, only its header was taken"""
    raw_id: Mapped[int | None] = mapped_column(Id)
    """the attachment that holds its bytes"""

    message_id: Mapped[str] = mapped_column(String(LONGEST_ID), default="")
    references: Mapped[list[Any]] = mapped_column(default=list)
    """Message-IDs of the thread, for an answer to this one"""
    sender: Mapped[str] = mapped_column(String(LONGEST_ADDRESS), default="")
    sender_name: Mapped[str] = mapped_column(String(LONGEST_PERSON), default="")
    recipients: Mapped[list[Any]] = mapped_column(default=list)
    subject: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    has_html: Mapped[bool] = mapped_column(default=False)
    sent_at: Mapped[datetime | None]
    """as its sender's clock said"""
    received_at: Mapped[datetime]

    kind: Mapped[str] = mapped_column(String(10), default="letter")
    """letter | automatic | report | calendar"""
    automatic: Mapped[str] = mapped_column(String(20), default="")
    """why no person has written it"""
    state: Mapped[str] = mapped_column(String(8), default="new")
    """new | laid (to what it answers) | sorted (all are told) | failed"""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_at: Mapped[datetime]
    last_error: Mapped[str] = mapped_column(Text, default="")

    outbox_id: Mapped[int | None] = mapped_column(Id)
    """our mail that it answers or reports on"""
    answered_by: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """ids of our mails that people have written in answer"""
    from_recipient: Mapped[bool] = mapped_column(default=False)
    """its sender is somebody that mail was written to"""
    instance_id: Mapped[int | None] = mapped_column(Id)
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    refused_files: Mapped[list[Any]] = mapped_column(default=list)
    """names of attachments that were not kept: programs, and content its ending belies"""

    @property
    def can_be_answered(self) -> bool:
        """A mail server's report has no reader, and what names no sender no address."""
        return self.kind != "report" and self.automatic != "null_sender" and "@" in self.sender

    def __str__(self) -> str:
        return " ".join(self.subject.split()) or self.sender


class MailboxCursor(Base):
    """How far a mailbox has been read."""

    __tablename__ = "mailbox_cursor"

    box: Mapped[str] = mapped_column(String(LONGEST_BOX), primary_key=True)
    uid_validity: Mapped[int] = mapped_column(Id)
    uid: Mapped[int] = mapped_column(Id)
    at: Mapped[datetime]
