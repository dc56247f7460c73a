"""Rules, their counters, and every number that was ever handed out."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id
from processes.kernel.columns import Stamped

LONGEST_TEXT = 100
"""Characters of a number as it is printed."""

_HELD = text("state = 'issued'")


class SerialRule(Stamped, Base):
    """How the numbers of one series look and when they start again (编号规则)."""

    __tablename__ = "serial_rule"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    """what diagrams and operations name it by"""
    name: Mapped[str] = mapped_column(String(100))
    pattern: Mapped[str] = mapped_column(String(100))
    """云启〔{year}〕{n}号; the places it may have are in rules.PLACES"""
    reset: Mapped[str] = mapped_column(String(8), default="yearly")
    """yearly | monthly | never: when counting starts again"""
    scope: Mapped[str] = mapped_column(String(12), default="none")
    """none (one series for all) | department (each counts for itself)"""
    mode: Mapped[str] = mapped_column(String(8), default="gap_free")
    """gap_free (taken in the issuing transaction) | fast (taken beside it: nobody waits, gaps are allowed)"""
    start: Mapped[int] = mapped_column(BigInteger, default=1)
    """the first number of every period"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    def __str__(self) -> str:
        return self.name


class SerialCounter(Base):
    """Where one series of a rule stands.

    No foreign key: a fast number is taken in a transaction that must not wait for whoever has locked the rule, and
    rules are archived, never deleted.
    """

    __tablename__ = "serial_counter"

    rule_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    """2026 | 2026-11 | "" when the rule never starts again"""
    scope: Mapped[str] = mapped_column(String(20), primary_key=True)
    """the department's id | "" when all share one series"""
    start: Mapped[int] = mapped_column(BigInteger)
    next: Mapped[int] = mapped_column(BigInteger)


class SerialNumber(Stamped, Base):
    """A number that was handed out. It stays whatever becomes of it and is never handed out again."""

    __tablename__ = "serial_number"
    __table_args__ = (
        UniqueConstraint("rule_id", "period", "scope", "value"),
        UniqueConstraint("rule_id", "text"),
        Index(
            "uq_serial_number_record",
            "rule_id",
            "record_type",
            "record_id",
            unique=True,
            sqlite_where=_HELD,
            postgresql_where=_HELD,
        ),
        Index("ix_serial_number_record", "record_type", "record_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("serial_rule.id"))
    period: Mapped[str] = mapped_column(String(7))
    scope: Mapped[str] = mapped_column(String(20))
    value: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(String(LONGEST_TEXT))
    day: Mapped[date]
    """the business date it is of"""
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    state: Mapped[str] = mapped_column(String(10))
    """issued (a record holds it) | reserved (kept for one to come) | void (with its reason, for ever)"""
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(200), default="")
    """why it is reserved or void"""

    rule: Mapped[SerialRule] = relationship()

    @property
    def record(self) -> tuple[str, int] | None:
        return (self.record_type, self.record_id) if self.record_type and self.record_id is not None else None

    def __str__(self) -> str:
        return self.text
