"""Pages are tried with the demo company: its people, its requests in every state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.db import Sessions, transaction
from engine.models import Instance, WorkItem
from processes.organization.models import Employee
from tests import demo_house
from tests.demo_house import DemoHouse


@pytest.fixture(scope="session")
def _demo_house(tmp_path_factory: pytest.TempPathFactory) -> DemoHouse:
    return demo_house.build(tmp_path_factory.mktemp("demo_house"))


@pytest.fixture
def house(_demo_house: DemoHouse, tmp_path: Path) -> Iterator[DemoHouse]:
    with _demo_house.opened(tmp_path) as opened:
        yield opened


class Facts:
    """Looks into the database between two requests."""

    def instance(self, said: str) -> int:
        """The request about this."""
        with transaction() as session:
            found = session.scalars(select(Instance.id).where(Instance.title.endswith(said))).one()
        Sessions.remove()
        return found

    def state(self, instance_id: int) -> str:
        with transaction() as session:
            found = session.scalars(select(Instance.state).where(Instance.id == instance_id)).one()
        Sessions.remove()
        return found

    def open_item(self, said: str) -> WorkItem:
        """The one open item of the request about this."""
        with transaction() as session:
            item = session.scalars(
                select(WorkItem).join(Instance).where(Instance.title.endswith(said), WorkItem.state == "open")
            ).one()
            session.expunge(item)
        Sessions.remove()
        return item

    def person(self, name: str) -> int:
        with transaction() as session:
            found = session.scalars(select(Employee.id).where(Employee.name == name)).one()
        Sessions.remove()
        return found


@pytest.fixture
def facts(house: DemoHouse) -> Facts:
    return Facts()
