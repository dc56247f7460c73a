"""A small business that exists only in tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, String, Text, or_, true
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from engine import db, journal
from engine.actor import Actor
from engine.catalog import Column, Manifest, Permission, Register
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.kernel.columns import MoneyAmount, Stamped, lock_for_change


class Base(DeclarativeBase):
    type_annotation_map = db.Base.type_annotation_map


class Customer(Base):
    __tablename__ = "made_up_customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))

    def __str__(self) -> str:
        return self.name


class Deal(Stamped, Base):
    __tablename__ = "made_up_deal"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    owner: Mapped[str] = mapped_column(String(50), default="")
    """visible to everybody when empty"""
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("made_up_customer.id"))
    amount: Mapped[Decimal | None] = mapped_column(MoneyAmount)
    closes_on: Mapped[date | None]
    seen_at: Mapped[datetime | None]
    won: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default="open")
    remark: Mapped[str | None] = mapped_column(Text)

    customer: Mapped[Customer | None] = relationship()

    def __str__(self) -> str:
        return self.name


class Note(Base):
    __tablename__ = "made_up_note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(50))
    deal_id: Mapped[int] = mapped_column(ForeignKey("made_up_deal.id"))

    deal: Mapped[Deal] = relationship()

    def __str__(self) -> str:
        return self.text


def everybody(_actor: Actor) -> ColumnElement[bool]:
    return true()


def own_deals(actor: Actor) -> ColumnElement[bool]:
    return or_(Deal.owner == "", Deal.owner == actor.name)


def notes_of_own_deals(actor: Actor) -> ColumnElement[bool]:
    return Note.deal.has(own_deals(actor))


def create_deal(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Deal:
    problems = []
    if not values.get("name"):
        problems.append(Problem("name", _("This is required.")))
    if values.get("name") == "forbidden":
        raise RuleViolation(_("This rule always says no."), remedy=_("Choose another name."))
    if problems:
        raise InvalidForm(problems)
    deal = Deal(**_columns(values))
    session.add(deal)
    session.flush()
    journal.audit(session, actor, "made_up.deal", deal.id, "created", None, {"name": deal.name})
    return deal


def change_deal(
    session: Session, actor: Actor, *, record_id: int, version: int | None, values: Mapping[str, Any]
) -> Deal:
    deal = lock_for_change(session, Deal, record_id, version)  # type: ignore[type-var]
    before = {"name": deal.name}
    for name, value in _columns(values).items():
        setattr(deal, name, value)
    session.flush()
    journal.audit(session, actor, "made_up.deal", deal.id, "changed", before, {"name": deal.name})
    return deal


def archive_deal(session: Session, actor: Actor, *, record_id: int) -> None:
    deal = lock_for_change(session, Deal, record_id)  # type: ignore[type-var]
    if deal.won:
        raise RuleViolation(_("A won deal stays."))
    deal.state = "archived"
    session.flush()


def create_note(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Note:
    note = Note(text=values["text"], deal_id=values["deal"])
    session.add(note)
    session.flush()
    return note


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in values.items() if name != "customer"}
    if "customer" in values:
        columns["customer_id"] = values["customer"]
    if columns.get("amount") is not None:
        columns["amount"] = Decimal(columns["amount"])
    return columns


CUSTOMERS = Register(
    name="made_up.customer",
    title=_("Customers"),
    model=Customer,
    columns=(Column("name", _("Name")),),
    scope=everybody,
    group="customer",
    order_by=("id", "asc"),
    search=("name",),
    related=("made_up.deal",),
)

DEALS = Register(
    name="made_up.deal",
    title=_("Deals"),
    model=Deal,
    columns=(
        Column("name", _("Name")),
        Column("customer", _("Customer"), kind="reference"),
        Column("amount", _("Amount"), kind="money"),
        Column("closes_on", _("Closes on"), kind="date"),
        Column("seen_at", _("Seen"), kind="datetime"),
        Column("won", _("Won"), kind="bool"),
        Column("state", _("State"), kind="state", choices={"open": _("Open"), "archived": _("Archived")}),
    ),
    fields=(
        Column("name", _("Name")),
        Column("customer", _("Customer"), kind="reference"),
        Column("amount", _("Amount"), kind="money"),
        Column("closes_on", _("Closes on"), kind="date"),
        Column("seen_at", _("Seen"), kind="datetime"),
        Column("won", _("Won"), kind="bool"),
        Column("remark", _("Remark")),
    ),
    scope=own_deals,
    group="sales",
    order_by=("id", "asc"),
    search=("name",),
    related=("made_up.note",),
    create=create_deal,
    change=change_deal,
    archive=archive_deal,
)

NOTES = Register(
    name="made_up.note",
    title=_("Notes"),
    model=Note,
    columns=(Column("text", _("Text")), Column("deal", _("Deal"), kind="reference")),
    fields=(Column("text", _("Text")), Column("deal", _("Deal"), kind="reference")),
    scope=notes_of_own_deals,
    group="sales",
    order_by=("id", "asc"),
    create=create_note,
)

MANIFEST = Manifest(
    title=_("Made up"),
    registers=(CUSTOMERS, DEALS, NOTES),
    permissions=(Permission("made_up.deal.manage", _("Change deals")),),
)


def records() -> list[Base]:
    """Numbered by the database in this order. Deals 1 and 3 are everybody's, 2 belongs to 王一, whom nobody here is."""
    customers = [Customer(name="华宇科技"), Customer(name="吴氏医药")]
    deals = [
        Deal(name="采购合同", customer=customers[0], amount=Decimal("1200.50")),
        Deal(name="秘密项目", owner="王一", customer=customers[0], amount=Decimal(99)),
        Deal(name="100%_续约", customer=customers[1], amount=Decimal(300), won=True),
    ]
    notes = [Note(text="第一次拜访", deal=deals[0]), Note(text="秘密便条", deal=deals[1])]
    return [*customers, *deals, *notes]
