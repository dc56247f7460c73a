"""Mails that came in, through the interface; and answering one."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from connectors.mail import marks
from connectors.mail.simulator import SimulatedMailRoad
from engine import delivering, outbox
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging import jobs as messaging_jobs
from processes.messaging.operations import receiving_mail
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, House, refused
from webapp import wires

RECEIVED = "/connectors/mail/received"
LETTER = {"to": ["wang@customer.example"], "subject": "报价单", "text": "请查收"}


@pytest.fixture
def road(monkeypatch: pytest.MonkeyPatch) -> SimulatedMailRoad:
    made = SimulatedMailRoad("bpm@example.com")
    monkeypatch.setattr(outbox, "HANDLERS", {"mail": wires.MailHandler(made, "bpm@example.com", tags=True)})
    return made


def comes(answers: int | None, number: int = 1, **headers: str) -> int:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "王磊 <wang@customer.example>"
    mail["Subject"] = headers.pop("Subject", "回复: 报价单")
    mail["Message-ID"] = f"<{number}@customer.example>"
    with transaction() as session:
        if answers is not None:
            row = session.get_one(OutboxMessage, answers)
            mail["In-Reply-To"] = f"<{marks.of_mail(row.key, row.id)}@example.com>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content("同意")
        mail.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="合同.pdf")
        raw = mail.as_bytes()
        kept = receiving_mail.keep(session, box="box", uid_validity=1, uid=number, raw=raw, size=len(raw))
    Sessions.remove()
    messaging_jobs.sort_mail()
    assert kept is not None
    return kept


def test_an_answer_is_read_with_its_files(people: House, road: SimulatedMailRoad) -> None:
    admin = people(ADMIN)
    sent = admin.post("/connectors/mail/messages", LETTER)
    delivering.deliver_outbox()
    number = comes(sent["id"])
    seen = admin.get(f"{RECEIVED}/{number}")
    assert (seen["kind"], seen["state"], seen["message"]) == ("letter", "sorted", sent["id"])
    assert (seen["sender"], seen["sender_name"], seen["from_recipient"]) == ("wang@customer.example", "王磊", True)
    assert [file["name"] for file in seen["files"]] == ["合同.pdf"]
    assert admin.call("GET", seen["files"][0]["url"].removeprefix("/api/v1")).data == b"%PDF-1"
    assert admin.call("GET", seen["original"]["url"].removeprefix("/api/v1")).mimetype == "message/rfc822"


def test_lists_are_narrowed(people: House, road: SimulatedMailRoad) -> None:
    admin = people(ADMIN)
    sent = admin.post("/connectors/mail/messages", LETTER)
    answer, other = comes(sent["id"]), comes(None, 2, Subject="自动回复: x")

    def ids(query: str) -> list[int]:
        return [one["id"] for one in admin.get(f"{RECEIVED}?{query}")["items"]]

    assert ids("") == [other, answer]
    assert ids("order=id") == [answer, other]
    assert ids(f"message={sent['id']}") == [answer]
    assert ids("kind=automatic") == [other]
    assert ids("q=报价") == [answer]
    assert ids("instance=99") == []
    assert admin.get(f"{RECEIVED}?count=true&page_size=1")["total"] == 2


def test_who_may_read(people: House, road: SimulatedMailRoad) -> None:
    number = comes(None)
    assert people(ADMIN).get(RECEIVED)["items"]
    for name in (EMPLOYEE, OTHER):
        assert people(name).get(RECEIVED)["items"] == []
        refused(people(name).call("GET", f"{RECEIVED}/{number}"), 404)
    refused(people(ADMIN).call("GET", f"{RECEIVED}/999999"), 404)


@pytest.mark.parametrize("query", ["kind=spam", "instance=x", "order=subject", "page=0", "unknown=1"])
def test_bad_questions(people: House, query: str) -> None:
    refused(people(ADMIN).call("GET", f"{RECEIVED}?{query}"), 422)


def test_a_mail_is_answered_in_its_thread(people: House, road: SimulatedMailRoad) -> None:
    admin = people(ADMIN)
    record = {"type": "organization.employee", "id": people(EMPLOYEE).person_id}
    sent = admin.post("/connectors/mail/messages", {**LETTER, "record": record})
    delivering.deliver_outbox()
    number = comes(sent["id"])
    reply: dict[str, Any] = {**LETTER, "subject": "Re: 报价单", "answers": number}
    again = admin.post("/connectors/mail/messages", reply)
    delivering.deliver_outbox()
    first, second = road.sent
    assert second["In-Reply-To"] == "<1@customer.example>"
    assert second["References"] == f"{first['Message-ID']} <1@customer.example>"
    assert admin.get(f"/connectors/mail/messages/{again['id']}")["record"] == record
    assert str(first["Subject"]).startswith("报价单 [#")


def test_an_answer_to_what_one_may_not_read_is_refused(people: House) -> None:
    problem = refused(people(ADMIN).call("POST", "/connectors/mail/messages", {**LETTER, "answers": 999}), 422)
    assert problem["errors"][0]["field"] == "answers"


def test_an_id_no_header_may_hold_stops_no_answer(people: House, road: SimulatedMailRoad) -> None:
    raw = "From: a@b.cn\r\nMessage-ID: <奇怪>\r\nReferences: <x y> <ok@x>\r\nSubject: s\r\n\r\nx".encode()
    with transaction() as session:
        number = receiving_mail.keep(session, box="b", uid_validity=1, uid=1, raw=raw, size=len(raw))
    Sessions.remove()
    messaging_jobs.sort_mail()
    people(ADMIN).post("/connectors/mail/messages", {**LETTER, "answers": number})
    delivering.deliver_outbox()
    (mail,) = road.sent
    assert (mail["In-Reply-To"], mail["References"]) == (None, "<ok@x>")


def test_an_answer_needs_its_words_alone(people: House, road: SimulatedMailRoad) -> None:
    admin = people(ADMIN)
    sent = admin.post("/connectors/mail/messages", LETTER)
    delivering.deliver_outbox()
    number = comes(sent["id"], Reply_To="desk@customer.example")
    path, key = f"{RECEIVED}/{number}/answers", {"Idempotency-Key": "answer-1"}
    first = admin.post(path, {"text": "已修改。", "cc": ["li@customer.example"]}, headers=key)
    assert admin.post(path, {"text": "已修改。", "cc": ["li@customer.example"]}, headers=key) == first
    delivering.deliver_outbox()
    ours = road.sent[-1]
    assert (ours["To"], ours["Cc"]) == ("desk@customer.example", "li@customer.example")
    assert str(ours["Subject"]).startswith("回复: 报价单 [#")
    assert ours["In-Reply-To"] == "<1@customer.example>"
    text = ours.get_body().get_content().replace("\r\n", "\n")
    assert text.startswith("已修改。\n\nOn ")
    assert "\n> 同意" in text
    assert admin.get(f"{RECEIVED}/{number}")["answered_by"] == [first["id"]]
    plain = admin.post(path, {"text": "无引用", "quote": False, "subject": "另", "to": ["x@customer.example"]})
    assert admin.get(f"/connectors/mail/messages/{plain['id']}")["text"] == "无引用"
    assert admin.get(f"{RECEIVED}/{number}")["answered_by"] == [first["id"], plain["id"]]


def test_who_may_answer_through_the_interface(people: House, road: SimulatedMailRoad) -> None:
    number = comes(None)
    refused(people(EMPLOYEE).call("POST", f"{RECEIVED}/{number}/answers", {"text": "x"}), 404)
    refused(people(ADMIN).call("POST", f"{RECEIVED}/999/answers", {"text": "x"}), 404)
    refused(people(ADMIN).call("POST", f"{RECEIVED}/{number}/answers", {"text": ""}), 422)
