"""What the contacts of a period say together (row 104): with whom, with what outcome, how often against the policy."""

from __future__ import annotations

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
    """Of the customers the actor sees; the period is read by ix_contact_record_at."""
    require(actor, party.USE)
    last = _last_of(actor, period)
    counted = session.execute(
        select(Customer.stage, ContactRecord.result, func.count())
        .select_from(last)
        .join(ContactRecord, ContactRecord.id == last.c.record_id)
        .join(Customer, Customer.id == last.c.customer_id)
        .group_by(Customer.stage, ContactRecord.result)
    )
    table = {(row[0], row[1]): row[2] for row in counted}
    of_period = _records(actor, period).with_only_columns(
        func.count(), func.coalesce(func.sum(case((ContactRecord.is_qualified, 1), else_=0)), 0)
    )
    contacts, qualified = session.execute(of_period).one()
    pace = _pace(session, actor, period)
    return Analysis(table, sum(table.values()), contacts, qualified, pace, _bands(session, actor))


def drilled(
    session: Session, actor: Actor, asked: Asked, *, skip: int = 0, size: int = 30
) -> tuple[list[tuple[Customer, datetime, str]], bool]:
    """The customers behind a number, with the last contact in the period and its outcome; newest first."""
    require(actor, party.USE)
    wanted = _behind(actor, asked).order_by(ContactRecord.at.desc(), Customer.id)
    rows = session.execute(wanted.offset(skip).limit(size + 1)).all()
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


def _last_of(actor: Actor, period: Period) -> Any:
    """(customer_id, record_id) of each customer's last contact in the period."""
    place = func.row_number().over(
        partition_by=ContactRecord.customer_id, order_by=(ContactRecord.at.desc(), ContactRecord.id.desc())
    )
    numbered = (
        _records(actor, period)
        .with_only_columns(ContactRecord.customer_id, ContactRecord.id.label("record_id"), place.label("place"))
        .subquery()
    )
    return select(numbered.c.customer_id, numbered.c.record_id).where(numbered.c.place == 1).subquery()


def _pace(session: Session, actor: Actor, period: Period) -> list[Pace]:
    """Level by level, against the policy for customers of it whatever their stage."""
    owned = select(Customer.level, func.count()).where(Customer.state == "locked", party.visible_customers(actor))
    held = {row[0]: row[1] for row in session.execute(owned.group_by(Customer.level))}
    spoken = _records(actor, period).where(Customer.state == "locked").with_only_columns(
        Customer.level, func.count(func.distinct(ContactRecord.customer_id)), func.count()
    )  # fmt: skip
    made = {row[0]: (row[1], row[2]) for row in session.execute(spoken.group_by(Customer.level))}
    known = planning.policies(session)
    found = []
    for level in LEVELS:
        contacted, contacts = made.get(level, (0, 0))
        customers = held.get(level, 0)
        actual = period.days * customers / contacts if contacts else None
        days = frequency(known, level, "", "").days
        found.append(Pace(level, customers, contacted, contacts, days, actual))
    return found


def _bands(session: Session, actor: Actor) -> list[Band]:
    """Bought after how many contacts: of all customers seen, not of the period alone."""
    found = []
    sums = []
    for least, most in BANDS:
        inside = Customer.contacts_made >= least
        if most is not None:
            inside &= Customer.contacts_made <= most
        sums += [_count(inside), _count(inside & (Customer.stage == "dealt"))]
    row = session.execute(select(*sums).where(Customer.contacts_made > 0, party.visible_customers(actor))).one()
    for place, (least, most) in enumerate(BANDS):
        found.append(Band(least, most, row[2 * place], row[2 * place + 1]))
    return found


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
