"""What the SMS gateway calls back with, and what becomes of the messages it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from connectors.signatures import sign
from connectors.sms.pdu import DeliveryState
from engine import clock, outbox
from engine.db import Sessions, transaction
from engine.errors import Forbidden, NotFound, RuleViolation
from engine.models import OutboxMessage
from processes.messaging.jobs import match_reports
from processes.messaging.models import SmsReceived, SmsReport
from processes.messaging.operations import reporting
from tests.conftest import TestClock
from tests.databases import Database
from webapp import wires
from webapp.settings import Settings

SECRET = "a secret of the gateway"
GATEWAY = Settings(sms_gateway_url="https://sms.example.cn/send", sms_gateway_secret=SECRET)
ROAD = "https://sms.example.cn:443"
TO = "+8619900000001"


@pytest.fixture(autouse=True)
def gateway(database: Database, clock: TestClock) -> Iterator[None]:
    wires.expect_callbacks(GATEWAY)
    yield
    wires.expect_callbacks(Settings())


def call(*events: dict[str, object], secret: str = SECRET) -> None:
    body = json.dumps({"events": events}).encode()
    headers = sign([secret], "m1", clock.now(), body)
    with transaction() as session:
        wires.take_callback(session, headers, body)
    Sessions.remove()


def sent(state: str = "sent", key: str = "k", **result: object) -> int:
    with transaction() as session:
        made = outbox.enqueue(session, channel="sms", key=key, payload={"to": TO, "text": "短信"})
        message = session.get_one(OutboxMessage, made)
        message.state, message.result = state, {"road": ROAD, "total": 1, **result}
    Sessions.remove()
    return made


def state(message_id: int) -> tuple[str, str]:
    with transaction() as session:
        row = session.execute(
            select(OutboxMessage.state, OutboxMessage.last_error).where(OutboxMessage.id == message_id)
        ).one()
    Sessions.remove()
    return row.state, row.last_error


def test_an_answer_is_taken_in_once() -> None:
    for _twice in range(2):
        call({"type": "received", "id": "up-1", "from": "13800138000", "text": "好的"})
    with transaction() as session:
        (kept,) = session.scalars(select(SmsReceived))
        assert (kept.sender, kept.text, kept.road, kept.kind) == ("+8613800138000", "好的", ROAD, "answer")


@pytest.mark.parametrize("how", ["id", "message"])
def test_a_report_finds_its_message_by_their_id_or_by_ours(how: str) -> None:
    made, other = sent(provider_ids=["Biz-9"]), sent(key="other", provider_ids=["Biz-99"])
    named = {"id": "Biz-9"} if how == "id" else {"message": str(made)}
    call({"type": "report", "state": "trying", **named})
    assert state(made)[0] == "sent"
    call({"type": "report", "state": "delivered", **named})
    assert state(made) == ("delivered", "")
    assert state(other)[0] == "sent"


def test_a_failure_says_why_and_settles_doubt() -> None:
    made = sent("unknown")
    call({"type": "report", "message": str(made), "state": "failed", "code": "MK:0001"})
    assert state(made) == ("failed", "report: MK:0001")
    doubtful = sent("unknown", key="second")
    call({"type": "report", "message": str(doubtful), "state": "delivered"})
    assert state(doubtful) == ("delivered", "")


def test_a_report_before_the_answer_waits_for_it(clock: TestClock) -> None:
    made = sent("sending")
    call({"type": "report", "id": "Biz-9", "state": "delivered"})
    assert state(made)[0] == "sending"
    with transaction() as session:
        message = session.get_one(OutboxMessage, made)
        message.state, message.result = "sent", {**message.result, "provider_ids": ["Biz-9"]}
    assert match_reports() == 1
    assert state(made)[0] == "delivered"
    call({"type": "report", "id": "of nobody", "state": "delivered"})
    clock.advance(hours=49)
    assert match_reports() == 0
    with transaction() as session:
        assert session.scalars(select(SmsReport)).all() == []


def test_a_reference_that_comes_round_again_is_the_newest_messages(clock: TestClock) -> None:
    old = sent(key="old", refs={"1": 7})
    clock.advance(hours=1)
    new = sent(key="new", refs={"1": 7})
    with transaction() as session:
        assert reporting.note_report(session, road=ROAD, to="8619900000001", state=DeliveryState.DELIVERED, ref=7)
    assert (state(old)[0], state(new)[0]) == ("sent", "delivered")


def test_an_early_report_is_not_given_to_a_later_message(clock: TestClock) -> None:
    with transaction() as session:
        assert not reporting.note_report(session, road=ROAD, to=TO, state=DeliveryState.DELIVERED, ref=7)
    clock.advance(hours=1)
    later = sent(refs={"1": 7})
    assert match_reports() == 0
    assert state(later)[0] == "sent"


def test_a_foreign_signature_stores_nothing() -> None:
    with pytest.raises(Forbidden):
        call({"type": "received", "id": "up-1", "from": "13800138000", "text": "好的"}, secret="another")
    with transaction() as session:
        assert session.scalars(select(SmsReceived)).all() == []


def test_a_body_with_one_fault_stores_nothing() -> None:
    with pytest.raises(RuleViolation, match=r"events\.1\.state"):
        call({"type": "received", "id": "up-1", "from": "1", "text": "x"}, {"type": "report", "state": "?"})
    with transaction() as session:
        assert session.scalars(select(SmsReceived)).all() == []


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(sms_gateway_url="https://sms.example.cn/send"),
        Settings(demo=True, sms_gateway_url="https://sms.example.cn/send", sms_gateway_secret=SECRET),
    ],
)
def test_a_house_without_a_gateway_or_its_secret_is_called_by_nobody(settings: Settings) -> None:
    wires.expect_callbacks(settings)
    with pytest.raises(NotFound):
        call()
