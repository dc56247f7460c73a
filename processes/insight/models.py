"""How customers stood, night by night: a row for as long as nothing changed, so it grows with the changes alone."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id

_OPEN = text("until IS NULL")


class CustomerDay(Base):
    """A day on which every customer was looked at; days on which nobody looked are missing."""

    __tablename__ = "customer_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    """when the look was done"""


class CustomerStanding(Base):
    """A customer stood like this when it was looked at on the day `since` and until before the day `until`."""

    __tablename__ = "customer_standing"
    __table_args__ = (
        Index("uq_customer_standing_open", "customer_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("ix_customer_standing_customer", "customer_id", "since"),
        Index("ix_customer_standing_until", "until", "since"),
        CheckConstraint("until IS NULL OR until >= since", name="ends_after_start"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    since: Mapped[date]
    until: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(10))
    """open | locked | closed"""
    stage: Mapped[str] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(String(1))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """of its owner; of an open one, whose pool it lay in"""
