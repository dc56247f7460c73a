"""What the same kind of request got before: the nearest few, counted, and nothing the reader may not read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.db import Sessions
from engine.models import Instance
from engine.work_items import Precedents, precedents, precedents_of
from engine.work_items.rights import MONITOR
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, LI, SUN, WANG, ZHAO
from tests.engine.site import Site
from tests.engine.workflow.drawing import Drawing

FORM: dict[str, Any] = {
    "title": "采购",
    "fields": [
        {"id": "subject", "type": "text", "label": "事由", "title": True},
        {"id": "amount", "type": "money", "label": "金额", "summary": True},
    ],
}
WATCHER = Actor(person_id=90, name="督办", permissions=frozenset({MONITOR}))


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def deploy(form: dict[str, Any] = FORM, *, boss: bool = False) -> None:
    """Wang approves, and behind him Chen where `boss`."""
    d = Drawing("buy")
    d.start()
    steps = ["approve", *(["second"] if boss else [])]
    for step, person in zip(steps, (WANG, CHEN), strict=False):
        play.approval(d, step, f"person({person.person_id})")
    d.end()
    d.chain("start", *steps, "end")
    files = {"buy.bpmn": d.xml(), "buy.form.json": json.dumps(form)}
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, files))
    Sessions.remove()


def start(amount: str, starter: Actor = LI) -> int:
    values = {"subject": amount, "amount": amount}
    return play.do(lambda s: runtime.start(s, starter, "buy", values=values)).instance_id


def finished(amount: str, starter: Actor = LI, action: str = "approve") -> int:
    started = start(amount, starter)
    play.act(started, WANG, action)
    return started


def before(instance: int, reader: Actor = WANG, node: str = "approve") -> Precedents:
    return house.read(lambda s: precedents_of(s, reader, s.get_one(Instance, instance), node))


def test_the_starters_own_come_first_then_near_amounts_then_the_newest(site: Site, clock: TestClock) -> None:
    deploy()
    far, near, newest = finished("5000", ZHAO), finished("1100", SUN), finished("9000", SUN)
    own = finished("70", action="reject")
    taken_back = start("300", ZHAO)
    play.do(lambda s: work_items.withdraw(s, ZHAO, taken_back, "错了"))
    clock.advance(hours=1)
    found = before(start("1000"))
    assert [one.id for one in found.shown][:3] == [own, near, newest]
    assert far in [one.id for one in found.shown]
    assert (found.counts, found.of_starter, found.near) == (
        {"completed": 3, "rejected": 1},
        {"rejected": 1},
        {"completed": 1},
    ), "what was withdrawn before Wang had done anything is not his to read"
    assert before(start("1000"), WATCHER).counts == {"completed": 3, "rejected": 1, "withdrawn": 1}


def test_the_first_one_has_none(site: Site) -> None:
    deploy()
    started = start("1000")
    start("1000")
    assert before(started) == Precedents()
    assert before(started).total == 0


def test_no_more_than_a_few_are_shown_and_the_count_has_an_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedents, "COUNTED", 6)
    deploy()
    done = [finished("10") for _n in range(8)]
    found = before(start("10"))
    assert [one.id for one in found.shown] == done[:2:-1]
    assert found.total == 6


def test_who_took_no_part_reads_and_counts_only_his_own(site: Site) -> None:
    deploy(boss=True)
    theirs = finished("10", ZHAO)
    play.act(theirs, CHEN)
    stopped = finished("10", ZHAO, "reject")
    started = start("10")
    play.act(started, WANG)
    assert [one.id for one in before(started, CHEN, "second").shown] == [theirs]
    assert before(started, CHEN, "second").counts == {"completed": 1}
    assert [one.id for one in before(started, WANG).shown] == [stopped, theirs]
    assert before(started, Actor(person_id=77, name="路人")) == Precedents()


def test_another_process_another_year_and_another_currency_say_nothing(site: Site, clock: TestClock) -> None:
    deploy()
    finished("1000")
    clock.advance(days=366)
    other = play.one("person(2)")
    play.act(other, WANG)
    deploy({**FORM, "fields": [FORM["fields"][0], {**FORM["fields"][1], "currency": "USD"}]})
    dear = finished("1000")
    deploy()
    found = before(start("1000"))
    assert [one.id for one in found.shown] == [dear]
    assert found.near == {}


def test_a_hidden_amount_is_neither_shown_nor_compared(site: Site) -> None:
    deploy({**FORM, "steps": {"second": {"amount": "hide"}}}, boss=True)
    done = finished("1000", ZHAO)
    play.act(done, CHEN)
    started = start("1000")
    seen = before(started, WANG)
    assert [(one.id, one.amount) for one in seen.shown] == [(done, {"amount": "1000.00", "currency": "CNY"})]
    assert seen.near == {"completed": 1}
    play.act(started, WANG)
    blind = before(started, CHEN, "second")
    assert [(one.id, one.amount) for one in blind.shown] == [(done, None)]
    assert blind.near == {}


def test_an_amount_that_was_hidden_then_is_hidden_now(site: Site) -> None:
    deploy({**FORM, "steps": {"approve": {"amount": "hide"}}})
    done = finished("1000", ZHAO)
    deploy()
    found = before(start("1000"))
    assert [(one.id, one.amount) for one in found.shown] == [(done, None)]
    assert found.near == {}


@pytest.mark.parametrize("reader", [WANG, WATCHER, BOSS], ids=["approver", "supervisor", "administrator"])
def test_no_table_is_read_from_end_to_end(site: Site, session: Session, reader: Actor) -> None:
    deploy()
    started = start("1000")
    query = precedents.candidates(session, reader, session.get_one(Instance, started))
    plan = explained(session, query)
    assert "process_instance" in plan
    for line in plan.splitlines():
        for table in ("process_instance", "process_participant", "process_copy", "work_item"):
            assert f"Seq Scan on {table}" not in line
            assert not line.startswith(f"SCAN {table}") or "INDEX" in line, plan


def explained(session: Session, query: Any) -> str:
    """The plan; PostgreSQL takes an index for a handful of rows only when it must."""
    bind = session.get_bind()
    written = str(query.compile(bind, compile_kwargs={"literal_binds": True}))
    if bind.dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))
        return "\n".join(session.scalars(text("EXPLAIN " + written.replace(":", r"\:"))))
    return "\n".join(row.detail for row in session.execute(text("EXPLAIN QUERY PLAN " + written.replace(":", r"\:"))))
