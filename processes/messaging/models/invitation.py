"""Invitations to meetings, and what each guest has answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id

LONGEST_TITLE = 200
LONGEST_COMMENT = 1000


class Invitation(Base):
    """The one invitation to a record's meeting, as it was sent last."""

    __tablename__ = "mail_invitation"
    __table_args__ = (UniqueConstraint("record_type", "record_id"), UniqueConstraint("uid"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(120))
    """names the meeting in every guest's calendar, for its whole life"""
    record_type: Mapped[str] = mapped_column(String(60))
    record_id: Mapped[int] = mapped_column(Id)
    instance_id: Mapped[int | None] = mapped_column(Id)
    """the process that is told of the answers"""
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    """raised by each change that is sent"""
    since: Mapped[int] = mapped_column(Integer, default=0)
    """the sequence from which answers count: they were asked anew when time or place changed"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | cancelled"""
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    place: Mapped[str] = mapped_column(String(LONGEST_TITLE), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    sent_at: Mapped[datetime]
    guests: Mapped[list[InvitationGuest]] = relationship(order_by="InvitationGuest.id", back_populates="invitation")


class InvitationGuest(Base):
    """Somebody who was invited."""

    __tablename__ = "mail_invitation_guest"
    __table_args__ = (UniqueConstraint("invitation_id", "address"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    invitation_id: Mapped[int] = mapped_column(ForeignKey("mail_invitation.id"))
    address: Mapped[str] = mapped_column(String(254))
    """in small letters"""
    name: Mapped[str] = mapped_column(String(LONGEST_TITLE), default="")
    state: Mapped[str] = mapped_column(String(10), default="invited")
    """invited | accepted | declined | tentative | delegated | removed"""
    answered_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    invitation: Mapped[Invitation] = relationship(back_populates="guests")
