"""A house with a handful of people for the actions of approvals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import Site


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made
