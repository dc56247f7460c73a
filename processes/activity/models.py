"""Every contact with a customer, and the next one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json
from processes.kernel.columns import Stamped, append_only
from processes.organization.models import Employee
from processes.party.models import Contact, Customer

_OPEN_WITH_CONTACT = text("state = 'open' AND contact_id IS NOT NULL")
_OPEN_WITHOUT = text("state = 'open' AND contact_id IS NULL")
_CAME_OF = text("source_id IS NOT NULL")


class ContactRecord(Stamped, Base):
    """What was said and done with a customer (联系记录). Its words change by versions for a day, then never."""

    __tablename__ = "contact_record"
    __table_args__ = (
        UniqueConstraint("origin"),
        Index("ix_contact_record_customer", "customer_id", "at"),
        Index("ix_contact_record_contact", "contact_id", "at"),
        Index("ix_contact_record_person", "person_id", "at"),
        # covers what the analysis asks of a period: it reads no row of the table
        Index("ix_contact_record_at", "at", "id", "customer_id", "result", "is_qualified", "state"),
        Index("ix_contact_record_source", "source_id", "source_type", postgresql_where=_CAME_OF, sqlite_where=_CAME_OF),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    """with whom; null = the customer itself"""
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    """who of ours"""
    at: Mapped[datetime]
    way: Mapped[str] = mapped_column(String(10))
    """visit | call | message | mail | sms | meeting | other"""
    place: Mapped[str] = mapped_column(String(200), default="")
    content: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(String(12), default="")
    """reached | not_reached | interested | refused | "" """
    next_step: Mapped[str] = mapped_column(String(500), default="")
    is_qualified: Mapped[bool] = mapped_column(default=False)
    """counts against unlocking (rules.is_qualified)"""
    source_type: Mapped[str] = mapped_column(String(60), default="")
    source_id: Mapped[int | None] = mapped_column(Id)
    """the call, mail or SMS it came of"""
    origin: Mapped[str | None] = mapped_column(String(200))
    """names the wish that made it: the same again is the same record"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | void"""
    void_reason: Mapped[str] = mapped_column(String(300), default="")

    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship()
    person: Mapped[Employee] = relationship(foreign_keys=[person_id])

    @property
    def summary(self) -> str:
        """How it begins, in one line."""
        return " ".join(self.content[:200].split())[:80]

    def __str__(self) -> str:
        return self.content[:40]


@append_only
class RecordVersion(Base):
    """A contact record as it read before it was changed."""

    __tablename__ = "contact_record_version"
    __table_args__ = (UniqueConstraint("record_id", "number"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("contact_record.id"))
    number: Mapped[int]
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)


class RecordRead(Base):
    """A superior has read a contact record."""

    __tablename__ = "contact_record_read"

    record_id: Mapped[int] = mapped_column(ForeignKey("contact_record.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True)
    at: Mapped[datetime]


class Appointment(Stamped, Base):
    """The next contact with somebody (预约): of each contact at most one is open, the database says so."""

    __tablename__ = "appointment"
    __table_args__ = (
        Index(
            "uq_appointment_contact",
            "contact_id",
            unique=True,
            postgresql_where=_OPEN_WITH_CONTACT,
            sqlite_where=_OPEN_WITH_CONTACT,
        ),
        Index(
            "uq_appointment_customer",
            "customer_id",
            unique=True,
            postgresql_where=_OPEN_WITHOUT,
            sqlite_where=_OPEN_WITHOUT,
        ),
        Index("ix_appointment_person", "person_id", "state", "due_on"),
        Index("ix_appointment_customer", "customer_id", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    """null = the customer itself"""
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    """who of ours has it"""
    due_on: Mapped[date]
    at: Mapped[str] = mapped_column(String(5), default="")
    """ "14:30", when it was agreed to the minute"""
    purpose: Mapped[str] = mapped_column(String(300), default="")
    joined: Mapped[list[int]] = mapped_column(Json, default=list)
    """colleagues who go along"""
    postponed: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="open")
    """open | done | cancelled"""
    record_id: Mapped[int | None] = mapped_column(ForeignKey("contact_record.id"))
    """the contact that came of it"""
    closing: Mapped[str] = mapped_column(String(300), default="")
    """why it was cancelled"""

    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship()
    person: Mapped[Employee] = relationship(foreign_keys=[person_id])

    def __str__(self) -> str:
        return f"{self.customer.name} {self.due_on:%Y-%m-%d}"


@append_only
class AppointmentMove(Base):
    """An appointment put on another day, or given to somebody else."""

    __tablename__ = "appointment_move"
    __table_args__ = (Index("ix_appointment_move", "appointment_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"))
    from_on: Mapped[date]
    to_on: Mapped[date]
    from_person: Mapped[int] = mapped_column(Id)
    to_person: Mapped[int] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)


class FollowPolicy(Stamped, Base):
    """How often somebody is to be spoken to (跟踪频率); the most particular that fits decides."""

    __tablename__ = "follow_policy"
    __table_args__ = (Index("uq_follow_policy", "level", "stage", "role", unique=True),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    level: Mapped[str] = mapped_column(String(1), default="")
    stage: Mapped[str] = mapped_column(String(12), default="")
    role: Mapped[str] = mapped_column(String(12), default="")
    """of the contact; "" = any, in each"""
    days: Mapped[int]
    most_days: Mapped[int]
    """later than that nobody may put it"""
