"""What the tests of the business share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.db import Sessions
from processes.lookup import operations as lookup
from tests.databases import Database
from tests.kept import write_or_copy
from tests.processes.company import Company, company_of, found_company
from webapp import bootstrap


@pytest.fixture(scope="session", autouse=True)
def _joined_parts() -> None:
    """One package hears what another says only once all are joined; in a running house they always are."""
    bootstrap.join_parts()


@pytest.fixture(params=((1_000, 100_000), (0, 100_000), (0, 0)), ids=("named", "as a set", "asked one by one"))
def _every_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found must not depend on how many there are, though the way it is looked for does."""
    monkeypatch.setattr(lookup, "FEW", request.param[0])
    monkeypatch.setattr(lookup, "MANY", request.param[1])


@pytest.fixture
def company(database: Database, clock: Callable[[], object]) -> Company:
    write_or_copy(database, "the small company", lambda: found_company(Sessions()))
    return company_of(Sessions())
