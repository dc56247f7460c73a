"""Whose a customer is, whose it was, who wants it, and the rules by which that changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from engine.db import Base, Id, Json
from processes.kernel.columns import Stamped, append_only
from processes.organization.models import Department, Employee, Position
from processes.party.models import Customer

_OPEN = text("ended_at IS NULL")
_PENDING = text("state = 'pending'")
_TO_END = text("state = 'closed' AND NOT is_over")


class Ownership(Base):
    """A stretch of time in which a customer had this owner (锁定). It is closed once, never changed otherwise."""

    __tablename__ = "ownership"
    __table_args__ = (
        Index("uq_ownership_open", "customer_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("ix_ownership_owner", "owner_id", "ended_at"),
        Index("ix_ownership_customer", "customer_id", "started_at"),
        Index("ix_ownership_started", "started_at"),
        Index("ix_ownership_ended", "ended_at"),
        CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="ends_after_start"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """the owner's at that time, for reports"""
    started_at: Mapped[datetime]
    how: Mapped[str] = mapped_column(String(12))
    """created | applied | assigned | handed_over | by_rule | imported | undone | merged"""
    reason: Mapped[str] = mapped_column(String(300), default="")
    by_id: Mapped[int] = mapped_column(Id, default=0)
    ended_at: Mapped[datetime | None]
    ended_how: Mapped[str] = mapped_column(String(12), default="")
    """released | assigned | handed_over | unlocked | undone | merged | closed"""
    ended_reason: Mapped[str] = mapped_column(String(300), default="")
    ended_by: Mapped[int | None] = mapped_column(Id)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("handover.id"), index=True)
    """the handing over that began it"""

    customer: Mapped[Customer] = relationship()
    owner: Mapped[Employee] = relationship(foreign_keys=[owner_id])


