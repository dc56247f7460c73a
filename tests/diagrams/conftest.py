"""The company and the deployed processes that the diagrams run in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import repository
from engine.actor import SYSTEM
from engine.db import Sessions
from processes.spending import operations as spending
from tests.databases import Database
from tests.kept import write_or_copy
from tests.processes.company import Company, company_of, found_company
from webapp import bootstrap, house

BPMN = Path(__file__).parents[2] / "bpmn"


@pytest.fixture(scope="session", autouse=True)
def _joined_parts() -> None:
    bootstrap.join_parts()


@pytest.fixture
def company(database: Database, clock: Callable[[], object]) -> Company:
    """The small company with everything that ships deployed, and two categories to spend on."""
    write_or_copy(database, "the small company and what ships", _found)
    repository.forget_all()
    return company_of(Sessions())


def _found() -> None:
    session = Sessions()
    found_company(session)
    for folder in sorted(path for path in BPMN.iterdir() if path.is_dir()):
        for diagram in sorted(folder.glob("*.bpmn")):
            repository.deploy(session, SYSTEM, house.files_of(diagram), package=folder.name)
    for code, name in (("travel", "差旅"), ("office", "办公")):
        spending.create_category(session, SYSTEM, values={"code": code, "name": name})
    session.commit()
