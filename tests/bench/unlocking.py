"""The nightly unlocking over two hundred thousand locked customers, five thousand of which go."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine, func, insert, select, text

from engine import clock
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.ownership.models import OwnerCounter, Ownership
from processes.ownership.operations import nightly, unlock_rules
from processes.party.models import Customer, Party
from tests.bench import house
from webapp import bootstrap

CUSTOMERS, GOING, OWNERS, DAYS = 200_000, 5_000, 500, 30
CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Night:
    seconds: float
    examined: int
    unlocked: int
    bare: float
    """seconds that one statement needs to find the same customers"""


def fill(customers: int = CUSTOMERS, going: int = GOING) -> None:
    """Every one locked a hundred days ago; all but some of them contacted yesterday."""
    bootstrap.join_parts()
    now = clock.now()
    long_ago, lately = now - timedelta(days=100), now - timedelta(days=1)
    every = customers // going
    with transaction() as session:
        people = [{"number": f"U{n}", "name": f"销售{n}"} for n in range(OWNERS)]
        owners = list(session.scalars(insert(Employee).returning(Employee.id), people))
        rule = unlock_rules.create_unlock_rule(
            session, SYSTEM, values={"name": "久未跟踪", "kind": "no_contact", "days": DAYS}
        )
        unlock_rules.activate(session, SYSTEM, record_id=rule.id)
        rule.starts_on = business_date(long_ago)  # as if it had been in force for long
        session.flush()
        first = (session.scalar(select(func.max(Party.id))) or 0) + 1
        for begin in range(0, customers, CHUNK):
            numbers = range(first + begin, first + min(begin + CHUNK, customers))
            names = {n: f"客户{n:07d}" for n in numbers}
            session.execute(
                insert(Party),
                [
                    {
                        "id": n,
                        "kind": "organization",
                        "name": name,
                        "name_key": name,
                        "name_core": name,
                        "name_sound": "",
                    }
                    for n, name in names.items()
                ],
            )
            session.execute(
                insert(Customer),
                [
                    {
                        "id": n,
                        "kind": "organization",
                        "name": name,
                        "state": "locked",
                        "owner_id": owners[n % OWNERS],
                        "owned_since": long_ago,
                        "last_qualified_at": None if n % every == 0 else lately,
                    }
                    for n, name in names.items()
                ],
            )
            session.execute(
                insert(Ownership),
                [
                    {"customer_id": n, "owner_id": owners[n % OWNERS], "started_at": long_ago, "how": "assigned"}
                    for n in numbers
                ],
            )
        counts = [{"person_id": owner, "used": 0} for owner in owners]
        session.execute(insert(OwnerCounter), counts)
        session.execute(
            text("UPDATE owner_counter SET used = (SELECT count(*) FROM customer WHERE owner_id = person_id)")
        )
    Sessions.remove()


def measure(engine: Engine) -> Night:
    house.settle()
    began = time.perf_counter()
    with transaction() as session:
        session.scalar(
            select(func.count())
            .select_from(Ownership)
            .join(Customer, Customer.id == Ownership.customer_id)
            .where(Ownership.ended_at.is_(None), Customer.last_qualified_at.is_(None))
        )
    bare = time.perf_counter() - began
    Sessions.remove()
    began = time.perf_counter()
    night = nightly.walk()
    return Night(time.perf_counter() - began, night.examined, night.unlocked, bare)
