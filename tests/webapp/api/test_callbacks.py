"""What other systems call in: signed, stored once, answered when it is committed; refused without a 500."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from sqlalchemy import select
from werkzeug.test import TestResponse

from connectors.outcome import BadSignature
from connectors.signatures import sign
from engine import clock
from engine.db import Sessions, transaction
from engine.models import Instance, Message
from processes.messaging.models import SmsReceived
from processes.webhooks.models import InboundHook, Reception
from processes.webhooks.operations import sweep_receptions
from tests.conftest import TestClock
from tests.webapp.callers import ADMIN, CATEGORY, EMPLOYEE, OTHER, House, refused
from webapp import wires
from webapp.api import callbacks
from webapp.settings import Settings

HOOKS = "/inbound-hooks"
PAID = {"type": "order.paid", "data": {"order": {"number": "SO-17", "amount": "12.00"}}}


def door(people: House, **fields: Any) -> dict[str, Any]:
    body = {"name": "商城", "action": "message", "target": "order_paid", "business_key": "data.order.number", **fields}
    made: dict[str, Any] = people(ADMIN).post(HOOKS, body)
    return made


def call(
    people: House,
    made: dict[str, Any],
    body: Any = PAID,
    message_id: str = "msg_1",
    *,
    at: datetime | None = None,
    **change: str,
) -> TestResponse:
    """As another implementation signs it."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    at = at or clock.now()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(made["secret"]).sign(message_id, at, text),
        "Accept-Language": "en",
        **{name.replace("_", "-"): value for name, value in change.items()},
    }
    path = made["hook"]["path"]
    response = people.app.test_client().post(path, data=text.encode(), headers=headers)
    Sessions.remove()
    return response


def messages() -> list[Message]:
    with transaction() as session:
        found = list(session.scalars(select(Message).order_by(Message.id)))
        for one in found:
            session.expunge(one)
    Sessions.remove()
    return found


def test_a_signed_message_reaches_the_processes_once(people: House) -> None:
    made = door(people)
    for _n in range(3):
        answer = call(people, made)
        assert (answer.status_code, answer.get_json()["id"]) == (200, "msg_1")
    (message,) = messages()
    assert (message.name, message.business_key, message.message_id) == ("order_paid", "SO-17", "msg_1")
    assert message.variables == {"payload": PAID}
    (seen,) = people(ADMIN).get(f"{HOOKS}/{made['hook']['id']}/receptions")["items"]
    assert (seen["state"], seen["message_id"], seen["business_key"]) == ("taken", "msg_1", "SO-17")
    assert seen["body"] == PAID


def test_a_start_fills_the_form_in_the_owners_name(people: House) -> None:
    made = door(people, action="start", target="expense_request", form="data.form", business_key="", variable="erp")
    form = {"title": "云服务器", "lines": [{"category": CATEGORY, "amount": "80.00", "purpose": "年费"}]}
    answer = call(people, made, {"data": {"form": form}})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    with transaction() as session:
        instance = session.get_one(Instance, answer.get_json()["instance_id"])
        assert (instance.definition_key, instance.state) == ("expense_request", "running")
        assert instance.starter_id == session.scalars(select(InboundHook.owner_id)).one()
    Sessions.remove()
    again = call(people, made, {"data": {"form": form}})
    assert again.get_json() == answer.get_json(), "the same message starts nothing more"


def test_what_the_house_refuses_is_kept_and_may_come_again(people: House) -> None:
    made = door(people, action="start", target="expense_request", form="data.form", business_key="")
    problem = refused(call(people, made, {"data": {"form": {"title": ""}}}), 422, "invalid_form")
    assert problem["errors"]
    (seen,) = people(ADMIN).get(f"{HOOKS}/{made['hook']['id']}/receptions?state=refused")["items"]
    assert seen["error"]
    form = {"title": "云服务器", "lines": [{"category": CATEGORY, "amount": "80.00", "purpose": "年费"}]}
    assert call(people, made, {"data": {"form": form}}).status_code == 200
    (seen,) = people(ADMIN).get(f"{HOOKS}/{made['hook']['id']}/receptions")["items"]
    assert (seen["state"], seen["error"]) == ("taken", "")


def test_two_at_once_are_one(people: House) -> None:
    made = door(people, action="start", target="expense_request", form="data.form", business_key="")
    form = {"title": "云服务器", "lines": [{"category": CATEGORY, "amount": "80.00", "purpose": "年费"}]}
    answers: list[TestResponse] = []
    threads = [
        threading.Thread(target=lambda: answers.append(call(people, made, {"data": {"form": form}}))) for _n in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.status_code for one in answers} == {200}
    assert len({one.get_json()["instance_id"] for one in answers}) == 1
    with transaction() as session:
        owner = session.scalars(select(InboundHook.owner_id)).one()
        assert len(session.scalars(select(Instance.id).where(Instance.starter_id == owner)).all()) == 1
    Sessions.remove()


def test_a_bad_signature_is_401_and_leaves_nothing(people: House) -> None:
    made = door(people)
    for change in (
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": ""},
        {"webhook_id": "msg_2"},
        {"webhook_timestamp": "x"},
        {"webhook_id": ""},
    ):
        refused(call(people, made, **change), 401, "bad_signature")
    for late in (-301, 301):
        refused(call(people, made, at=clock.now() + timedelta(seconds=late)), 401, "bad_signature")
    assert messages() == []


