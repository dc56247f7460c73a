"""Messages and signals: each reaches whoever waits for it, once, also when they come at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select

from engine import clock as engine_clock, jobs, repository, runtime, work_items
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import Instance, Message, MessageWait
from engine.runtime.step import MESSAGE_LIFE
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import BOSS, LI, Site
from tests.engine.workflow.drawing import Drawing


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def waiting() -> Drawing:
    d = Drawing("waiting")
    d.start()
    d.add("intermediateCatchEvent", "paid", '<messageEventDefinition messageRef="m"/>')
    d.user("ship", camunda_assignee="person(2)")
    d.end()
    d.chain("start", "paid", "ship", "end")
    return d


def start_waiting(key: str | None) -> int:
    xml = waiting().xml(head='<message id="m" name="order_paid"/>')
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": xml}))
    started = runtime.perform(lambda s: runtime.start(s, LI, "waiting", business_key=key))
    Sessions.remove()
    return started.instance_id


def send(key: str, message_id: str = "1") -> str:
    try:
        return runtime.perform(
            lambda s: runtime.publish(s, name="order_paid", business_key=key, message_id=message_id).state
        )
    finally:
        Sessions.remove()


def send_to(instance_id: int) -> int | None:
    """Addressed to one instance, whatever its key."""
    try:
        return runtime.perform(
            lambda s: runtime.publish(s, name="order_paid", message_id=f"to:{instance_id}", instance_id=instance_id).id
        )
    finally:
        Sessions.remove()


def state_of(message_id: int | None) -> str:
    with transaction() as session:
        found = session.scalars(select(Message.state).where(Message.id == message_id)).one()
    Sessions.remove()
    return found


def test_a_message_addressed_to_an_instance_reaches_nobody_else(site: Site) -> None:
    other, meant = start_waiting(None), start_waiting(None)
    assert state_of(send_to(meant)) == "matched"
    waits = {w.instance_id for w in Sessions().scalars(select(MessageWait))}
    Sessions.remove()
    assert waits == {other}
    late = send_to(meant)  # it waits no more; whoever else waits for such a message is not meant
    jobs.correlate_messages()
    assert state_of(late) == "matched"  # the same message again
    with transaction() as session:
        stray = runtime.publish(session, name="order_paid", message_id="2", instance_id=meant).id
    Sessions.remove()
    jobs.correlate_messages()
    assert state_of(stray) == "waiting"


def test_a_message_reaches_the_instance_with_its_key(site: Site) -> None:
    first, second = start_waiting("order:1"), start_waiting("order:2")
    assert send("order:2") == "matched"
    assert list(house.items(second)) == ["ship"]
    assert house.items(first) == {}


def test_whoever_waits_for_this_very_key_comes_before_who_takes_any(site: Site) -> None:
    anybody, this_one = start_waiting(None), start_waiting("order:2")
    assert send("order:2") == "matched"
    assert list(house.items(this_one)) == ["ship"]
    assert house.items(anybody) == {}


def test_the_same_message_twice_is_one(site: Site) -> None:
    first, second = start_waiting("order:1"), start_waiting("order:1")
    assert send("order:1") == "matched"
    assert send("order:1") == "matched"
    assert Counter(bool(house.items(i)) for i in (first, second)) == {True: 1, False: 1}


def test_an_early_message_is_kept_until_somebody_waits(site: Site) -> None:
    assert send("order:9") == "waiting"
    started = start_waiting("order:9")
    assert jobs.correlate_messages() == 1
    assert list(house.items(started)) == ["ship"]


def test_messages_nobody_wants_hold_up_no_other(site: Site) -> None:
    now = engine_clock.now()
    stray = {"kind": "message", "name": "order_paid", "state": "waiting", "variables": {}, "received_at": now}
    with transaction() as session:
        session.execute(
            insert(Message),
            [
                {**stray, "business_key": f"lost:{n}", "message_id": str(n), "expires_at": now + MESSAGE_LIFE}
                for n in range(600)
            ],
        )
    assert send("order:9") == "waiting"
    started = start_waiting("order:9")
    assert jobs.correlate_messages() == 1
    assert list(house.items(started)) == ["ship"]


def test_a_message_nobody_wants_expires(site: Site, clock: TestClock) -> None:
    send("order:9")
    clock.advance(days=8)
    jobs.correlate_messages()
    assert house.read(lambda s: s.scalars(select(Message.state)).all()) == ["expired"]


def test_a_wait_ends_with_its_instance(site: Site) -> None:
    started = start_waiting("order:1")
    runtime.perform(lambda s: work_items.terminate(s, BOSS, started, "停"))
    assert house.read(lambda s: s.scalar(select(func.count(MessageWait.id)))) == 0


def test_of_two_messages_at_once_one_is_taken_and_the_other_kept(site: Site) -> None:
    for round_ in range(12):
        started = start_waiting(f"order:{round_}")
        answers: list[str] = []
        gate = threading.Barrier(2)

        def press(name: str, key: str, answers: list[str] = answers, gate: threading.Barrier = gate) -> None:
            gate.wait()
            answers.append(send(key, name))

        pressing = [threading.Thread(target=press, args=(name, f"order:{round_}")) for name in ("a", "b")]
        for thread in pressing:
            thread.start()
        for thread in pressing:
            thread.join()
        assert sorted(answers) == ["matched", "waiting"]
        assert list(house.items(started)) == ["ship"]


def test_a_message_starts_the_process_that_begins_with_it(site: Site) -> None:
    d = Drawing("by_message")
    d.add("startEvent", "begin", '<messageEventDefinition messageRef="m"/>')
    d.user("look", camunda_assignee="person(2)")
    d.end()
    d.chain("begin", "look", "end")
    xml = d.xml(head='<message id="m" name="order_paid"/>')
    assert send("order:0", "early") == "waiting"
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": xml}))
    Sessions.remove()
    assert send("order:1") == "matched"
    assert send("order:1") == "matched"
    assert jobs.correlate_messages() == 1, "the one that came before the process was there"
    started = house.read(lambda s: s.scalars(select(Instance.business_key).order_by(Instance.id)).all())
    assert started == ["order:1", "order:0"]


def test_whatever_a_token_carries_can_be_sent(site: Site) -> None:
    d = Drawing("thrower")
    d.start()
    d.service("ask", "site.first", camunda_resultVariable="answer")
    d.add("intermediateThrowEvent", "tell", '<messageEventDefinition messageRef="m"/>')
    d.end()
    d.chain("start", "ask", "tell", "end")
    site.answers["site.first"] = lambda _session, _facts: {
        "amount": Decimal("12.50"),
        "on": [date(2026, 11, 23)],
        "at": time(9, 30),
        "within": timedelta(minutes=90),
    }
    xml = d.xml(head='<message id="m" name="told"/>')
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": xml}))
    Sessions.remove()
    assert house.state(house.start("thrower")) == "completed"
    told = house.read(lambda s: s.scalars(select(Message.variables)).one())
    assert told["answer"] == {"amount": "12.50", "on": ["2026-11-23"], "at": "09:30:00", "within": "PT5400S"}
