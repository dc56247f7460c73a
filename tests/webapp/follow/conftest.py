"""Pages are tried with the demo company: its people, its requests in every state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import demo_house
from tests.demo_house import DemoHouse, Facts


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
