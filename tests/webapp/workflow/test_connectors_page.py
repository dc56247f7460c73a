"""The connectors' page: who opens it, what it says of each wire, the test button, the gate that is opened by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from engine import clock, gates, health, jobs, outbox, wire_tests
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import OutboxAttempt, OutboxMessage, WireHealth
from engine.wire_tests import Step
from processes.messaging.rules import REASONS
from processes.notices.models import Notice
from processes.organization.models import Employee
from tests.conftest import TestClock
from tests.counting import statements
from tests.demo_house import DemoHouse
from webapp.connectors import queues, sent, wires

ROOT = Path(__file__).parents[3]


def report(state: str, reason: str = "", name: str = "mail") -> None:
    with transaction() as session:
        health.report(session, {name: lambda: (state, reason)})
    Sessions.remove()


def trouble() -> int:
    """A mail of the demo that has been refused once."""
    with transaction() as session:
        message = session.scalars(select(OutboxMessage).where(OutboxMessage.channel == "mail").limit(1)).one()
        message.state = "unknown"
        row = {"message_id": message.id, "at": clock.now(), "channel": "mail", "number": 1, "milliseconds": 20}
        session.execute(insert(OutboxAttempt), [row | {"outcome": "unknown", "road": "smtp", "error": "451 Später"}])
        found = message.id
    Sessions.remove()
    return found


def test_who_looks_after_connectors(house: DemoHouse) -> None:
    assert house.login("wang.lei").get("/connectors").status_code == 403
    assert house.login("wang.lei").post("/connectors/mail/test").status_code == 403
    assert house.login("zheng.kai").get("/connectors").status_code == 200
    assert house.login("zheng.kai").get("/connectors/nothing").status_code == 404


def test_a_wire_with_its_queue_and_its_errors(house: DemoHouse) -> None:
    report("down", "auth_refused")
    message = trouble()
    page = house.login("zheng.kai").get("/connectors?_l_=en").text
    assert "the server refused the login" in page
    assert "451 Später" in page
    assert f'href="/messages/{message}"' in page
    assert "Simulators: nothing really leaves" in page


def test_the_test_button_is_answered_by_whoever_holds_the_wire(
    house: DemoHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_tests, "TRIALS", {"mail": lambda: [Step("connect", True), Step("login", False, "535 no")]})
    admin = house.login("zheng.kai")
    assert "every 1s" in admin.post("/connectors/mail/test").text, "the card asks again until it is answered"
    wire_tests.answer()
    assert admin.get("/connectors/mail").location == "/connectors", "a card is no page"
    card = admin.get("/connectors/mail?_l_=en", partial=True).text
    assert "535 no" in card
    assert "Sign in" in card
    assert "every 1s" not in card


def test_a_closed_gate_is_opened_by_hand(house: DemoHouse) -> None:
    with transaction() as session:
        gates.note(session, "mail", [False] * gates.FAILURES)
    Sessions.remove()
    admin = house.login("zheng.kai")
    assert "/connectors/mail/open" in admin.get("/connectors").text
    assert admin.post("/connectors/mail/open").status_code == 302
    with transaction() as session:
        assert not gates.closed(session, ["mail"])


def test_the_page_asks_no_more_for_more_wires(house: DemoHouse) -> None:
    def asked() -> int:
        with statements() as seen:
            assert len(wires.all_wires(Sessions())) == len(wires.names(Sessions()))
        Sessions.remove()
        return len(seen)

    before = asked()
    for number in range(1, 6):
        report("up", name=f"sms-{number}")
    assert asked() == before
    assert before <= 8


def test_every_reason_a_wire_may_give_has_words() -> None:
    """Of the errors that end as a health line; those that concern one message alone stand with it."""
    of_messages = {"bad_message", "bad_signature", "connector_error", "link_down", "misconfigured", "peer_refused"}
    of_messages |= {"static_member", "no_such_call", "transfer_not_begun", "bad_pdu", "bad_number", "bad_text"}
    of_messages |= {"text_too_long", "bad_value", "sim"}
    said = set()
    for folder in ("sms", "telephony"):
        for file in (ROOT / "connectors" / folder).rglob("*.py"):
            said |= set(re.findall(r'\bcode ?= ?"(\w+)"', file.read_text(encoding="utf-8")))
    assert {"modem_silent", "silent", "auth_refused"} <= said
    assert said - of_messages <= set(REASONS)


def test_what_lies_in_a_queue_is_counted_up_to_a_bound_and_for_so_long(
    house: DemoHouse, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST", 3)
    with transaction() as session:
        session.execute(update(OutboxMessage).values(state="sent"))
        for number in range(5):
            made = outbox.enqueue(session, channel="sms", key=f"heap:{number}", payload={"to": "1", "text": "x"})
            session.get_one(OutboxMessage, made).state = "failed" if number else "unknown"
        (sms, mail) = sent.roads(session)
        assert (sms.failed.count, sms.failed.is_cut, mail.failed.count) == (3, True, 0)
        session.execute(update(OutboxMessage).where(OutboxMessage.key == "heap:4").values(state="queued"))
        clock.advance(days=31)
        (sms, mail) = sent.roads(session)
        assert (sms.failed.count, sms.waiting.count, sms.waiting.is_cut) == (0, 1, False), "what waits is never too old"
    Sessions.remove()
    assert "failed or in doubt in 30 days" in house.login("zheng.kai").get("/messages?_l_=en").text


# ------------------------------------------------------------------------------------------------- the alarm


def alarms(username: str) -> list[str]:
    with transaction() as session:
        person = session.scalars(select(Employee.id).where(Employee.email == f"{username}@example.com")).one()
        found = session.scalars(
            select(Notice).where(Notice.person_id == person, Notice.kind == "messaging.wire_down").order_by(Notice.id)
        )
        titles = [str(notice.title_values) for notice in found]
    Sessions.remove()
    return titles


def test_who_looks_after_connectors_hears_once_that_one_is_down_and_once_that_it_is_back(
    house: DemoHouse, clock: TestClock
) -> None:
    before = len(alarms("zheng.kai"))
    report("up")
    report("down", "unreachable")
    jobs.watch_wires()
    assert len(alarms("zheng.kai")) == before, "a restart is no alarm"
    clock.advance(seconds=50)
    report("down", "unreachable")
    clock.advance(seconds=15)
    report("down", "unreachable")
    for _again in range(3):
        jobs.watch_wires()
    assert len(alarms("zheng.kai")) == before + 1
    assert not alarms("wang.lei")
    report("up")
    jobs.watch_wires()
    jobs.watch_wires()
    assert len(alarms("zheng.kai")) == before + 2


def test_a_wire_whose_process_has_died_is_an_alarm_too(house: DemoHouse, clock: TestClock) -> None:
    before = len(alarms("zheng.kai"))
    report("up", name="modem")
    clock.advance(minutes=3)
    report("up")
    jobs.watch_wires()
    assert len(alarms("zheng.kai")) == before + 1
    with transaction() as session:
        assert session.get_one(WireHealth, "modem").alarmed
        assert not session.get_one(WireHealth, "mail").alarmed


def test_the_question_is_kept_with_who_asked(house: DemoHouse) -> None:
    with transaction() as session:
        made = wire_tests.ask(session, SYSTEM, "sms")
        assert wire_tests.latest(session, ["sms", "mail"])["sms"].id == made


def test_a_message_shows_every_attempt(house: DemoHouse) -> None:
    message = trouble()
    assert "451 Später" in house.login("zheng.kai").get(f"/messages/{message}").text
