"""On Sundays those who settle duplicates hear once how many new pairs they see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.clock import now
from engine.db import Sessions, transaction
from processes.kernel.working_time import ZONE
from processes.notices.models import Notice
from processes.organization.models import Employee
from processes.party import jobs
from processes.party.permissions import MERGE_POOL
from tests.conftest import TestClock
from tests.processes.company import Company
from tests.processes.sellers import in_pool, owned, seller, superior
from webapp import bootstrap


@pytest.fixture(scope="module", autouse=True)
def _joined_parts() -> None:
    bootstrap.join_parts()


@pytest.fixture(autouse=True)
def _everybody_signs_in(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """王芳 and 孙琳 are superiors of two teams, the others sell."""
    above = {company.wang.id, company.sun.id}

    def actors(session: Any, people: Sequence[int]) -> dict[int, Actor]:
        found = {one: session.get(Employee, one) for one in people}
        return {one: superior(p, MERGE_POOL) if one in above else seller(p) for one, p in found.items()}

    monkeypatch.setattr(CATALOG, "actors", actors)


def told() -> list[tuple[int, str]]:
    with transaction() as session:
        found = select(Notice).where(Notice.kind == "party.duplicates_found").order_by(Notice.person_id)
        rows = [(one.person_id, str(one.title_values)) for one in session.scalars(found)]
    Sessions.remove()
    return rows


def go_to_sunday(clock: TestClock) -> None:
    here = now().astimezone(ZONE)
    days = (6 - here.weekday()) % 7 or 7
    sunday = datetime.combine(here.date() + timedelta(days=days), datetime.min.time(), ZONE)
    clock.advance(seconds=(sunday + timedelta(hours=9) - here).total_seconds())


def test_superiors_are_told_once_a_week_of_new_pairs_they_see(company: Company, clock: TestClock) -> None:
    with transaction() as session:
        owned(session, "鹏讯电子有限公司", company.li)
        other = in_pool(session, "远帆物流")
        other.name = other.party.name = other.party.name_key = "鹏讯电子集团"  # as an older release let it pass
        other.party.name_core = "鹏讯电子"
    Sessions.remove()
    go_to_sunday(clock)
    for _look in range(2):
        jobs.look_for_duplicates()
        assert told() == [(company.wang.id, "{'count': 1}")], "孙琳 does not see 李娜's, 李娜 settles nothing"
    clock.advance(days=7)
    jobs.look_for_duplicates()
    assert len(told()) == 1, "nothing new this week"
