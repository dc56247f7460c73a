"""A worker killed at any moment loses no step and does none twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.db import Sessions, transaction
from engine.models import Instance
from tests.databases import Database
from tests.engine import crash_site

KILLS = 200
ENOUGH = 20
LONGEST_RUN = 0.08
"""seconds; some die before their first commit, some after dozens"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_hundred_kills_lose_nothing_and_double_nothing(database: Database, tmp_path: Path) -> None:
    wire = tmp_path / "wire"
    with crash_site.declared(wire):
        crash_site.deploy()
        number = 0
        while number < KILLS or (number < 4 * KILLS and cases() < ENOUGH):
            database.engine.dispose()  # a forked connection must not be shared
            longest = LONGEST_RUN * (1 + number // KILLS)  # a busy machine gets less done in a life: then longer ones
            crash_site.kill_in_the_middle(database.url, number, longest)
            number += 1
        crash_site.drain()
        wrong = crash_site.audit(crash_site.Wire(wire))
    assert wrong == []
    assert cases() >= ENOUGH, "the killed workers did get some work done"


def cases() -> int:
    with transaction() as session:
        found = session.scalar(select(func.count(Instance.id))) or 0
    Sessions.remove()
    return found
