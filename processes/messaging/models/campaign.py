"""Texts to many (群发): one campaign, a row for each recipient, whether it is sent to or left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json
from engine.i18n import Sentence, _
from processes.kernel.columns import Stamped
from processes.organization.models import Department, Employee

CAMPAIGN_STATES: Mapping[str, Sentence] = MappingProxyType(
    {
        "draft": _("Draft"),
        "in_approval": _("In approval"),
        "rejected": _("Rejected"),
        "sent": _("Sent off"),
        "cancelled": _("Cancelled"),
    }
)


class SmsCampaign(Stamped, Base):
    """One text to many people, written, looked over, perhaps approved, sent off once."""

    __tablename__ = "sms_campaign"
    __table_args__ = (
        UniqueConstraint("author_id", "wish"),
        UniqueConstraint("instance_id"),
        Index("ix_sms_campaign_author", "author_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """whose quota pays"""
    wish: Mapped[str] = mapped_column(String(60))
    """names the form it came from: the same form sent twice is one campaign"""
    title: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    """with places for what each is told, {name}"""
    purpose: Mapped[str] = mapped_column(String(12), default="notice")
    """notice | commercial"""
    audience: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """what was chosen: {"groups": {"organization.department": [3]}, "numbers": "as pasted"}"""
    send_at: Mapped[datetime | None]
    """not before; null = at once"""
    state: Mapped[str] = mapped_column(String(12), default="draft")
    """draft | in_approval | rejected | sent | cancelled"""
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"))
    """its approval"""
    sent_at: Mapped[datetime | None]
    """when its messages were queued"""

    author: Mapped[Employee] = relationship(foreign_keys=[author_id])
    department: Mapped[Department | None] = relationship()

    def __str__(self) -> str:
        return self.title


class SmsRecipient(Base):
    """Somebody a campaign is meant for."""

    __tablename__ = "sms_recipient"
    __table_args__ = (
        Index("ix_sms_recipient_campaign", "campaign_id", "position"),
        Index("ix_sms_recipient_message", "message_id"),
        Index(
            "uq_sms_recipient_number",
            "campaign_id",
            "number",
            unique=True,
            sqlite_where=text("left_out = ''"),
            postgresql_where=text("left_out = ''"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("sms_campaign.id"))
    position: Mapped[int]
    """order in which they were named"""
    number: Mapped[str] = mapped_column(String(40))
    """E.164; what was typed, where that is no number"""
    name: Mapped[str] = mapped_column(String(100), default="")
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """what the places of the text are filled with"""
    text: Mapped[str] = mapped_column(Text, default="")
    segments: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[str] = mapped_column(String(12), default="")
    """ "" = is sent to; else why not, a key of rules.LEFT_OUT"""
    message_id: Mapped[int | None] = mapped_column(Id)
    """the message in the outbox"""

    def __str__(self) -> str:
        return self.name or self.number
