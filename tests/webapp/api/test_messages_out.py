"""SMS and mail through the interface: queued once, followed, sent again, taken back."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select

from connectors.mail.simulator import SimulatedMailRoad
from engine import clock, delivering, jobs, outbox
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging.operations import quotas
from processes.messaging.permissions import SEND_MAIL, SEND_SMS
from processes.party import operations as party
from tests.conftest import TestClock
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, SUPERIOR, House, good, refused, request_of
from webapp import wires
from webapp.security import roles
from webapp.security.naming import named
from webapp.settings import Settings

SMS = "/connectors/sms/messages"
MAIL = "/connectors/mail/messages"
TEXT = {"to": "+8613800138000", "text": "您的申请已通过"}
LETTER = {"to": ["wang@example.com"], "subject": "通知", "text": "您好"}


@pytest.fixture
def roads(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process delivers, through simulators."""
    monkeypatch.setattr(outbox, "HANDLERS", {})
    wires.install(settings)


def withdraw(*rights: str) -> None:
    """From all employees."""
    with transaction() as session:
        for role in session.scalars(select(Role).where(Role.name != roles.ADMIN)):
            kept = [one for one in role.permissions if named(one.permission.name, one.view_menu.name) not in rights]
            role.permissions = kept
    Sessions.remove()


def test_an_sms_is_queued_once_and_followed_to_its_end(people: House, roads: None) -> None:
    admin = people(ADMIN)
    sent = admin.post(SMS, TEXT, key="sms-1")
    assert (sent["state"], sent["segments"]) == ("queued", 1)
    assert admin.post(SMS, TEXT, key="sms-1")["id"] == sent["id"]
    assert admin.post(SMS, TEXT)["id"] != sent["id"], "without a key every call is a message of its own"
    seen = admin.get(f"{SMS}/{sent['id']}")
    assert (seen["connector"], seen["recipient"], seen["text"]) == ("sms", TEXT["to"], TEXT["text"])
    delivering.deliver_outbox()
    seen = admin.get(f"{SMS}/{sent['id']}")
    assert (seen["state"], seen["attempts"]) == ("sent", 1)
    assert seen["parts"]["total"] == 1
    assert seen["sent_at"]
    assert [(one["number"], one["outcome"]) for one in seen["history"]] == [(1, "accepted")]


def test_the_same_key_is_the_same_message_even_when_its_answer_is_forgotten(people: House, clock: TestClock) -> None:
    admin = people(ADMIN)
    first = admin.post(SMS, TEXT, key="sms-1")
    clock.advance(days=3)
    jobs.sweep()
    answer = admin.call("POST", SMS, TEXT, key="sms-1")
    assert "Idempotent-Replayed" not in answer.headers
    assert good(answer)["id"] == first["id"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"to": "12", "text": "x"}, {"to"}),
        ({"to": "+861062551234", "text": "x"}, {"to"}),
        ({"to": "+8613800138000", "text": " "}, {"text"}),
        ({"to": "", "text": ""}, {"to", "text"}),
    ],
)
def test_a_faulty_sms_is_refused(people: House, body: dict[str, str], fields: set[str]) -> None:
    problem = refused(people(ADMIN).call("POST", SMS, body), 422, "invalid_form")
    assert {error["field"] for error in problem["errors"]} == fields


def test_only_who_may_send_sends_and_only_who_may_read_reads(people: House) -> None:
    admin, employee = people(ADMIN), people(EMPLOYEE)
    assert employee.post(SMS, TEXT)["state"] == "queued"  # everybody's department has its quota
    assert employee.post(MAIL, LETTER)["state"] == "queued"
    withdraw(SEND_SMS, SEND_MAIL)
    refused(employee.call("POST", SMS, TEXT), 403)
    refused(employee.call("POST", MAIL, LETTER), 403)
    sent = admin.post(SMS, TEXT)
    for action in ("", "/actions/resend", "/actions/cancel"):
        method = "POST" if action else "GET"
        refused(employee.call(method, f"{SMS}/{sent['id']}{action}", {} if action else None), 404)
    refused(admin.call("GET", f"{MAIL}/{sent['id']}"), 404)
    refused(admin.call("GET", f"/connectors/fax/messages/{sent['id']}"), 404)


def test_whoever_gets_a_message_does_not_decide_on_it(people: House) -> None:
    admin, employee = people(ADMIN), people(EMPLOYEE)
    record = {"type": "organization.employee", "id": employee.person_id}
    path = f"{SMS}/{admin.post(SMS, {**TEXT, 'record': record})['id']}"
    assert employee.get(path)["state"] == "queued"
    for action in ("cancel", "resend"):
        refused(employee.call("POST", f"{path}/actions/{action}"), 403)
    assert admin.post(f"{path}/actions/cancel")["state"] == "cancelled"


def test_what_waits_is_taken_back_and_what_failed_is_sent_again(people: House, clock: TestClock) -> None:
    admin = people(ADMIN)
    later = (clock.at + timedelta(hours=2)).isoformat()
    sent = admin.post(SMS, {**TEXT, "send_at": later})
    path = f"{SMS}/{sent['id']}"
    assert admin.get(path)["next_attempt_at"].startswith("2026-11-23T03:00")
    refused(admin.call("POST", f"{path}/actions/resend"), 409)
    assert admin.post(f"{path}/actions/cancel")["state"] == "cancelled"
    refused(admin.call("POST", f"{path}/actions/cancel"), 422)
    assert admin.post(f"{path}/actions/resend")["state"] == "queued"
    with transaction() as session:
        session.get_one(OutboxMessage, sent["id"]).state = "unknown"
    Sessions.remove()
    assert admin.post(f"{path}/actions/resend")["state"] == "queued"


