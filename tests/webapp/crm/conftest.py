"""Customers of the demo company: one of 王磊's, one of a colleague's, one in the pool, one that is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine import clock
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.party import operations
from processes.party.models import Customer
from tests import demo_house
from tests.demo_house import DemoHouse, Facts

SELLER, COLLEAGUE, SUPERIOR, MANAGER, NEWCOMER = "wang.lei", "xu.fang", "zhou.ming", "chen.guoqiang", "zheng.kai"
NAMES = {SELLER: "王磊", COLLEAGUE: "徐芳", SUPERIOR: "周明"}
PHONE, MAIL = "13800138000", "info@example.com"


@pytest.fixture(scope="session")
def _demo_house(tmp_path_factory: pytest.TempPathFactory) -> DemoHouse:
    return demo_house.build(tmp_path_factory.mktemp("demo_house"))


@pytest.fixture
def house(_demo_house: DemoHouse, tmp_path: Path) -> Iterator[DemoHouse]:
    with _demo_house.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def facts(house: DemoHouse) -> Facts:
    return Facts()


@dataclass
class Trade:
    """Customers made for a test, by what they are called."""

    ids: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, owner: int | None = None, *, closed: bool = False, **more: str) -> int:
        with transaction() as session:
            values = {"name": name, "phone": PHONE, "email": MAIL, "address": "上海市浦东新区张江路1号", **more}
            values["duplicate_reason"] = "another one with the same phone"
            made = operations.create_customer(session, SYSTEM, values=values)
            contact = operations.create_contact(
                session,
                SYSTEM,
                values={
                    "name": f"{name[:2]}的陈平",
                    "customer": made.id,
                    "phone": "13900139001",
                    "duplicate_reason": "the same phone",
                },
            )
            made.owner_id, made.owned_since = owner, clock.now() if owner else None
            made.state = "closed" if closed else "locked" if owner else "open"
            self.ids[name], self.contacts[name] = made.id, contact.id
        Sessions.remove()
        return self.ids[name]

    def customer(self, name: str) -> Customer:
        with transaction() as session:
            found = session.get_one(Customer, self.ids[name])
            _ = found.party.points, found.party.note
            session.expunge_all()
        Sessions.remove()
        return found


@pytest.fixture
def trade(house: DemoHouse, facts: Facts) -> Trade:
    made = Trade()
    made.add("华宇智联科技", facts.person("王磊"), level="A")
    made.add("鹏讯电子", facts.person("徐芳"))
    made.add("晨光教育", None)
    made.add("旧日贸易", facts.person("王磊"), closed=True)
    return made
