"""Two hundred thousand customers and two million contact records: what the speed of lists is measured on.

Rows go in by COPY on PostgreSQL and executemany on SQLite, with ids of our own making. Whose a customer is and what was
said with it agree wherever they are kept twice: customer.owner_id and the open ownership, counters, last contact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, text, update
from sqlalchemy.orm import Session

from engine import clock
from engine.db import Base
from engine.errors import RuleViolation
from engine.i18n import _
from processes.activity.models import ContactRecord
from processes.organization.models import Employee
from processes.ownership.models import OwnerCounter, Ownership
from processes.party.models import Contact, ContactPoint, Customer, NameGram, Party
from processes.party.operations.parties import grams
from processes.party.rules import name_key
from webapp.demo import names
from webapp.demo.customers import party_values
from webapp.demo.removal import real_records

Progress = Callable[[int, int], None]
BATCH = 2000
SEED = 7
_WORDS = (
    "电话沟通了项目进度，对方表示下周内部评审后给出答复。",
    "拜访信息部，介绍了新一代安防方案，约定提供两套报价。",
    "客户反馈上次报价偏高，需要重新核算实施部分的人天。",
    "发送产品资料，客户转交采购部门，待回复。",
    "参加客户年度规划会议，了解到明年预算已经批准。",
)
_OWNED, _QUALIFIED = 0.65, 0.8
_WAYS = ("visit", "call", "message", "mail", "meeting")


@dataclass(frozen=True)
class Sizes:
    customers: int = 200_000
    records: int = 2_000_000


SIZES = {"load": Sizes(), "small": Sizes(2_000, 20_000)}


def check(session: Session) -> None:
    """Raises RuleViolation where records of real people are, or where it has been done already."""
    real = real_records(session)
    if real:
        raise RuleViolation(
            _("Real records are in this database: {tables}.", tables=", ".join(real)),
            remedy=_("Begin with another DATA_DIR or DATABASE_URL."),
        )
    if not session.scalar(select(exists().where(Employee.is_demo))):
        raise RuleViolation(_("There is no demo company in this database."), remedy=_("Run yunliu load-demo first."))


def fill(session: Session, size: Sizes, progress: Progress = lambda _done, _total: None) -> None:
    """Everything in one transaction: whole or not at all."""
    check(session)
    session.flush()
    connection = session.connection()
    working = select(Employee.id).where(Employee.is_demo, Employee.state == "active").order_by(Employee.id)
    owners = list(session.scalars(working))
    now = clock.now()
    numbered: tuple[Any, ...] = (Party, Contact, Ownership, ContactRecord)
    first = {model: (session.scalar(select(func.max(model.id))) or 0) + 1 for model in numbered}
    taken = frozenset(session.scalars(select(Party.name_key).where(Party.kind == "organization")))
    plan = _Plan(size, first, owners, now, taken)
    total, done = size.customers + size.records, 0
    tables: tuple[Any, ...] = (Party, Customer, ContactPoint, NameGram, Contact, Ownership, ContactRecord)
    source = plan.customers()
    while batch := list(islice(source, BATCH)):
        for model in tables:
            rows = [row for one in batch for row in one.get(model, ())]
            write(connection, model, rows)
            done += len(rows) if model in (Customer, ContactRecord) else 0
        progress(min(done, total), total)
    _count(session, connection, owners)
    _go_on_from(connection, numbered)
    session.expire_all()


def parties_only(customers: int, batch: int) -> Iterator[dict[Any, list[dict[str, Any]]]]:
    """Customers with their contacts and nobody's, for an empty database without people."""
    first: dict[Any, int] = dict.fromkeys((Party, Contact, Ownership, ContactRecord), 1)
    source = _Plan(Sizes(customers, 0), first, [], clock.now()).customers()
    while some := list(islice(source, batch)):
        yield {model: [row for one in some for row in one[model]] for model in some[0]}