def test_a_mail_carries_files_that_its_sender_may_read(
    people: House, roads: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    admin, other = people(ADMIN), people(OTHER)
    mine = good(admin.call("POST", "/attachments", data={"file": (io.BytesIO("报价".encode()), "报价.txt")}))
    others = good(other.call("POST", "/attachments", data={"file": (io.BytesIO(b"x"), "x.txt")}))
    problem = refused(admin.call("POST", MAIL, {**LETTER, "attachments": [mine["id"], others["id"]]}), 422)
    assert [error["field"] for error in problem["errors"]] == ["attachments.1"]
    letters = []
    send = SimulatedMailRoad.send
    monkeypatch.setattr(SimulatedMailRoad, "send", lambda road, mail: (letters.append(mail), send(road, mail))[1])
    sent = admin.post(MAIL, {**LETTER, "html": "<p>您好</p>", "cc": ["li@example.com"], "attachments": [mine["id"]]})
    delivering.deliver_outbox()
    assert admin.get(f"{MAIL}/{sent['id']}")["state"] == "sent"
    (letter,) = letters
    assert [(file.filename, file.content.decode()) for file in letter.attachments] == [("报价.txt", "报价")]
    refused(admin.call("DELETE", f"/attachments/{mine['id']}"), 404)


def test_a_mail_and_an_sms_are_about_what_one_may_read(people: House) -> None:
    seller, other = people(EMPLOYEE), people(OTHER)
    with transaction() as session:
        made = party.create_customer(session, SYSTEM, values={"name": "华宇智联", "email": "a@b.example"})
        made.owner_id, made.state = seller.person_id, "locked"
        record = {"type": "party.customer", "id": made.id}
    Sessions.remove()
    mine = seller.post(MAIL, {**LETTER, "record": record}, key="once")
    assert seller.post(MAIL, {**LETTER, "record": record}, key="once")["id"] == mine["id"]
    assert seller.get(f"{MAIL}/{mine['id']}")["record"] == record
    by_address = seller.get(f"{MAIL}/{seller.post(MAIL, {**LETTER, 'to': ['A@b.example']})['id']}")
    assert (by_address["record"], by_address["recipient"]) == (record, "华宇智联 A@b.example")
    for path, body in ((MAIL, LETTER), (SMS, TEXT)):
        answers = [
            refused(other.call("POST", path, {**body, "record": one}), 422)
            for one in (record, {**record, "id": 987654})
        ]
        assert answers[0] == answers[1]
        assert [error["field"] for error in answers[0]["errors"]] == ["record"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": []}, "to"),
        ({"to": ["nobody"]}, "to.0"),
        ({"to": ["a@b.c\r\nBcc: x@y.z"]}, "to.0"),
        ({"subject": "a\nb"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"text": ""}, "text"),
        ({"send_at": "2026-05-04T09:00:00"}, "send_at"),
        ({"record": {"type": "x"}}, "record"),
    ],
)
def test_a_faulty_mail_is_refused(people: House, change: dict[str, object], field: str) -> None:
    problem = refused(people(ADMIN).call("POST", MAIL, {**LETTER, **change}), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_connectors_describe_themselves(people: House, roads: None) -> None:
    assert {one["state"] for one in people(EMPLOYEE).get("/connectors")["items"]} == {"unknown"}
    jobs.report_health()
    found = {one["name"]: one for one in people(EMPLOYEE).get("/connectors")["items"]}
    assert set(found) == {"sms", "mail", "telephony", "word"}
    assert found["sms"]["state"] == "up"
    (operation,) = found["sms"]["operations"]
    assert operation["path"] == "/api/v1/connectors/sms/messages"
    assert "text" in str(operation["input"])


def test_messages_are_listed_for_who_wrote_or_got_them(people: House, clock: TestClock) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    started = employee.post("/process-definitions/expense_request/start", request_of("80.00"))
    (item,) = superior.inbox()
    superior.act(item, "approve")
    query = f"{SMS}?instance={started['id']}"
    (told,) = employee.get(query)["items"]
    assert "199" in told["recipient"]
    (written,) = superior.get(query)["items"]
    assert written["id"] == told["id"]
    assert written["recipient"] != told["recipient"], "the number of a colleague is masked"
    assert people(OTHER).get(query)["items"] == []
    assert people(ADMIN).get(query)["items"][0]["recipient"] == told["recipient"]
    assert employee.get(f"{query}&state=failed&count=true")["total"] == 0
    assert employee.get(f"{query}&q=nothing")["items"] == []
    assert employee.get(f"{MAIL}?instance={started['id']}")["items"]


def test_an_sms_says_whose_quota_it_takes_and_a_commercial_one_needs_consent(people: House) -> None:
    admin, clerk = people(ADMIN), people("zheng.kai")
    assert admin.post(SMS, TEXT)["charged_department"] is None, "an administrator in no department has no quota"
    answer = clerk.post(SMS, TEXT)
    assert answer["charged_department"]["name"] == "行政人事部"
    refused(clerk.call("POST", SMS, {**TEXT, "purpose": "commercial"}), 422, "no_consent")
    with transaction() as session:
        quotas.create_quota(
            session,
            SYSTEM,
            values={
                "department": answer["charged_department"]["id"],
                "month": clock.now().date(),
                "segments": 1,
            },
        )
    problem = refused(clerk.call("POST", SMS, TEXT), 422, "sms_quota_used_up")
    assert "1 of 1 segments are used" in problem["detail"]
