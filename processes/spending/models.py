"""Expense requests with their lines; budgets with the ledger of what was reserved, released and spent of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    ScalarSelect,
    String,
    UniqueConstraint,
    case,
    false,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from engine.db import Base, Id
from processes.kernel.columns import MoneyAmount, Stamped, append_only
from processes.kernel.money import Money
from processes.numbering.models import LONGEST_TEXT
from processes.organization.models import Department, Employee


class ExpenseCategory(Stamped, Base):
    """What money is spent on (费用类别)."""

    __tablename__ = "expense_category"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    def __str__(self) -> str:
        return self.name


@append_only
class BudgetEntry(Base):
    """One movement of a budget. `key` is natural, so that a movement made twice is made once."""

    __tablename__ = "budget_entry"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_budget_entry_budget", "budget_id", "kind"),
        Index("ix_budget_entry_request", "request_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    budget_id: Mapped[int] = mapped_column(ForeignKey("budget.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("expense_request.id"))
    kind: Mapped[str] = mapped_column(String(8))
    """reserve | release (what is not needed after all) | consume (reserved money is spent)"""
    amount: Mapped[Decimal] = mapped_column(MoneyAmount)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)


_RESERVED = case((BudgetEntry.kind == "reserve", BudgetEntry.amount), else_=-BudgetEntry.amount)
_SPENT = case((BudgetEntry.kind == "consume", BudgetEntry.amount), else_=Decimal(0))


def _moved(movement: ColumnElement[Decimal], budget_id: Mapped[int]) -> ScalarSelect[Decimal]:
    """Reckoned from the ledger whenever it is asked for, never kept beside it: no second truth can go stale."""
    return (
        select(func.coalesce(func.sum(movement), Decimal(0), type_=MoneyAmount()))
        .where(BudgetEntry.budget_id == budget_id)
        .correlate_except(BudgetEntry)
        .scalar_subquery()
    )


class Budget(Stamped, Base):
    """What a department may spend on a category in a period [starts_on, ends_on)."""

    __tablename__ = "budget"
    __table_args__ = (
        UniqueConstraint("department_id", "category_id", "period_kind", "starts_on"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    category_id: Mapped[int] = mapped_column(ForeignKey("expense_category.id"), index=True)
    period_kind: Mapped[str] = mapped_column(String(8))
    """month | quarter | year"""
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(MoneyAmount)
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    policy: Mapped[str] = mapped_column(String(8), default="stop")
    """stop (nothing beyond it) | warn (beyond it, but seen) | ignore (only counted)"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    department: Mapped[Department] = relationship()
    category: Mapped[ExpenseCategory] = relationship()

    reserved: Mapped[Decimal] = column_property(_moved(_RESERVED, id))  # noqa: A003 - the column above
    spent: Mapped[Decimal] = column_property(_moved(_SPENT, id))  # noqa: A003 - the column above
    left: Mapped[Decimal] = column_property(
        type_coerce(amount - _moved(_RESERVED, id) - _moved(_SPENT, id), MoneyAmount())  # noqa: A003 - the column above
    )

    @property
    def use(self) -> dict[str, Decimal]:
        """How the budget divides, for its bar."""
        return {"spent": self.spent, "reserved": self.reserved, "left": self.left}

    def __str__(self) -> str:
        return f"{self.department} / {self.category} / {self.period}"

    @property
    def period(self) -> str:
        """2026, 2026 Q4 or 2026-11."""
        match self.period_kind:
            case "year":
                return f"{self.starts_on.year}"
            case "quarter":
                return f"{self.starts_on.year} Q{self.starts_on.month // 3 + 1}"
            case _:
                return f"{self.starts_on:%Y-%m}"


class ExpenseRequest(Stamped, Base):
    """A wish to spend money, decided before it is spent (费用申请)."""

    __tablename__ = "expense_request"
    __table_args__ = (
        Index("ix_expense_request_starter", "starter_id", "id"),
        Index("ix_expense_request_department", "department_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str | None] = mapped_column(String(LONGEST_TEXT), unique=True)
    """EXP-000017, or as the house's numbering rule has it; null only until the row has its id"""
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    """in_approval | approved | rejected | withdrawn | closed (nothing more will be spent)"""
    amount: Mapped[Decimal] = mapped_column(MoneyAmount)
    currency: Mapped[str] = mapped_column(String(3))
    starter_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    filed_on: Mapped[date]
    """business date of the latest submission; decides the budget period"""
    over_budget: Mapped[bool] = mapped_column(default=False, server_default=false())
    """approved although a budget that only warns was exceeded"""

    starter: Mapped[Employee] = relationship()
    department: Mapped[Department | None] = relationship()
    lines: Mapped[list[ExpenseLine]] = relationship(
        order_by="ExpenseLine.position", cascade="all, delete-orphan", back_populates="request"
    )

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class ExpenseLine(Base):
    """One purpose within a request."""

    __tablename__ = "expense_line"
    __table_args__ = (UniqueConstraint("request_id", "position"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("expense_request.id"))
    position: Mapped[int]
    category_id: Mapped[int] = mapped_column(ForeignKey("expense_category.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyAmount)
    purpose: Mapped[str] = mapped_column(String(200), default="")

    request: Mapped[ExpenseRequest] = relationship(back_populates="lines")
    category: Mapped[ExpenseCategory] = relationship()