class _Plan:
    """Customer by customer: all its rows, so that what must agree is made together."""

    def __init__(
        self,
        size: Sizes,
        first: dict[Any, int],
        owners: Sequence[int],
        now: datetime,
        taken: frozenset[str] = frozenset(),
    ) -> None:
        self._size, self._owners, self._now = size, owners, now
        self._taken = taken  # keys of names that are there already
        self._next = {model: iter(range(start, 10**12)) for model, start in first.items()}
        self._chance = Random(SEED)  # noqa: S311 - the same every time, no secret
        self._number = 0

    def customers(self) -> Iterator[dict[Any, list[dict[str, Any]]]]:
        persons = names.persons(SEED)
        firms = (firm for firm in names.firms(SEED) if name_key(firm[0]) not in self._taken)
        each, rest = divmod(self._size.records, self._size.customers)
        for at in range(self._size.customers):
            yield self._one(next(firms), persons, each + (at < rest))

    def _one(
        self, firm: tuple[str, str, str, str], persons: Iterator[str], records: int
    ) -> dict[Any, list[dict[str, Any]]]:
        name, industry, city, region = firm
        chance, key = self._chance, next(self._next[Party])
        born = self._now - timedelta(days=chance.randrange(30, 1500), seconds=chance.randrange(86_400))
        by = {"created_by": 0, "changed_by": 0, "is_demo": True, "version": 1}
        stamps = {"created_at": born, "changed_at": born, **by}
        rows: dict[Any, list[dict[str, Any]]] = {model: [] for model in (Party, ContactPoint, NameGram, Contact)}
        self._party(rows, key, "organization", name, stamps)
        contact_ids = []
        for place in range(chance.choice((1, 1, 2))):
            person, who = next(self._next[Party]), next(persons)
            self._party(rows, person, "person", who, stamps)
            contact_ids.append(next(self._next[Contact]))
            rows[Contact].append(
                {
                    "id": contact_ids[-1],
                    "person_id": person,
                    "name": who,
                    "organization_id": key,
                    "employer": name,
                    "employer_key": rows[Party][0]["name_key"],
                    "title": chance.choice(names.TITLES),
                    "role": "other",
                    "is_main": place == 0,
                    "state": "active",
                    "contacts_made": 0,
                    **stamps,
                }
            )
        owner = chance.choice(self._owners) if self._owners and chance.random() < _OWNED else None
        said = list(self._said(key, contact_ids, born, records))
        owned = born + timedelta(days=1) if owner else None
        customer = {
            "id": key, "kind": "organization", "name": name, "state": "locked" if owner else "open",
            "level": chance.choices("ABCD", (10, 25, 45, 20))[0],
            "stage": chance.choice(("prospect", "contacted", "interested", "dealt")),
            "industry": industry, "region": region, "city": city, "source": "import", "owner_id": owner,
            "owned_since": owned, "pool_id": None, "open_since": None if owner else born, "protected_until": None,
            "last_contact_at": max((one["at"] for one in said), default=None),
            "last_qualified_at": max((one["at"] for one in said if one["is_qualified"]), default=None),
            "contacts_made": len(said), "next_contact_on": None, **stamps,
        }  # fmt: skip
        for contact in rows[Contact]:
            with_him = [one["at"] for one in said if one["contact_id"] == contact["id"]]
            contact |= {"last_contact_at": max(with_him, default=None), "contacts_made": len(with_him)}
        return {**rows, Customer: [customer], Ownership: self._ownership(key, owner, owned), ContactRecord: said}

    def _party(
        self, rows: dict[Any, list[dict[str, Any]]], key: int, kind: str, name: str, stamps: dict[str, Any]
    ) -> None:
        words = {"address": "", "website": "", "note": "", "state": "active"}
        party = {"id": key, **party_values(kind, name), **words, **stamps}
        rows[Party].append(party)
        self._number += 1
        number = f"+8619{self._number:09d}"
        rows[ContactPoint].append({"party_id": key, "kind": "phone", "value": number, "label": "", "rank": 0})
        rows[NameGram] += [{"gram": gram, "party_id": key} for gram in sorted(grams(party["name_core"]))]

    def _said(self, key: int, contacts: Sequence[int], born: datetime, count: int) -> Iterator[dict[str, Any]]:
        chance, span = self._chance, (self._now - born).total_seconds()
        for moment in sorted(chance.random() for _each in range(count)):
            at = born + timedelta(seconds=int(span * moment))
            yield {
                "id": next(self._next[ContactRecord]), "customer_id": key, "contact_id": chance.choice(contacts),
                "person_id": chance.choice(self._owners), "at": at, "way": chance.choice(_WAYS), "place": "",
                "content": chance.choice(_WORDS), "result": "reached", "next_step": "",
                "is_qualified": chance.random() < _QUALIFIED,
                "source_type": "", "state": "active", "void_reason": "", "created_at": at, "changed_at": at,
                "created_by": 0, "changed_by": 0, "is_demo": True, "version": 1,
            }  # fmt: skip

    def _ownership(self, key: int, owner: int | None, since: datetime | None) -> list[dict[str, Any]]:
        if owner is None or since is None:
            return []
        words = {"how": "imported", "reason": "", "by_id": 0, "ended_how": "", "ended_reason": ""}
        return [
            {"id": next(self._next[Ownership]), "customer_id": key, "owner_id": owner, "started_at": since, **words}
        ]


def write(connection: Connection, model: type[Base], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(insert(model), rows)
        return
    columns = list(rows[0])
    driver: Any = connection.connection.driver_connection
    named = ", ".join(f'"{name}"' for name in columns)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{model.__tablename__}" ({named}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([row[name] for name in columns])


def _count(session: Session, connection: Connection, owners: Iterable[int]) -> None:
    """Counters as the open ownerships say."""
    open_ones = select(func.count()).where(Ownership.owner_id == OwnerCounter.person_id, Ownership.ended_at.is_(None))
    there = set(session.scalars(select(OwnerCounter.person_id)))
    missing = [{"person_id": one, "used": 0} for one in owners if one not in there]
    if missing:
        connection.execute(insert(OwnerCounter), missing)
    session.execute(
        update(OwnerCounter).values(used=open_ones.scalar_subquery()), execution_options={"synchronize_session": False}
    )


def _go_on_from(connection: Connection, models: Iterable[type[Base]]) -> None:
    """PostgreSQL's sequences go on behind the ids we gave."""
    if connection.dialect.name != "postgresql":
        return
    for model in models:
        name = model.__tablename__
        most = connection.execute(text(f'SELECT max(id) FROM "{name}"')).scalar_one()  # noqa: S608 - a table of ours
        connection.execute(select(func.setval(func.pg_get_serial_sequence(name, "id"), most)))
