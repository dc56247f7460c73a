"""Received SMS through the interface."""

from __future__ import annotations

from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging.operations import receiving
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, House, refused

RECEIVED = "/connectors/sms/received"
STRANGER = "+8613800138000"


def come_in(text: str, sender: str = STRANGER, **more: str) -> int:
    with transaction() as session:
        made = receiving.receive_message(session, sender=sender, text=text, road="gw", external_id=more.get("id", text))
        assert made is not None
        found = made.id
    Sessions.remove()
    return found


def written_by(person_id: int) -> int:
    with transaction() as session:
        message = OutboxMessage(
            channel="sms",
            key=f"by-{person_id}",
            payload={"to": STRANGER, "text": "明天见？"},
            state="sent",
            available_at=receiving.clock.now(),
            created_at=receiving.clock.now(),
            created_by=person_id,
            instance_id=5,
        )
        session.add(message)
        session.flush()
        made = message.id
    Sessions.remove()
    return made


def test_whoever_asked_reads_the_answer(people: House) -> None:
    asker = people(EMPLOYEE)
    sent = written_by(asker.person_id)
    made = come_in("好")
    seen = asker.get(f"{RECEIVED}/{made}")
    assert (seen["sender"], seen["text"], seen["kind"], seen["complete"]) == (STRANGER, "好", "answer", True)
    assert (seen["answers"], seen["instance_id"], seen["known"]) == (sent, 5, [])
    assert [one["id"] for one in asker.get(RECEIVED)["items"]] == [made]
    assert people(OTHER).get(RECEIVED)["items"] == []
    refused(people(OTHER).call("GET", f"{RECEIVED}/{made}"), 404)


def test_lists_are_narrowed_and_followed(people: House) -> None:
    admin = people(ADMIN)
    first, second, third = come_in("一"), come_in("退订"), come_in("三")
    assert [one["id"] for one in admin.get(RECEIVED)["items"]] == [third, second, first]
    assert [one["id"] for one in admin.get(f"{RECEIVED}?kind=opt_out")["items"]] == [second]
    assert [one["id"] for one in admin.get(f"{RECEIVED}?after={second}&order=id")["items"]] == [third]
    assert admin.get(f"{RECEIVED}?q=三&count=true")["total"] == 1
    refused(admin.call("GET", f"{RECEIVED}?kind=spam"), 422)
    refused(admin.call("GET", f"{RECEIVED}?order=text"), 422)


def test_a_stranger_without_a_token_reads_nothing(people: House) -> None:
    answer = people.app.test_client().get(f"/api/v1{RECEIVED}")
    assert answer.status_code == 401
