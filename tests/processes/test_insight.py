"""Customers that come, go and move on: the equation holds for every owner, department and month, whatever happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import Forbidden
from processes.insight import permissions, rules
from processes.insight.models import CustomerDay, CustomerStanding
from processes.insight.operations import change, looking, standing
from processes.kernel.periods import begin_of
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.ownership.models import Ownership
from processes.ownership.operations import holding
from processes.party import operations as party
from processes.party.models import Customer
from processes.party.permissions import READ
from tests.processes.company import Company, actor_of
from webapp import bootstrap

FIRST, LAST = date(2026, 6, 1), date(2026, 11, 1)


@pytest.fixture
def house(company: Company) -> Iterator[Company]:
    bootstrap.join_parts()
    yield company
    company.session.close()  # a look has taken it out of the registry
    Sessions.remove()


def customers(session: Session, count: int) -> list[int]:
    made = [
        party.create_customer(session, SYSTEM, values={"name": f"第{number}号设备厂"}).id for number in range(count)
    ]
    session.commit()
    return made


def live(house: Company, seed: int, count: int = 8, deeds: int = 90) -> None:
    """Owners take, release, lose and pass on customers at random instants, edges of months among them."""
    chance, session = random.Random(seed), house.session
    ids = customers(session, count)
    session.query(Ownership).delete()
    people = [house.li, house.zhao, house.wang]
    spans = (date(2026, 12, 20) - date(2026, 5, 1)).days * 86_400
    edges = [begin_of(rules.months_on(FIRST, number)) for number in range(7)]
    moments = sorted(
        chance.choice(edges) + timedelta(milliseconds=chance.choice((-1, 0, 1)))
        if chance.random() < 0.3
        else begin_of(date(2026, 5, 1)) + timedelta(seconds=chance.randrange(spans))
        for _each in range(deeds)
    )
    hows = ["created", "by_rule", "imported", "applied", "assigned", "handed_over", "merged", "undone"]
    ends = ["released", "unlocked", "closed", "handed_over", "assigned", "merged", "undone"]
    open_ones: dict[int, Ownership] = {}
    for at in moments:
        key, owner = chance.choice(ids), chance.choice(people)
        if chance.random() < 0.3:
            owner.department_id = chance.choice((house.sales.id, house.finance.id, None))
        held = open_ones.pop(key, None)
        passes = held is not None and chance.random() < 0.4
        if held is not None:
            held.ended_at, held.ended_how = at, "handed_over" if passes else chance.choice(ends)
        if held is None or passes:
            made = Ownership(
                customer_id=key, owner_id=owner.id, department_id=owner.department_id, started_at=at,
                how="handed_over" if passes else chance.choice(hows),
            )  # fmt: skip
            session.flush()
            session.add(made)
            open_ones[key] = made
    session.commit()


def boss(house: Company) -> Actor:
    return actor_of(house.sun, permissions.TEAM, READ)


@pytest.mark.parametrize("seed", range(4))
def test_opening_and_what_happened_always_make_closing(house: Company, seed: int) -> None:
    live(house, seed)
    session, actor = house.session, boss(house)
    for asked in (
        change.Asked.of(FIRST, LAST),
        change.Asked.of(date(2026, 8, 1), date(2026, 8, 1)),
        change.Asked.of(FIRST, LAST, owner_id=house.li.id),
        change.Asked.of(FIRST, LAST, department_id=house.sales.id),
    ):
        whole = change.total(session, actor, asked)
        assert whole.agrees
        for by in change.GROUPINGS:
            rows = change.changes(session, actor, asked, by)
            assert all(row.agrees for row in rows), (by, [row for row in rows if not row.agrees])
            for name in rules.COLUMNS:
                if by != "month" or name not in ("opening", "closing"):
                    assert sum(getattr(row, name) for row in rows) == getattr(whole, name), (by, name)
        for row in change.changes(session, actor, asked, "owner"):
            theirs = change.changes(session, actor, replace(asked, owner_id=row.key), "month")
            assert all(one.agrees for one in theirs)
            assert (theirs[0].opening, theirs[-1].closing) == (row.opening, row.closing)
        by_month = change.changes(session, actor, asked, "month")
        assert [row.key for row in by_month] == asked.months
        assert all(one.closing == other.opening for one, other in pairwise(by_month))
        assert (by_month[0].opening, by_month[-1].closing) == (whole.opening, whole.closing)


def test_every_number_is_the_number_of_ownerships_behind_it(house: Company) -> None:
    live(house, 11)
    session, actor, asked = house.session, boss(house), change.Asked.of(FIRST, LAST)
    columns: tuple[change.Column, ...] = tuple(rules.COLUMNS)  # type: ignore[assignment]
    for by in change.GROUPINGS:
        for row in change.changes(session, actor, asked, by):
            for column in columns:
                behind = change.behind(actor, asked, by, row.key, column)
                assert len(session.scalars(behind).all()) == getattr(row, column), (by, row.key, column)


def test_a_superior_counts_his_people_alone(house: Company) -> None:
    live(house, 5)
    session, asked = house.session, change.Asked.of(FIRST, LAST)
    own = change.changes(session, actor_of(house.li, permissions.TEAM), asked, "owner")
    assert {row.key for row in own} <= {house.li.id}
    team = change.changes(session, actor_of(house.wang, permissions.TEAM), asked, "owner")
    assert {row.key for row in team} == {house.li.id, house.zhao.id, house.wang.id}
    assert change.total(session, actor_of(house.sun, permissions.TEAM), asked).opening == 0
    with pytest.raises(Forbidden):
        change.total(session, actor_of(house.wang), asked)
    with pytest.raises(Forbidden):
        standing.flow(session, actor_of(house.wang), standing.Asked(FIRST, LAST), "stage")


def test_what_operations_do_lands_in_its_column(house: Company, clock: Any) -> None:
    session = house.session
    one, two, three = customers(session, 3)
    month = rules.month_of(business_date(engine_clock.now()))

    def taken(key: int) -> Customer:
        return holding.take(session, [key], [house.li.id, house.zhao.id])[key]

    holding.begin(session, SYSTEM, taken(one), house.li, "applied")
    holding.begin(session, SYSTEM, taken(two), house.li, "created")
    holding.begin(session, SYSTEM, taken(three), house.li, "assigned")
    clock.advance(hours=1)
    holding.end(session, SYSTEM, taken(one), "unlocked")
    holding.pass_on(session, SYSTEM, taken(two), house.zhao, "handed_over")
    party.close_customer(session, SYSTEM, record_id=three)
    session.commit()
    rows = {row.key: row for row in change.changes(session, boss(house), change.Asked.of(month, month), "owner")}
    li, zhao = rows[house.li.id], rows[house.zhao.id]
    assert (li.new, li.locked, li.unlocked, li.given, li.lost, li.closing) == (1, 2, 1, 1, 1, 0)
    assert (zhao.received, zhao.closing) == (1, 1)


# ------------------------------------------------------------------------------------------------- nights


def rows(session: Session) -> list[tuple[Any, ...]]:
    session.expire_all()
    kept = select(CustomerStanding).order_by(CustomerStanding.customer_id, CustomerStanding.since)
    found = [(one.customer_id, one.since, one.until, one.stage, one.owner_id) for one in session.scalars(kept)]
    session.commit()
    return found


def test_a_night_twice_is_a_night_once_and_one_that_broke_off_is_taken_up(house: Company) -> None:
    session = house.session
    one, two, _three = ids = customers(session, 3)
    monday = business_date(engine_clock.now())
    assert looking.look(monday, batch=2)
    first = rows(session)
    assert [(key, since, until) for key, since, until, *_rest in first] == [(key, monday, None) for key in ids]
    assert not looking.look(monday)
    session.get_one(Customer, one).stage = "dealt"
    session.commit()
    assert not looking.look(monday)
    assert rows(session) == first, "the day was looked at before"

    tuesday, friday = monday + timedelta(days=1), monday + timedelta(days=4)
    with transaction() as half:
        looking.note_some(half, tuesday, 0, 2)
    Sessions.remove()
    session.get_one(Customer, one).stage = "lost"
    session.get_one(Customer, two).owner_id = house.li.id
    session.commit()
    assert looking.look(tuesday, batch=2)
    assert [row for row in rows(session) if row[0] != ids[2]] == [
        (one, monday, tuesday, "prospect", None),
        (one, tuesday, None, "lost", None),
        (two, monday, tuesday, "prospect", None),
        (two, tuesday, None, "prospect", house.li.id),
    ]
    before = rows(session)
    session.commit()
    assert looking.look(friday), "three nights were missed"
    assert rows(session) == before, "nothing changed, nothing is written"
    assert session.scalar(select(func.count()).select_from(CustomerDay)) == 3
    assert standing.day_before(session, friday - timedelta(days=1)) == tuesday
    assert standing.day_before(session, monday - timedelta(days=9)) == monday


def test_two_who_look_at_once_leave_what_one_would(house: Company) -> None:
    session = house.session
    ids = customers(session, 6)
    today = business_date(engine_clock.now())
    looking.look(today - timedelta(days=1))
    session.get_one(Customer, ids[0]).stage = "dealt"
    session.commit()
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _each: looking.look(today, batch=1), range(2)))
    assert not looking.look(today)
    assert not looking.look(today - timedelta(days=3)), "the clock was put back: what is known stays"
    kept = rows(session)
    assert len(kept) == len(ids) + 1
    assert [row[2] for row in kept if row[0] == ids[0]] == [today, None]


def test_the_flow_between_two_days_says_what_became_of_whom(house: Company) -> None:
    session, chance = house.session, random.Random(3)
    ids, day = customers(session, 12), business_date(engine_clock.now())
    people: list[Employee | None] = [None, house.li, house.zhao]
    seen: dict[date, dict[int, tuple[str, int | None]]] = {}
    for night in range(0, 12, 2):
        for key in chance.sample(ids, 5):
            found = session.get_one(Customer, key)
            owner = chance.choice(people)
            found.stage, found.owner_id = chance.choice(("prospect", "contacted", "dealt")), owner.id if owner else None
            found.state = "locked" if owner else "open"
        if night == 6:
            session.get_one(Customer, ids[0]).state = "merged"
        session.commit()
        today = day + timedelta(days=night)
        looking.look(today)
        alive = session.scalars(select(Customer).where(Customer.state != "merged"))
        seen[today] = {one.id: (one.stage, one.owner_id) for one in alive}
    days = sorted(seen)
    team = {house.li.id, house.zhao.id, house.wang.id, None}
    for actor, theirs in (
        (boss(house), team),
        (actor_of(house.wang, permissions.TEAM), team),
        (actor_of(house.li, permissions.TEAM), {house.li.id, None}),
    ):
        for first, last in ((days[0], days[-1]), (days[1], days[3]), (days[2], days[2])):

            def value(day: date, key: int) -> str:
                stage, owner = seen[day].get(key, ("", None))
                return stage if owner in theirs else ""  # noqa: B023

            wanted = Counter((value(first, key), value(last, key)) for key in ids)
            wanted.pop(("", ""), None)
            asked = standing.Asked(first, last)
            found = standing.flow(session, actor, asked, "stage")
            assert found.table == wanted
            for (was, is_now), count in found.table.items():
                behind = session.execute(standing.moved(session, actor, asked, "stage", was, is_now)).all()
                assert len(behind) == count
    nobody = standing.flow(session, boss(house), standing.Asked(days[0], days[0], owner_id=house.sun.id), "state")
    assert nobody.table == {}
