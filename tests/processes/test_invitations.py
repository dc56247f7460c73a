"""Invitations: one for each record, changed and withdrawn under one name; answers are noted once and in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.mail.invitation import Guest, Invitation as OnTheWire, read_answers, write
from connectors.mail.simulator import SimulatedMailRoad
from engine import attachments, delivering, events, outbox
from engine.actor import SYSTEM
from engine.errors import InvalidForm, NotFound, RuleViolation
from engine.models import OutboxMessage
from engine.service_tasks import TOPICS, StepFacts, invoke
from processes.messaging import jobs
from processes.messaging.models import Invitation, ReceivedMail
from processes.messaging.operations import inviting, receiving_mail
from tests.conftest import TestClock
from tests.processes.company import Company
from webapp import wires

MEETING = ("facility.booking", 17)
NINE = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
GUESTS = [("lina@example.com", "李娜"), ("Wang@customer.example", "王磊")]


@pytest.fixture(autouse=True)
def tidy(tmp_path: Path, session: Session) -> Iterator[None]:
    attachments.install(tmp_path / "files")
    yield
    session.close()


def invite(session: Session, **more: Any) -> Invitation:
    values = {
        "title": "季度评审会",
        "starts_at": NINE,
        "ends_at": NINE + timedelta(hours=1),
        "guests": GUESTS,
        "place": "三楼",
    }
    made = inviting.invite(session, SYSTEM, record=MEETING, **(values | more))
    session.commit()
    return made


def mails(session: Session) -> list[tuple[str, str, int, bool]]:
    """(to, subject, sequence, cancelled) of all that was queued."""
    rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
    found = [(r.payload["to"][0], r.payload["subject"], r.payload["invitation"]) for r in rows]
    session.commit()
    return [(to, subject, told["sequence"], told["cancelled"]) for to, subject, told in found]


def reply(
    invitation: Invitation,
    address: str,
    answer: str = "ACCEPTED",
    *,
    sequence: int = 0,
    stamp: str = "20261123T020000Z",
    sender: str = "",
    number: int = 1,
) -> bytes:
    return (
        f"From: {sender or address}\r\nTo: bpm@example.cn\r\nMessage-ID: <{number}@x>\r\nSubject: Accepted\r\n"
        "Content-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n"
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\n"
        f"UID:{invitation.uid}@example.cn\r\nSEQUENCE:{sequence}\r\nDTSTAMP:{stamp}\r\nCOMMENT:晚到十分钟\r\n"
        f"ATTENDEE;CN=x;PARTSTAT={answer}:mailto:{address}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def comes(session: Session, raw: bytes, uid: int = 1) -> ReceivedMail:
    kept = receiving_mail.keep(session, box="b", uid_validity=1, uid=uid, raw=raw, size=len(raw))
    session.commit()
    jobs.sort_mail()
    row = session.get_one(ReceivedMail, kept, populate_existing=True)
    session.commit()
    return row


def states(session: Session) -> dict[str, str]:
    session.expire_all()
    found = {guest.address: guest.state for guest in session.scalars(select(Invitation)).one().guests}
    session.commit()
    return found


# ------------------------------------------------------------------------------------------------- what leaves


def test_every_guest_gets_a_mail_and_the_same_again_sends_nothing(session: Session, company: Company) -> None:
    first, again = invite(session), invite(session)
    assert first.id == again.id
    assert mails(session) == [
        ("lina@example.com", "会议邀请：季度评审会", 0, False),
        ("wang@customer.example", "会议邀请：季度评审会", 0, False),
    ]


def test_a_change_goes_to_all_under_the_next_number_and_whoever_is_out_is_told(
    session: Session, company: Company
) -> None:
    invite(session)
    invite(
        session,
        starts_at=NINE + timedelta(hours=2),
        ends_at=NINE + timedelta(hours=3),
        guests=[GUESTS[0], ("new@x.cn", "")],
    )
    assert mails(session)[2:] == [
        ("lina@example.com", "会议变更：季度评审会", 1, False),
        ("new@x.cn", "会议邀请：季度评审会", 1, False),
        ("wang@customer.example", "会议取消：季度评审会", 1, True),
    ]


def test_a_withdrawal_once_and_a_new_beginning(session: Session, company: Company) -> None:
    invite(session)
    for _twice in range(2):
        inviting.withdraw(session, SYSTEM, record=MEETING)
        session.commit()
    assert [(sequence, cancelled) for _to, _subject, sequence, cancelled in mails(session)[2:]] == [
        (1, True),
        (1, True),
    ]
    made = invite(session)
    assert (made.state, made.sequence) == ("active", 2)
    with pytest.raises(NotFound):
        inviting.withdraw(session, SYSTEM, record=("facility.booking", 99))


def test_what_is_wrong_is_told_all_at_once(session: Session, company: Company) -> None:
    with pytest.raises(InvalidForm) as refused:
        invite(session, title=" ", ends_at=NINE, guests=[("nonsense", "")])
    assert {problem.where for problem in refused.value.problems} == {"title", "ends_at", "guests.0"}


def test_on_the_wire_it_is_an_invitation_of_ours(
    session: Session, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    road = SimulatedMailRoad("云流 <bpm@example.cn>")
    monkeypatch.setattr(outbox, "HANDLERS", {"mail": wires.MailHandler(road, "云流 <bpm@example.cn>")})
    made = invite(session)
    delivering.deliver_outbox()
    (part,) = [part for part in road.sent[0].walk() if part.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REQUEST"
    raw = part.get_content()
    assert all(len(line.encode()) <= 75 for line in raw.splitlines())
    (event,) = Calendar.from_ical(raw).walk("VEVENT")
    assert str(event["uid"]) == f"{made.uid}@example.cn"
    assert event["dtstart"].params["TZID"] == "Asia/Shanghai"
    assert event["dtstart"].dt == NINE
    assert str(event["organizer"]) == "mailto:bpm@example.cn"
    assert event["organizer"].params["CN"] == "云流"
    assert [str(one) for one in event["attendee"]] == ["mailto:lina@example.com", "mailto:wang@customer.example"]
    (zone,) = Calendar.from_ical(raw).walk("VTIMEZONE")
    assert str(zone["tzid"]) == "Asia/Shanghai"


def test_long_chinese_lines_are_folded_and_whole() -> None:
    title = "关于第四季度服务器设备采购项目的评审与交货安排协调会，请准时参加" * 3
    text = write(
        OnTheWire(
            "u@x",
            1,
            title,
            NINE,
            NINE + timedelta(hours=1),
            NINE,
            Guest("a@x.cn", '王"磊'),
            (Guest("b@x.cn"),),
            cancelled=True,
        )
    )
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert (str(event["summary"]), str(event["status"]), int(event["sequence"])) == (title, "CANCELLED", 1)
    assert "METHOD:CANCEL\r\n" in text


# ------------------------------------------------------------------------------------------------- what comes back


def test_an_answer_is_noted_and_told(session: Session, company: Company) -> None:
    made = invite(session)
    heard: list[tuple[str, str]] = []

    def note(session: Session, *, invitation: Invitation, guest: Any) -> None:
        heard.append((guest.address, guest.state))

    events.subscribe(inviting.ANSWERED)(note)
    try:
        row = comes(session, reply(made, "Wang@customer.example"))
        comes(session, reply(made, "lina@example.com", "DECLINED", number=2), 2)
        comes(session, reply(made, "lina@example.com", "DECLINED", number=3), 3)  # by another way again
    finally:
        events._SUBSCRIBERS[inviting.ANSWERED].remove(note)
    assert (row.kind, row.state, row.record_type, row.record_id) == ("calendar", "sorted", *MEETING)
    assert states(session) == {"lina@example.com": "declined", "wang@customer.example": "accepted"}
    assert heard == [("wang@customer.example", "accepted"), ("lina@example.com", "declined")]
    assert session.scalars(select(Invitation)).one().guests[1].comment == "晚到十分钟"


def test_late_answers_change_nothing(session: Session, company: Company) -> None:
    made = invite(session)
    comes(session, reply(made, "lina@example.com", "DECLINED", stamp="20261123T030000Z"))
    comes(session, reply(made, "lina@example.com", "ACCEPTED", stamp="20261123T020000Z", number=2), 2)
    assert states(session)["lina@example.com"] == "declined"
    invite(session, place="四楼")  # who said yes to the old place is asked again
    assert states(session)["lina@example.com"] == "invited"
    comes(session, reply(made, "lina@example.com", sequence=0, stamp="20261123T040000Z", number=3), 3)
    assert states(session)["lina@example.com"] == "invited"
    comes(session, reply(made, "lina@example.com", sequence=1, stamp="20261123T050000Z", number=4), 4)
    assert states(session)["lina@example.com"] == "accepted"
    invite(session, place="四楼", text="请带样品")  # only other words: the answer stands
    assert states(session)["lina@example.com"] == "accepted"


def test_whoever_answers_under_another_name_is_known_by_his_address_and_strangers_are_not(
    session: Session, company: Company
) -> None:
    made = invite(session)
    comes(session, reply(made, "alias@corp.example", sender="lina@example.com"))
    comes(session, reply(made, "stranger@x.cn", number=2), 2)
    assert states(session) == {"lina@example.com": "accepted", "wang@customer.example": "invited"}


def test_no_answer_of_no_meeting_of_ours(session: Session, company: Company) -> None:
    made = Invitation(uid="facility-booking-1-guess")
    assert comes(session, reply(made, "lina@example.com")).record_type is None
    assert read_answers("BEGIN:VCALENDAR\nnonsense") == ()
    assert read_answers("") == ()


# ------------------------------------------------------------------------------------------------- in a diagram


def test_a_process_invites_and_withdraws(session: Session, company: Company, clock: TestClock) -> None:
    facts = StepFacts(3, "review", None, company.li.id, 12, "invite", None)
    times = {"starts_at": "2026-11-25T09:00:00+08:00", "ends_at": "2026-11-25T10:00:00+08:00"}
    values = {"title": "评审", "guests": [company.li.id, company.zhao.id], **times}
    answer = invoke(TOPICS["messaging.invite"], session, SYSTEM, facts, values)
    assert answer["without_address"] == [company.zhao.id]
    invoke(TOPICS["messaging.withdraw_invitation"], session, SYSTEM, facts, {})
    session.commit()
    assert [cancelled for _to, _subject, _sequence, cancelled in mails(session)] == [False, True]
    with pytest.raises(RuleViolation):
        invoke(TOPICS["messaging.invite"], session, SYSTEM, facts, {**values, "starts_at": "2026-11-25 9:00"})
