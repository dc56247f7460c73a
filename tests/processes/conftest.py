"""What the tests of the business share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.db import Sessions
from tests.databases import Database
from tests.kept import write_or_copy
from tests.processes.company import Company, company_of, found_company
from webapp import bootstrap


@pytest.fixture(scope="session", autouse=True)
def _joined_parts() -> None:
    """One package hears what another says only once all are joined; in a running house they always are."""
    bootstrap.join_parts()


@pytest.fixture
def company(database: Database, clock: Callable[[], object]) -> Company:
    write_or_copy(database, "the small company", lambda: found_company(Sessions()))
    return company_of(Sessions())
