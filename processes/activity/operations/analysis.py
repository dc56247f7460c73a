"""What the contacts of a period say together (row 104): with whom, with what outcome, how often against the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session, joinedload

from engine.actor import Actor
from processes.activity import permissions
from processes.activity.models import Appointment, ContactRecord
from processes.activity.operations import planning
from processes.activity.operations.queues import Line
from processes.activity.rules import RESULTS, frequency
from processes.kernel.periods import Period
from processes.organization.permissions import require
from processes.party import permissions as party
from processes.party.models import Customer
from processes.party.rules import LEVELS, STAGES

BANDS = ((1, 1), (2, 3), (4, 6), (7, 10), (11, None))
"""contacts made, from and to"""


@dataclass(frozen=True)
class Pace:
    """How often customers of a level were spoken to, and how often they should be."""

    level: str
    customers: int
    contacted: int
    contacts: int
    policy_days: int
    actual_days: float | None
    """days between two contacts with one of them, reckoned over the period"""

    @property
    def share(self) -> int:
        """Per cent of what the policy asks for, a hundred at most."""
        if self.actual_days is None:
            return 0
        return min(100, round(100 * self.policy_days / self.actual_days)) if self.actual_days else 100


@dataclass(frozen=True)
class Band:
    """How many of those with so many contacts have bought."""

    least: int
    most: int | None
    customers: int
    dealt: int


@dataclass(frozen=True)
class Analysis:
    table: dict[tuple[str, str], int]
    """(stage, result of the last contact in the period) -> customers"""
    customers: int
    contacts: int
    qualified: int
    pace: list[Pace]
    bands: list[Band]


@dataclass(frozen=True)
class Asked:
    """Which customers: those spoken to in the period. stage, level: "" = any; result: None = any, "" = none noted."""

    period: Period
    stage: str = ""
    result: str | None = None
    level: str = ""


def analyse(session: Session, actor: Actor, period: Period) -> Analysis:
    """Of the customers the actor sees; the period's records (ix_contact_record_at) and the customers are read once."""
    require(actor, party.USE)
    table: dict[tuple[str, str], int] = {}
    of_level: dict[str, tuple[int, int]] = {}
    contacts = qualified = 0
    for stage, result, level, is_locked, customers, made, counting in session.execute(_spoken(actor, period)):
        table[stage, result] = table.get((stage, result), 0) + customers
        contacts, qualified = contacts + int(made), qualified + int(counting)
        if is_locked:
            there, count = of_level.get(level, (0, 0))
            of_level[level] = there + customers, count + int(made)
    held, bands = _seen(session, actor)
    pace = _pace(session, period, held, of_level)
    return Analysis(table, sum(table.values()), contacts, qualified, pace, bands)


def behind(actor: Actor, asked: Asked) -> Select[Customer, datetime, str]:
    """The customers behind a number, with the last contact in the period and its outcome; newest first."""
    require(actor, party.USE)
    return _behind(actor, asked).order_by(ContactRecord.at.desc(), Customer.id)


def drilled(
    session: Session, actor: Actor, asked: Asked, *, skip: int = 0, size: int = 30
) -> tuple[list[tuple[Customer, datetime, str]], bool]:
    """A page of those behind a number, and whether there is more."""
    rows = session.execute(behind(actor, asked).offset(skip).limit(size + 1)).all()
    return [(row[0], row[1], row[2]) for row in rows[:size]], len(rows) > size


def to_speak_to(
    session: Session, actor: Actor, asked: Asked, *, skip: int = 0, size: int = 30
) -> tuple[list[Line], bool]:
    """Those behind a number whom the actor may write about, whoever was spoken to longest ago first: a call list.

    Each with the appointment of theirs that is due first.
    """
    require(actor, permissions.WRITE)
    mine = or_(party.workable_customers(actor, "records"), Customer.owner_id.is_(None))
    wanted = _behind(actor, asked).where(Customer.state != "closed", mine)
    rows = session.execute(wanted.order_by(ContactRecord.at, Customer.id).offset(skip).limit(size + 1)).all()
    plans = (
        select(Appointment)
        .where(
            Appointment.customer_id.in_([row[0].id for row in rows]),
            Appointment.state == "open",
            permissions.visible_appointments(actor),
        )
        .options(joinedload(Appointment.contact))
        .order_by(Appointment.due_on.desc(), Appointment.id.desc())
    )
    first = {one.customer_id: one for one in session.scalars(plans)}
    lines = [Line(row[0], plan.contact if plan else None, plan) for row in rows for plan in (first.get(row[0].id),)]
    return lines[:size], len(rows) > size


