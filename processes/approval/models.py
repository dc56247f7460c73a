"""What is remembered of the time an item takes, and who decides for whom (外出委托)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json
from processes.kernel.columns import MoneyAmount, Stamped
from processes.kernel.money import DEFAULT_CURRENCY, Money
from processes.organization.models import Employee


class ItemWatch(Base):
    """When an open item with a due date wants to be looked at again."""

    __tablename__ = "item_watch"
    __table_args__ = (Index("ix_item_watch_next", "next_at"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("work_item.id"), primary_key=True, autoincrement=False)
    due_at: Mapped[datetime]
    """what it was reckoned from; when the item's own is another, it is reckoned anew"""
    next_at: Mapped[datetime | None]
    """null = never: its diagram says what happens, or everything has happened"""


class ItemReminder(Base):
    """What was sent about an item because so much of its time had passed: each threshold once, whatever happens."""

    __tablename__ = "item_reminder"
    __table_args__ = (UniqueConstraint("item_id", "threshold"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("work_item.id"))
    threshold: Mapped[int] = mapped_column(SmallInteger)
    """per cent of the working time allowed: 50 | 100 | 150"""
    did: Mapped[str] = mapped_column(String(10))
    """remind | escalate | approve | reject | leader"""
    at: Mapped[datetime]
    told: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """{"channel", "to": [person id], "outbox": [message id]}: where the receipts are"""


class SmsApprovalCode(Base):
    """By which one person may decide one item in a text from one number, once."""

    __tablename__ = "sms_approval_code"
    __table_args__ = (Index("ix_sms_approval_code_number", "number", "valid_until"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("work_item.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    number: Mapped[str] = mapped_column(String(20))
    """E.164: an answer from any other is none"""
    salt: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    form_revision: Mapped[int]
    """of the request as it was when the code was sent; a changed one is not approved unseen"""
    created_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    used_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(10), default="")
    """approve | reject | refused (the item's own rules said no)"""


class Delegation(Stamped, Base):
    """One person's approvals laid into another's hands for [starts_at, ends_at)."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("starts_at <= ends_at", name="starts_before_it_ends"),
        Index("ix_delegation_delegator", "delegator_id", "state"),
        Index("ix_delegation_delegate", "delegate_id", "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), unique=True)
    delegator_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    delegate_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    scope: Mapped[str] = mapped_column(String(10))
    """all | processes (those of `process_keys`) | amount (up to `limit`)"""
    process_keys: Mapped[list[Any]] = mapped_column(Json, default=list)
    limit: Mapped[Decimal | None] = mapped_column("limit_amount", MoneyAmount)
    currency: Mapped[str] = mapped_column(String(3), default=DEFAULT_CURRENCY)
    include_waiting: Mapped[bool] = mapped_column(default=False, server_default=false())
    """at its start, what already waits goes over too"""
    state: Mapped[str] = mapped_column(String(10))
    """requested | accepted (waits for its start) | declined | active | ended | cancelled (before it began)"""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(Id)
    """who ended it before its time; 0 = its time was over"""

    delegator: Mapped[Employee] = relationship(foreign_keys=[delegator_id])
    delegate: Mapped[Employee] = relationship(foreign_keys=[delegate_id])

    @property
    def limit_money(self) -> Money | None:
        return None if self.limit is None else Money(self.limit, self.currency)

    def __str__(self) -> str:
        return f"{self.delegator} → {self.delegate}"
