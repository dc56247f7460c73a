"""What a department may send in a month, and the ledger of what was charged to whom."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id
from processes.kernel.columns import Stamped, append_only
from processes.organization.models import Department

LONGEST_PATH = 400


class SmsQuota(Stamped, Base):
    """How many segments a department and all below it may send in one month (短信限额)."""

    __tablename__ = "sms_quota"
    __table_args__ = (
        UniqueConstraint("department_id", "month"),
        CheckConstraint("segments >= 0", name="segments_not_negative"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    month: Mapped[date]
    """its first day"""
    segments: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    """the sum of its part of the ledger, kept beside it so that one row lock decides who gets the last segment; moved
    in the transaction that writes the entries, checked every night"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived (only counted)"""

    department: Mapped[Department] = relationship()

    @property
    def left(self) -> int:
        return self.segments - self.used

    @property
    def use(self) -> dict[str, int]:
        """How the quota divides, for its bar."""
        return {"spent": self.used, "left": max(self.left, 0)}

    @property
    def period(self) -> str:
        return f"{self.month:%Y-%m}"

    def __str__(self) -> str:
        return f"{self.department} {self.period}"


@append_only
class SmsCharge(Base):
    """One movement of the ledger: segments charged for a message or a campaign, or given back."""

    __tablename__ = "sms_charge"
    __table_args__ = (
        CheckConstraint("segments > 0", name="segments_positive"),
        Index("ix_sms_charge_subject", "subject"),
        Index("ix_sms_charge_month", "month", "department_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subject: Mapped[str] = mapped_column(String(40))
    """message:<outbox id> | campaign:<id> (kept while its approval is asked for)"""
    kind: Mapped[str] = mapped_column(String(8))
    """charge | refund"""
    segments: Mapped[int]
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    """who pays"""
    path: Mapped[str] = mapped_column(String(LONGEST_PATH))
    """where that department stood then: every quota on this path carries it, and a refund goes back to the same ones"""
    month: Mapped[date]
    key: Mapped[str] = mapped_column(String(60), unique=True)
    """subject and how many movements it has had before: what is done twice is done once"""
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)