def _behind(actor: Actor, asked: Asked) -> Select[Customer, datetime, str]:
    """(customer, when, outcome) behind a number: of the last contact in the period."""
    last = _last_of(actor, asked.period)
    wanted = (
        select(Customer, ContactRecord.at, ContactRecord.result)
        .select_from(last)
        .join(ContactRecord, ContactRecord.id == last.c.record_id)
        .join(Customer, Customer.id == last.c.customer_id)
    )
    if asked.stage in STAGES:
        wanted = wanted.where(Customer.stage == asked.stage)
    if asked.level in LEVELS:
        wanted = wanted.where(Customer.level == asked.level)
    if asked.result is not None and asked.result in ("", *RESULTS):
        wanted = wanted.where(ContactRecord.result == asked.result)
    return wanted


def _records(actor: Actor, period: Period) -> Select[Any]:
    return (
        select(ContactRecord.customer_id)
        .join(Customer, Customer.id == ContactRecord.customer_id)
        .where(
            period.holds(ContactRecord.at.expression),
            ContactRecord.state == "active",
            party.visible_customers(actor, "records"),
        )
    )


def _numbered(actor: Actor, period: Period) -> Any:
    """Each record of the period with its place from the customer's last one on: 1 = the last."""
    whose = ContactRecord.customer_id
    place = func.row_number().over(partition_by=whose, order_by=(ContactRecord.at.desc(), ContactRecord.id.desc()))
    return _records(actor, period).with_only_columns(
        ContactRecord.customer_id, ContactRecord.id.label("record_id"), ContactRecord.result, place.label("place"),
        func.count().over(partition_by=whose).label("made"),
        func.sum(case((ContactRecord.is_qualified, 1), else_=0)).over(partition_by=whose).label("qualified"),
    ).subquery()  # fmt: skip


def _last_of(actor: Actor, period: Period) -> Any:
    """(customer_id, record_id) of each customer's last contact in the period."""
    numbered = _numbered(actor, period)
    return select(numbered.c.customer_id, numbered.c.record_id).where(numbered.c.place == 1).subquery()


def _spoken(actor: Actor, period: Period) -> Select[Any]:
    """By stage, last outcome, level and whether locked: customers spoken to, contacts made, those that count."""
    numbered = _numbered(actor, period)
    is_locked = case((Customer.state == "locked", 1), else_=0).label("is_locked")
    keys = Customer.stage, numbered.c.result, Customer.level, is_locked
    sums = func.count(), func.sum(numbered.c.made), func.sum(numbered.c.qualified)
    spoken: Any = select(*keys, *sums).select_from(numbered).join(Customer, Customer.id == numbered.c.customer_id)
    return spoken.where(numbered.c.place == 1).group_by(*keys)  # type: ignore[no-any-return]


def _seen(session: Session, actor: Actor) -> tuple[dict[str, int], list[Band]]:
    """Not of the period alone: the locked ones by level; how many have bought after how many contacts."""
    made = Customer.contacts_made
    begins = [least for least, _most in BANDS]
    band = case(*((made >= least, least) for least in reversed(begins)), else_=0).label("band")
    keys = Customer.level, case((Customer.state == "locked", 1), else_=0), band
    dealt = func.sum(case((Customer.stage == "dealt", 1), else_=0))
    held: dict[str, int] = {}
    found = dict.fromkeys(begins, (0, 0))
    rows: Any = session.execute(
        select(*keys, func.count(), dealt).where(party.visible_customers(actor)).group_by(*keys)
    )
    for level, is_locked, least, customers, bought in rows:
        if is_locked:
            held[level] = held.get(level, 0) + customers
        if least:
            found[least] = found[least][0] + customers, found[least][1] + int(bought)
    return held, [Band(least, most, *found[least]) for least, most in BANDS]


def _pace(
    session: Session, period: Period, held: Mapping[str, int], spoken: Mapping[str, tuple[int, int]]
) -> list[Pace]:
    """Level by level, against the policy for customers of it whatever their stage."""
    known = planning.policies(session)
    found = []
    for level in LEVELS:
        contacted, contacts = spoken.get(level, (0, 0))
        customers = held.get(level, 0)
        actual = period.days * customers / contacts if contacts else None
        days = frequency(known, level, "", "").days
        found.append(Pace(level, customers, contacted, contacts, days, actual))
    return found
