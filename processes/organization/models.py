"""Who works here and where they stand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json
from processes.kernel.columns import Stamped

LOGIN = Table("ab_user", Base.metadata, Column("id", Integer, primary_key=True))
"""A stub of Flask-AppBuilder's table of logins: it carries the foreign key, migrations leave it alone."""

_FAB = MetaData()
ROLE = Table("ab_role", _FAB, Column("id", Integer, primary_key=True), Column("name", String(64)))
LOGIN_ROLE = Table("ab_user_role", _FAB, Column("user_id", Integer), Column("role_id", Integer))
"""Roles as Flask-AppBuilder keeps them: only read here, to know who is in a pool."""


class Department(Stamped, Base):
    """A department (部门) in the tree. `path` holds the ids from the root down ("/1/4/"), so a subtree is a prefix."""

    __tablename__ = "department"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    code: Mapped[str | None] = mapped_column(String(20), unique=True)
    """what stands for it in the numbers of its documents (代字)"""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    path: Mapped[str] = mapped_column(String(400), default="", index=True)
    head_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id", use_alter=True), index=True)
    """who leads it (负责人)"""
    rank: Mapped[int] = mapped_column(default=0)
    """order among its siblings"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    parent: Mapped[Department | None] = relationship(remote_side="Department.id")
    head: Mapped[Employee | None] = relationship(foreign_keys=[head_id], post_update=True)

    def __str__(self) -> str:
        return self.name


class Position(Stamped, Base):
    """A post (岗位) that diagrams name by its code: position(finance)."""

    __tablename__ = "position"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    def __str__(self) -> str:
        return self.name


class EmployeePosition(Base):
    """Who holds which position."""

    __tablename__ = "employee_position"

    employee_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True)
    position_id: Mapped[int] = mapped_column(ForeignKey("position.id"), primary_key=True, index=True)


class Employee(Stamped, Base):
    """A person of the company; its id is the person id that the whole house uses."""

    __tablename__ = "employee"
    __table_args__ = (Index("ix_employee_department", "department_id", "state"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey(LOGIN.c.id), unique=True)
    """the login; null for those who never log in"""
    number: Mapped[str] = mapped_column(String(30), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(16))
    """E.164"""
    email: Mapped[str | None] = mapped_column(String(254))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    superior_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | left"""
    locale: Mapped[str] = mapped_column(String(10), default="zh_CN")
    takes_orphans: Mapped[bool] = mapped_column(default=False, server_default=false())
    """gets the work items for which a rule finds nobody (兜底处理人)"""
    signature: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    """sha256 of the picture of his signature (电子签章); "" = none"""

    department: Mapped[Department | None] = relationship(foreign_keys=[department_id])
    superior: Mapped[Employee | None] = relationship(remote_side="Employee.id")
    positions: Mapped[list[Position]] = relationship(secondary="employee_position", order_by=Position.name)

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    def __str__(self) -> str:
        return self.name


class ScopeGrant(Stamped, Base):
    """How far somebody sees in a part of the house (数据权限): the widest holds, one that narrows holds alone."""

    __tablename__ = "scope_grant"
    __table_args__ = (
        Index("uq_scope_grant_person", "module", "person_id", unique=True),
        Index("uq_scope_grant_position", "module", "position_id", unique=True),
        Index("uq_scope_grant_role", "module", "role", unique=True),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    module: Mapped[str] = mapped_column(String(20))
    """customer, …"""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    position_id: Mapped[int | None] = mapped_column(ForeignKey("position.id"))
    role: Mapped[str | None] = mapped_column(String(64))
    """to whom: exactly one of the three; a role by its name"""
    level: Mapped[str] = mapped_column(String(10))
    """own | department | below (the department and all below it) | chosen (these and all below them) | all"""
    narrows: Mapped[bool] = mapped_column(default=False)
    """of a person: sees no more than this, whatever other grants and the line of command would give"""

    person: Mapped[Employee | None] = relationship(foreign_keys=[person_id])
    position: Mapped[Position | None] = relationship(foreign_keys=[position_id])
    departments: Mapped[list[Department]] = relationship(secondary="scope_grant_department", order_by=Department.name)

    def __str__(self) -> str:
        return str(self.person or self.position or self.role or "")


class ScopeGrantDepartment(Base):
    """A department of a grant's choice."""

    __tablename__ = "scope_grant_department"

    grant_id: Mapped[int] = mapped_column(ForeignKey("scope_grant.id"), primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"), primary_key=True)


# ------------------------------------------------------------------------------------------------- when people work


class OfficeHours(Stamped, Base):
    """When the company works on one weekday; a weekday without a row keeps the house's own hours."""

    __tablename__ = "office_hours"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    weekday: Mapped[str] = mapped_column(String(1), unique=True)
    """ "1" = Monday to "7" = Sunday (ISO 8601)"""
    hours: Mapped[str] = mapped_column(String(100), default="")
    """ "09:00-12:00, 13:00-18:00"; "" = nobody works"""

    def __str__(self) -> str:
        return self.hours or "—"


class CalendarDay(Stamped, Base):
    """A day that is not what its weekday and the statutory calendar make of it."""

    __tablename__ = "calendar_day"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    """holiday | working | short"""
    name: Mapped[str] = mapped_column(String(100), default="")
    hours: Mapped[str] = mapped_column(String(100), default="")
    """of a short day; of a working day "" = the usual ones"""
    source: Mapped[str] = mapped_column(String(12), default="company")
    """company | announcement: entered by hand, or imported with a year's announcement"""

    def __str__(self) -> str:
        return f"{self.day} {self.name}".strip()


class CalendarHead(Base):
    """The one row that says which calendar is the present one, so that every process sees a change at once."""

    __tablename__ = "calendar_head"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    revision: Mapped[str] = mapped_column(String(32))
    """drawn anew with each change: a number counted up would be given twice after a rollback"""
    changed_at: Mapped[datetime]


class DueShift(Base):
    """The wish to reckon open due dates again by the changed calendar; a job works it off, instance by instance."""

    __tablename__ = "due_shift"
    __table_args__ = (Index("ix_due_shift_done", "done_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[int] = mapped_column(Id)
    asked_by_name: Mapped[str] = mapped_column(String(100))
    reached: Mapped[int] = mapped_column(Id, default=0)
    """the last instance that is done; a job that dies goes on behind it"""
    moved: Mapped[int] = mapped_column(default=0)
    """how many due dates and timers are others now"""
    failed: Mapped[list[Any]] = mapped_column(Json, default=list)
    """instances whose dates could not be reckoned"""
    done_at: Mapped[datetime | None]
