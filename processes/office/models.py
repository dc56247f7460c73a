"""Leave requests (请假): who is away when, and whether somebody has agreed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id
from processes.kernel.columns import Stamped
from processes.organization.models import Department, Employee


class LeaveRequest(Stamped, Base):
    """Days off, from one half day to another."""

    __tablename__ = "leave_request"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="first_before_last"),
        Index("ix_leave_request_starter", "starter_id", "last_day"),
        Index("ix_leave_request_department", "department_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str | None] = mapped_column(String(20), unique=True)
    """LV-000017; null only until the row has its id"""
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), unique=True)
    starter_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    kind: Mapped[str] = mapped_column(String(12))
    """annual | personal | sick | time_off | marriage | parental | bereavement"""
    reason: Mapped[str] = mapped_column(String(200), default="")
    first_day: Mapped[date]
    last_day: Mapped[date]
    from_noon: Mapped[bool] = mapped_column(default=False, server_default=false())
    until_noon: Mapped[bool] = mapped_column(default=False, server_default=false())
    half_days: Mapped[int]
    """working time of it by the calendar of the day it was filed, in half days"""
    state: Mapped[str] = mapped_column(String(12))
    """in_approval | approved | rejected | withdrawn"""

    starter: Mapped[Employee] = relationship()
    department: Mapped[Department | None] = relationship()

    @property
    def days(self) -> Decimal:
        return Decimal(self.half_days) / 2

    def __str__(self) -> str:
        return f"{self.number} {self.starter}"
