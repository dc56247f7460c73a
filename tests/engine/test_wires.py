"""Connector tasks: a token waits for its wire; nothing is sent twice, nothing waits for ever."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from engine import delivering, jobs, outbox, runtime, work_items
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.errors import RuleViolation
from engine.models import OutboxMessage
from engine.wire import Delivery, Leased
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import BOSS, WANG, Site
from tests.engine.workflow.drawing import Drawing

TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


class Wire:
    """Answers as told and counts what it was asked to send."""

    retry_unknown = False

    def __init__(self, answer: Delivery) -> None:
        self.answer = answer
        self.sent: list[str] = []

    def deliver(self, message: Leased) -> Delivery:
        self.sent.append(message.key)
        return self.answer


@pytest.fixture
def wire(site: Site) -> Wire:
    made = Wire(Delivery("accepted", {"ref": 7}))
    outbox.HANDLERS["wire"] = made
    return made


def wired(candidates: str = "person(2)") -> Drawing:
    d = Drawing("wired")
    d.start()
    d.service("send", "site.wire", camunda_resultVariable="receipt")
    d.user("look", camunda_assignee=candidates)
    d.end()
    d.chain("start", "send", "look", "end")
    return d


def messages() -> list[str]:
    return house.read(lambda s: list(s.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id))))


def retry(incident_id: int) -> None:
    runtime.perform(lambda s: runtime.retry_incident(s, BOSS, incident_id))
    Sessions.remove()


def resend() -> None:
    message_id = house.read(lambda s: s.scalars(select(OutboxMessage.id)).one())
    runtime.perform(lambda s: outbox.resend(s, BOSS, message_id))
    Sessions.remove()


def test_a_connector_task_waits_for_its_wire(wire: Wire) -> None:
    started = house.start(house.deploy(wired()))
    assert house.items(started) == {}
    delivering.deliver_outbox()
    assert list(house.items(started)) == ["look"]


def test_a_refusing_wire_becomes_an_incident_that_is_skipped(wire: Wire) -> None:
    wire.answer = Delivery("rejected", error="no such number")
    started = house.start(house.deploy(wired()))
    delivering.deliver_outbox()
    (incident,) = house.incidents(started)
    assert "no such number" in incident.cause
    runtime.perform(lambda s: runtime.skip_incident(s, BOSS, incident.id, None, "电话通知"))
    assert list(house.items(started)) == ["look"]


def test_the_retry_of_a_refusal_sends_again(wire: Wire) -> None:
    wire.answer = Delivery("rejected", error="no such number")
    started = house.start(house.deploy(wired()))
    delivering.deliver_outbox()
    wire.answer = Delivery("accepted")
    retry(house.incidents(started)[0].id)
    delivering.deliver_outbox()
    assert len(wire.sent) == 2
    assert list(house.items(started)) == ["look"]


def test_a_doubtful_wire_is_an_incident_until_a_person_decides(wire: Wire) -> None:
    wire.answer = Delivery("unknown", error="line cut")
    started = house.start(house.deploy(wired()))
    delivering.deliver_outbox()
    assert messages() == ["unknown"]
    assert house.items(started) == {}
    assert [i.state for i in house.incidents(started)] == ["open"]
    wire.answer = Delivery("accepted")
    resend()
    delivering.deliver_outbox()
    assert list(house.items(started)) == ["look"]
    assert [i.state for i in house.incidents(started)] == ["resolved"]


def test_a_sender_that_dies_on_the_wire_leaves_an_incident(
    wire: Wire, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = house.start(house.deploy(wired()))

    def die(_message: Leased) -> Delivery:
        raise KeyboardInterrupt

    monkeypatch.setattr(wire, "deliver", die)
    with pytest.raises(KeyboardInterrupt):
        delivering.deliver_outbox()
    Sessions.remove()
    clock.advance(minutes=11)
    jobs.sweep()
    assert messages() == ["unknown"]
    assert [i.state for i in house.incidents(started)] == ["open"]


def test_what_left_stays_sent_although_the_process_has_gone_on(wire: Wire, clock: TestClock) -> None:
    d = Drawing("hurried")
    d.start()
    d.service("send", "site.wire")
    d.add("boundaryEvent", "late", TIMER, attachedToRef="send", cancelActivity="true")
    d.user("call", camunda_assignee="person(2)")
    d.end()
    d.end("end2")
    d.chain("start", "send", "end")
    d.chain("late", "call", "end2")
    first, second = (house.start(key) for key in (house.deploy(d), house.deploy(wired())))
    clock.advance(hours=1)
    jobs.fire_timers()
    assert list(house.items(first)) == ["call"]
    delivering.deliver_outbox()
    assert messages() == ["sent", "sent"]
    assert list(house.items(second)) == ["look"], "one result nobody waits for holds up no other"


def test_what_left_is_not_sent_again_when_the_step_behind_it_breaks(wire: Wire) -> None:
    started = house.start(house.deploy(wired("nobody")))
    directory, CATALOG.directory = CATALOG.directory, None
    delivering.deliver_outbox()
    assert messages() == ["sent"]
    (incident,) = house.incidents(started)
    CATALOG.directory = directory
    retry(incident.id)
    delivering.deliver_outbox()
    assert list(house.items(started)) == ["look"]
    assert len(wire.sent) == 1


def test_a_message_a_process_waits_for_is_not_cancelled_behind_its_back(wire: Wire) -> None:
    started = house.start(house.deploy(wired()))
    message_id = house.read(lambda s: s.scalars(select(OutboxMessage.id)).one())
    with transaction() as session, pytest.raises(RuleViolation, match="process"):
        outbox.cancel(session, message_id)
    runtime.perform(lambda s: work_items.terminate(s, BOSS, started, "停"))
    with transaction() as session:
        assert outbox.cancel(session, message_id).state == "cancelled"


def test_whoever_looks_at_the_receipt_finds_it(wire: Wire) -> None:
    d = wired("person(2)")
    d.flows = [flow for flow in d.flows if flow[1:3] != ("look", "end")]
    d.flow("look", "end", condition="${receipt.ref == 7}")
    started = house.start(house.deploy(d))
    delivering.deliver_outbox()
    assert house.act(WANG, house.items(started)["look"]) == "completed"
