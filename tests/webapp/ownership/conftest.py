"""The demo company with a few customers of 王磊's and of the pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.ownership import operations as ownership
from processes.party import operations as party
from processes.party.models import Customer
from tests import demo_house
from tests.demo_house import DemoHouse, Facts


@pytest.fixture(scope="session")
def _demo_house(tmp_path_factory: pytest.TempPathFactory) -> DemoHouse:
    return demo_house.build(tmp_path_factory.mktemp("demo_house"))


@pytest.fixture
def house(_demo_house: DemoHouse, tmp_path: Path) -> Iterator[DemoHouse]:
    with _demo_house.opened(tmp_path) as opened:
        yield opened


@dataclass
class Trade:
    mine: int
    pooled: int
    seller: int
    colleague: int
    """of another team"""
    teammate: int

    def owner(self, customer_id: int) -> int | None:
        with transaction() as session:
            found = session.get_one(Customer, customer_id, populate_existing=True).owner_id
        Sessions.remove()
        return found


@pytest.fixture
def trade(house: DemoHouse) -> Trade:
    facts = Facts()
    seller, colleague = facts.person("王磊"), facts.person("徐芳")
    with transaction() as session:
        mine = party.create_customer(session, SYSTEM, values={"name": "云启智联科技", "level": "A"}).id
        pooled = party.create_customer(session, SYSTEM, values={"name": "晨光教育", "industry": "education"}).id
        ownership.lock(session, SYSTEM, mine, seller, "assigned")
    Sessions.remove()
    return Trade(mine, pooled, seller, colleague, facts.person("李娜"))
