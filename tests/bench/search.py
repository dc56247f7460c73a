"""Finding a customer among 200,000: what Ctrl-K and every picker ask, as a seller who holds fifty of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Engine, Table, insert, text

from engine import clock
from engine.actor import Actor
from engine.db import Sessions
from engine.models import SearchToken
from processes.lookup import operations as lookup, rules as words
from processes.organization.models import Employee
from processes.party import permissions, rules
from processes.party.manifest import CUSTOMERS
from processes.party.models import ContactPoint, Customer, Party
from tests.bench.lists import Timing, time_calls
from webapp.registers.lookup import matches

SIZE, HELD, BATCH = 200_000, 50, 5_000
FIRST = 50_000_000
"""ids begin here: below it lie the rows of the other figures"""
PLACES = ("上海", "北京", "深圳", "杭州", "苏州", "成都", "武汉", "南京")
SIGNS = "云启智联鹏讯晨光华宇海天江南阳金瑞恒通达信诚泰安康博雅文新创远景宏图盛世嘉禾中和永利东方正大明德思源一鸣"
TRADES = ("科技", "电子", "教育", "贸易", "物流", "医药", "建设", "软件", "网络", "实业")
TYPED = ("云启", "智联科技", "yunqi", "yqzl", "8123", "科技", "上海云", "zlkj")


def name_of(number: int) -> str:
    pick = random.Random(number)
    return pick.choice(PLACES) + "".join(pick.choices(SIGNS, k=4)) + pick.choice(TRADES) + f"{number:06d}有限公司"


def fill(engine: Engine, size: int = SIZE) -> None:
    """Customers of `size` / HELD / 2 sellers, every second one in the pool."""
    sellers = max(size // HELD // 2, 1)
    for model, rows in (
        (Employee, _people(sellers)),
        (Party, _parties(size)),
        (Customer, _customers(size, sellers)),
        (ContactPoint, _points(size)),
        (SearchToken, _tokens(size)),
    ):
        _insert(engine, model.__table__, rows)  # type: ignore[arg-type]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As autovacuum leaves a house: without it PostgreSQL looks behind every index entry whether its row is there.
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))


def _stamp() -> dict[str, Any]:
    now = clock.now()
    return {"created_at": now, "created_by": 0, "changed_at": now, "changed_by": 0, "is_demo": False, "version": 1}


def _people(sellers: int) -> Iterator[Mapping[str, Any]]:
    for n in range(sellers):
        yield {"id": FIRST + n, "number": f"B{n}", "name": f"销售{n}", "state": "active"} | _stamp()


def _parties(size: int) -> Iterator[Mapping[str, Any]]:
    stamp = _stamp()
    for n in range(size):
        name = name_of(n)
        core = rules.name_core(name)
        named = {"name": name, "name_key": rules.name_key(name), "name_core": core, "name_sound": rules.sound(core)}
        empty = {"address": "", "website": "", "note": ""}
        yield {"id": FIRST + n, "kind": "organization", "state": "active"} | named | empty | stamp


def _customers(size: int, sellers: int) -> Iterator[Mapping[str, Any]]:
    stamp = _stamp()
    alike = {"level": "C", "stage": "prospect", "industry": "it", "region": "31", "city": "", "source": ""}
    for n in range(size):
        owner = FIRST + n // 2 % sellers if n % 2 else None
        own = {"name": name_of(n), "owner_id": owner, "state": "locked" if owner else "open", "contacts_made": 0}
        yield {"id": FIRST + n, "kind": "organization"} | own | alike | stamp


def _points(size: int) -> Iterator[Mapping[str, Any]]:
    for n in range(size):
        yield {"party_id": FIRST + n, "kind": "phone", "value": number_of(n), "label": "", "rank": 0}


def _tokens(size: int) -> Iterator[Mapping[str, Any]]:
    kind = permissions.FOUND_AS
    for n in range(size):
        kinds = ((kind, words.tokens_of_name(name_of(n))), (lookup.numbers(kind), words.tokens_of_number(number_of(n))))
        for sort, found in kinds:
            yield from ({"record_type": sort, "token": token, "record_id": FIRST + n} for token in found)


def number_of(number: int) -> str:
    return f"+861380{number:07d}"


def _insert(engine: Engine, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    batch: list[Mapping[str, Any]] = []
    with engine.begin() as connection:
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                connection.execute(insert(table), batch)
                batch.clear()
        if batch:
            connection.execute(insert(table), batch)


def seller() -> Actor:
    return Actor(FIRST, "销售0", permissions=frozenset({permissions.USE, permissions.MANAGE}))


def ours(times: int = 80) -> Timing:
    """The twenty hits of a picker, each of the words in turn."""

    def ask(number: int) -> None:
        with Sessions() as session:
            matches(session, CUSTOMERS, seller(), TYPED[number % len(TYPED)])

    return time_calls(ask, times)


def bare(engine: Engine, times: int = 80) -> Timing:
    """The hand-written query without pinyin and without an index for it: contains, own ones and the pool."""
    query = text(
        "SELECT id, name FROM customer WHERE (owner_id = :me OR owner_id IS NULL) AND name LIKE :word "
        "ORDER BY created_at DESC, id LIMIT 20"
    )

    def ask(number: int) -> None:
        with engine.connect() as connection:
            connection.execute(query, {"me": FIRST, "word": f"%{TYPED[number % len(TYPED)]}%"}).all()

    return time_calls(ask, times)
