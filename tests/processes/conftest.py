"""What the tests of the business share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.processes.company import Company, found_company


@pytest.fixture
def company(session: Session, clock: Callable[[], object]) -> Company:
    return found_company(session)