def test_nobody_learns_which_doors_there_are(people: House) -> None:
    made = door(people)
    other = {**made, "hook": {**made["hook"], "path": "/api/v1/connectors/webhook/callbacks/unknown"}}
    assert call(people, other).get_json()["code"] == call(people, made, webhook_id="y").get_json()["code"]
    refused(call(people, other), 401)
    no_such = {**made, "hook": {**made["hook"], "path": "/api/v1/connectors/fax/callbacks/x"}}
    refused(call(people, no_such), 404)


def test_a_strange_body_is_refused_and_never_a_500(people: House) -> None:
    made = door(people)
    for body in (
        "[]",
        "",
        "{",
        '{"a": NaN}',
        '{"data": {"order": {"number": "SO-1"}}, "amount": 1e400}',
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        "[" * 100_000,
        '{"a":' * 100 + "1" + "}" * 100,
        '{"data": {}}',
        '{"data": {"order": {"number": "' + "x" * 121 + '"}}}',
    ):
        refused(call(people, made, body), 422)
    refused(call(people, made, '{"a": "' + "x" * 300_000 + '"}'), 413)
    assert messages() == []


def test_an_unforeseen_fault_asks_for_another_try(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> callbacks.Acknowledged:
        raise ZeroDivisionError

    monkeypatch.setitem(callbacks.CALLBACKS, "webhook", broken)
    problem = refused(call(people, door(people)), 503)
    assert "Retry-After" not in problem


def test_another_connector_registers_its_own_reader(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def read(_session: object, key: str, headers: Any, body: bytes) -> callbacks.Acknowledged:
        if headers.get("X-Sign") != "good":
            raise BadSignature("no")
        seen.append((key, body))
        return callbacks.Acknowledged({"code": 0})

    monkeypatch.setitem(callbacks.CALLBACKS, "sms", read)
    client = people.app.test_client()
    answer = client.post("/api/v1/connectors/sms/callbacks/k1", data=b"x=1", headers={"X-Sign": "good"})
    assert (answer.status_code, answer.get_json(), seen) == (200, {"code": 0}, [("k1", b"x=1")])
    refused(client.post("/api/v1/connectors/sms/callbacks/k1", data=b"x=1"), 401)


def test_a_door_that_is_off_keeps_what_knocks(people: House) -> None:
    made = door(people)
    people(ADMIN).call("PATCH", f"{HOOKS}/{made['hook']['id']}", {"state": "off"})
    refused(call(people, made), 403, "hook_off")
    people(ADMIN).call("PATCH", f"{HOOKS}/{made['hook']['id']}", {"state": "on"})
    assert call(people, made).status_code == 200


def test_an_owner_without_the_right_lets_nothing_in(people: House) -> None:
    made = door(people)
    with transaction() as session:
        session.get_one(InboundHook, made["hook"]["id"]).owner_id = people(OTHER).person_id
    Sessions.remove()
    refused(call(people, made), 403, "owner_may_not")
    people(ADMIN).post(f"{HOOKS}/{made['hook']['id']}/actions/take-over")
    assert call(people, made).status_code == 200


def test_the_old_secret_opens_for_a_day(people: House, clock: TestClock) -> None:
    made = door(people)
    new = people(ADMIN).post(f"{HOOKS}/{made['hook']['id']}/actions/rotate-secret")
    assert call(people, made, message_id="a").status_code == 200
    assert call(people, new, message_id="b").status_code == 200
    clock.advance(hours=24)
    refused(call(people, made, message_id="c"), 401)
    assert call(people, new, message_id="d").status_code == 200


def test_it_is_deleted_with_what_came_in(people: House) -> None:
    made = door(people)
    call(people, made)
    assert people(ADMIN).call("DELETE", f"{HOOKS}/{made['hook']['id']}").status_code == 204
    refused(call(people, made), 401)
    assert len(messages()) == 1, "what it set going goes on"


def test_what_came_in_long_ago_is_forgotten(people: House, clock: TestClock) -> None:
    call(people, door(people))
    clock.advance(hours=24 * 91)
    with transaction() as session:
        assert sweep_receptions(session) == 1
        assert session.scalars(select(Reception)).all() == []
    Sessions.remove()


def test_a_faulty_door_is_refused(people: House) -> None:
    for change in (
        {"business_key": "a..b"},
        {"variable": "1x"},
        {"target": "no_such_process", "action": "start"},
    ):
        body = {"name": "商城", "action": "message", "target": "order_paid", **change}
        problem = refused(people(ADMIN).call("POST", HOOKS, body), 422)
        assert {error["field"] for error in problem["errors"]} == {next(iter(change))}


def test_an_employee_may_not(people: House) -> None:
    refused(people(EMPLOYEE).call("GET", HOOKS), 403)
    refused(people(EMPLOYEE).call("POST", HOOKS, {"name": "商城", "action": "message", "target": "x"}), 403)


def test_the_sms_gateway_calls_at_the_same_door(people: House) -> None:
    wires.expect_callbacks(Settings(sms_gateway_url="https://sms.example.cn/send", sms_gateway_secret="geheim"))
    body = json.dumps({"events": [{"type": "received", "id": "up-1", "from": "13800138000", "text": "好的"}]}).encode()
    good = sign(["geheim"], "m1", clock.now(), body)
    bad = sign(["guessed"], "m1", clock.now(), body)
    door = "/api/v1/connectors/sms/callbacks"
    try:
        client = people.app.test_client()
        answers = [client.post(f"{door}/gateway", data=body, headers=one).status_code for one in (bad, good, good)]
        elsewhere = client.post(f"{door}/another", data=body, headers=good).status_code
    finally:
        wires.expect_callbacks(Settings())
    assert (answers, elsewhere) == ([403, 200, 200], 404)
    with transaction() as session:
        (kept,) = session.scalars(select(SmsReceived))
        assert kept.text == "好的"