class OwnerCounter(Base):
    """How many customers a person holds; its row is the lock that everybody who gives him one must hold."""

    __tablename__ = "owner_counter"
    __table_args__ = (CheckConstraint("used >= 0", name="not_negative"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True, autoincrement=False)
    used: Mapped[int] = mapped_column(default=0)
    """open ownerships"""


class LockLimit(Stamped, Base):
    """How many customers one person may hold (锁定上限): person before position before department before company."""

    __tablename__ = "lock_limit"
    __table_args__ = (Index("uq_lock_limit", "subject_kind", "subject_id", unique=True),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(10))
    """company | department | position | person"""
    subject_id: Mapped[int] = mapped_column(Id, default=0)
    """0 for the company"""
    most: Mapped[int]
    counts_dealt: Mapped[bool] = mapped_column(default=True)
    """whether customers who have bought count as well"""

    department: Mapped[Department | None] = relationship(
        primaryjoin=lambda: (foreign(LockLimit.subject_id) == Department.id) & (LockLimit.subject_kind == "department"),
        viewonly=True,
    )
    position: Mapped[Position | None] = relationship(
        primaryjoin=lambda: (foreign(LockLimit.subject_id) == Position.id) & (LockLimit.subject_kind == "position"),
        viewonly=True,
    )
    person: Mapped[Employee | None] = relationship(
        primaryjoin=lambda: (foreign(LockLimit.subject_id) == Employee.id) & (LockLimit.subject_kind == "person"),
        viewonly=True,
    )


class CreationPolicy(Stamped, Base):
    """Whose a new customer is (谁创建谁负责 / 默认开放), for each kind of customer."""

    __tablename__ = "creation_policy"
    __table_args__ = (UniqueConstraint("kind"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    """organization | person"""
    policy: Mapped[str] = mapped_column(String(16))
    """creator_owns | open_by_default | rule_based"""


class AssignmentRule(Stamped, Base):
    """Who gets new customers of an industry, a region, a source (分行业分地区锁定); the first that fits decides."""

    __tablename__ = "assignment_rule"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    rank: Mapped[int] = mapped_column(default=0)
    industries: Mapped[list[str]] = mapped_column(Json, default=list)
    regions: Mapped[list[str]] = mapped_column(Json, default=list)
    levels: Mapped[list[str]] = mapped_column(Json, default=list)
    sources: Mapped[list[str]] = mapped_column(Json, default=list)
    """empty = any"""
    people: Mapped[list[int]] = mapped_column(Json, default=list)
    """in turn; one = always the same"""
    turn: Mapped[int] = mapped_column(default=0)
    skips_full: Mapped[bool] = mapped_column(default=True)
    """passes over those at their limit"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    def __str__(self) -> str:
        return self.name


@append_only
class AssignmentLog(Base):
    """What the rules made of a new customer."""

    __tablename__ = "assignment_log"
    __table_args__ = (Index("ix_assignment_log_customer", "customer_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("assignment_rule.id"))
    """null = none fitted"""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    outcome: Mapped[str] = mapped_column(String(12))
    """assigned | all_full | no_rule"""
    at: Mapped[datetime]


class LockRequest(Stamped, Base):
    """The wish to have a customer from the pool (申请锁定), decided by its process."""

    __tablename__ = "lock_request"
    __table_args__ = (
        Index(
            "uq_lock_request_pending",
            "customer_id",
            "applicant_id",
            unique=True,
            postgresql_where=_PENDING,
            sqlite_where=_PENDING,
        ),
        Index("ix_lock_request_applicant", "applicant_id", "created_at"),
        Index("ix_lock_request_customer", "customer_id"),
        Index("ix_lock_request_instance", "instance_id"),
        Index("ix_lock_request_to_end", "id", postgresql_where=_TO_END, sqlite_where=_TO_END),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    applicant_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    instance_id: Mapped[int] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(10), default="pending")
    """pending | approved | rejected | closed (somebody else was faster, or it is no longer open) | withdrawn"""
    closing: Mapped[str] = mapped_column(String(300), default="")
    """why it was closed or rejected"""
    decided_at: Mapped[datetime | None]
    is_over: Mapped[bool] = mapped_column(default=False)
    """of a closed one: its process has been told, and has ended"""

    customer: Mapped[Customer] = relationship()
    applicant: Mapped[Employee] = relationship(foreign_keys=[applicant_id])


class Handover(Base):
    """Customers given to somebody in one act (分配、移交), so that it can be looked at and taken back."""

    __tablename__ = "handover"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    """assigned | handed_over"""
    to_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    reason: Mapped[str] = mapped_column(String(300), default="")
    count: Mapped[int] = mapped_column(default=0)
    moved: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """{what: [ids]}: appointments, tasks … that went along, and who had them"""
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(Id)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(Id)


class UnlockRule(Stamped, Base):
    """When a customer goes back to the pool by itself (自动解锁)."""

    __tablename__ = "unlock_rule"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(12))
    """no_contact (久未跟踪) | no_deal (久无商机)"""
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """owners of this department and below; null = everybody"""
    levels: Mapped[list[str]] = mapped_column(Json, default=list)
    industries: Mapped[list[str]] = mapped_column(Json, default=list)
    """empty = any"""
    days: Mapped[int]
    starts_on: Mapped[date]
    """nobody's days count from before that day, so a new rule sweeps nothing away at once"""
    rank: Mapped[int] = mapped_column(default=0)
    """the first rule of a kind that fits a customer is its rule"""
    state: Mapped[str] = mapped_column(String(10), default="draft")
    """draft (may be tried out) | active | archived"""

    department: Mapped[Department | None] = relationship()

    def __str__(self) -> str:
        return self.name


@append_only
class UnlockEvent(Base):
    """A warning or an unlocking by a rule: once for each customer, rule, kind and day of reckoning."""

    __tablename__ = "unlock_event"
    __table_args__ = (
        UniqueConstraint("ownership_id", "kind", "due_on", name="uq_unlock_event"),
        Index("ix_unlock_event_at", "at"),
        Index("ix_unlock_event_customer", "customer_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    ownership_id: Mapped[int] = mapped_column(ForeignKey("ownership.id"))
    kind: Mapped[str] = mapped_column(String(10))
    """warn_7 | warn_3 | warn_1 | unlocked"""
    due_on: Mapped[date]
    """the day it is, or would have been, unlocked"""
    rule: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """the rule as it was, and what it was reckoned from"""
    at: Mapped[datetime]


class Watch(Stamped, Base):
    """Somebody keeps an eye on a customer (关注) without holding it."""

    __tablename__ = "customer_watch"
    __table_args__ = (
        Index("uq_customer_watch", "person_id", "customer_id", unique=True),
        Index("ix_customer_watch_customer", "customer_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    source: Mapped[str] = mapped_column(String(10))
    """pool | superior"""
    note: Mapped[str] = mapped_column(String(300), default="")

    customer: Mapped[Customer] = relationship()


class Focus(Stamped, Base):
    """A customer of one's own list of few (我的重点)."""

    __tablename__ = "customer_focus"
    __table_args__ = (Index("uq_customer_focus", "person_id", "customer_id", unique=True),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    note: Mapped[str] = mapped_column(String(300), default="")
    until: Mapped[date | None]

    customer: Mapped[Customer] = relationship()


class Share(Stamped, Base):
    """A customer lent to a colleague or a department (共享)."""

    __tablename__ = "customer_share"
    __table_args__ = (
        Index("ix_customer_share_customer", "customer_id"),
        Index("ix_customer_share_person", "person_id"),
        Index("ix_customer_share_department", "department_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """one of the two"""
    level: Mapped[str] = mapped_column(String(6), default="read")
    """read | work"""
    parts: Mapped[list[str]] = mapped_column(Json, default=list)
    """what goes along: contacts, records, opportunities"""
    until: Mapped[date | None]
    ended_at: Mapped[datetime | None]

    customer: Mapped[Customer] = relationship()
    person: Mapped[Employee | None] = relationship(foreign_keys=[person_id])
    department: Mapped[Department | None] = relationship(foreign_keys=[department_id])
