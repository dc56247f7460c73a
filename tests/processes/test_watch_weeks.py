"""On Mondays each watcher hears once what the week brought the customers he watches and may see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import clock as engine_clock
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from processes.activity import jobs
from processes.activity.models import ContactRecord
from processes.kernel.working_time import ZONE
from processes.notices import operations as notices
from processes.notices.models import Notice
from processes.organization.models import Employee
from processes.ownership import operations as ownership
from processes.ownership.models import Watch
from processes.ownership.operations import watching
from tests.conftest import TestClock
from tests.processes.company import Company
from tests.processes.sellers import in_pool, owned, seller, superior

KIND = "activity.watched_week"


@pytest.fixture(autouse=True)
def _everybody_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def actors(session: Any, people: Sequence[int]) -> dict[int, Actor]:
        return {one: seller(session.get(Employee, one)) for one in people}

    monkeypatch.setattr(CATALOG, "actors", actors)


def noted(customer_id: int, person_id: int, at: datetime) -> ContactRecord:
    return ContactRecord(customer_id=customer_id, person_id=person_id, at=at, way="call", content="谈了价格")


def told() -> list[tuple[int, str]]:
    with transaction() as session:
        found = select(Notice.person_id, Notice.text).where(Notice.kind == KIND).order_by(Notice.person_id)
        rows = [(person, text) for person, text in session.execute(found)]
    Sessions.remove()
    return rows


def go_to_monday(clock: TestClock) -> None:
    here = engine_clock.now().astimezone(ZONE)
    monday = datetime.combine(here.date() + timedelta(days=7 - here.weekday()), datetime.min.time(), ZONE)
    clock.advance(seconds=(monday + timedelta(hours=7, minutes=5) - here).total_seconds())


def test_each_watcher_is_told_once_of_what_he_may_see(company: Company, clock: TestClock) -> None:
    with transaction() as session:
        people = {name: session.get_one(Employee, getattr(company, name).id) for name in ("li", "zhao", "wang")}
        pool, of_li = in_pool(session, "云启智联"), owned(session, "鹏讯电子", people["li"])
        watching.watch(session, seller(people["zhao"]), customer_id=pool.id)
        for customer in (pool, of_li):
            watching.watch(session, superior(people["wang"]), customer_id=customer.id)
        ids = {"pool": pool.id, "of_li": of_li.id, **{name: one.id for name, one in people.items()}}
    Sessions.remove()
    clock.advance(days=1)
    with transaction() as session:
        ownership.lock(session, SYSTEM, ids["pool"], ids["li"], "assigned")  # 赵 sees it no longer
        session.add_all([noted(ids["of_li"], ids["li"], engine_clock.now()) for _n in range(2)])
        session.add(noted(ids["of_li"], ids["li"], engine_clock.now() - timedelta(days=30)))
    Sessions.remove()
    assert jobs.tell_watchers() == 0, "the week is not over"
    go_to_monday(clock)
    assert (jobs.tell_watchers(), jobs.tell_watchers()) == (1, 0)
    ((person, text),) = told()
    assert person == ids["wang"]
    by_name = dict(re.split("[:：]", line, maxsplit=1) for line in text.splitlines())
    assert by_name.keys() == {"云启智联", "鹏讯电子"}
    assert "李娜" in by_name["云启智联"]
    assert "2" in by_name["鹏讯电子"]
    clock.advance(days=7)
    assert jobs.tell_watchers() == 0, "nothing changed in the next week"


def test_it_is_switched_off_and_says_nothing_of_weeks_before_one_watched(company: Company, clock: TestClock) -> None:
    with transaction() as session:
        wang, li = (session.get_one(Employee, one.id) for one in (company.wang, company.li))
        customer = owned(session, "鹏讯电子", li)
        watching.watch(session, superior(wang), customer_id=customer.id)
        notices.set_preferences(session, superior(wang), channels={KIND: []})
        boss = superior(wang)
    Sessions.remove()
    go_to_monday(clock)
    assert jobs.tell_watchers() == 0
    with transaction() as session:
        notices.set_preferences(session, boss, channels={KIND: ["in_app"]})
        session.execute(update(Watch).values(created_at=engine_clock.now()))
    Sessions.remove()
    assert jobs.tell_watchers() == 0
    with transaction() as session:
        session.execute(update(Watch).values(created_at=engine_clock.now() - timedelta(days=9)))
    Sessions.remove()
    assert jobs.tell_watchers() == 1
    ((_person, text),) = told()
    assert "李娜" in text
    assert len(text.splitlines()) == 1
