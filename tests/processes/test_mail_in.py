"""Mails that come in: kept once, laid to what they answer, told to who waits; reports settle what was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.mail import marks
from connectors.mail.quoting import new_words
from engine import attachments, events, repository, runtime
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.models import Attachment, Instance, Message, MessageWait, OutboxMessage
from processes.messaging import jobs, permissions
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import receiving_mail
from processes.messaging.operations.receiving_mail import RECEIVED
from processes.messaging.operations.reports import BOUNCED
from tests.conftest import TestClock
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import Company, actor_of
from tests.processes.mails import BOX, comes, letter, mark_of, refreshed, report, sent


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, session: Session) -> Iterator[None]:
    attachments.install(tmp_path / "files")
    yield
    session.close()  # the job has let go of it


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    ours = []
    for name in (RECEIVED, BOUNCED):

        def note(session: Session, *, _name: str = name, **facts: Any) -> None:
            found.append((_name, facts))

        ours.append((name, events.subscribe(name)(note)))
    yield found
    for name, note in ours:
        events._SUBSCRIBERS[name].remove(note)


# ------------------------------------------------------------------------------------------------- kept once


def test_a_mail_is_kept_with_its_bytes_before_anything_is_done(session: Session, company: Company) -> None:
    raw = letter(files=(("报价单—设备采购（2026年11月）𠮷.pdf", b"%PDF-1"),))
    kept = receiving_mail.keep(session, box=BOX, uid_validity=1, uid=7, raw=raw, size=len(raw))
    session.commit()
    row = session.get_one(ReceivedMail, kept)
    assert (row.state, row.sender, row.sender_name, row.subject) == ("new", "wang@customer.cn", "王磊", "Re: 报价单")
    assert receiving_mail.raw_of(session, row) == raw


def test_the_same_mail_again_is_the_same_whatever_its_uid(session: Session, company: Company) -> None:
    raw = letter()
    comes(session, raw)
    again = receiving_mail.keep(session, box=BOX, uid_validity=2, uid=1, raw=b"Received: by b\r\n" + raw, size=len(raw))
    assert again is None
    other = letter(text="anders")
    assert receiving_mail.keep(session, box=BOX, uid_validity=2, uid=2, raw=other, size=len(other)) is not None
    session.commit()
    assert session.scalar(select(func.count(ReceivedMail.id))) == 2


def test_the_cursor_of_each_mailbox(session: Session, company: Company) -> None:
    assert receiving_mail.cursor(session, BOX) == (0, 0)
    receiving_mail.advance(session, BOX, 5, 9)
    receiving_mail.advance(session, BOX, 6, 1)
    receiving_mail.advance(session, "other", 1, 1)
    assert receiving_mail.cursor(session, BOX) == (6, 1)


def test_files_are_kept_and_programs_are_not(session: Session, company: Company) -> None:
    row = comes(session, letter(files=(("合同.pdf", b"%PDF-1"), ("报价.exe", b"MZ"), ("假.pdf", b"MZ"), ("", b"text"))))
    assert row.state == "sorted"
    assert row.refused_files == ["报价.exe", "假.pdf"]
    files = attachments.of_records(session, permissions.RECEIVED_MAIL, [row.id])[row.id]
    assert [(one.name, one.media_type) for one in files] == [
        ("Re_ 报价单.eml", "message/rfc822"),
        ("合同.pdf", "application/pdf"),
        ("4.octetstrea", "text/plain"),
    ]


# ------------------------------------------------------------------------------------------------- what it answers


def test_an_answer_is_laid_to_the_mail_it_answers(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session, record=("organization.employee", company.li.id))
    row = comes(session, letter(In_Reply_To=mark_of(message)))
    assert (row.kind, row.outbox_id, row.from_recipient) == ("letter", message.id, True)
    assert (row.record_type, row.record_id) == ("organization.employee", company.li.id)
    ((name, facts),) = heard
    assert (name, facts["mail"].id, facts["message"].id) == (RECEIVED, row.id, message.id)


def test_an_answer_by_references_or_by_the_subject_alone(session: Session, company: Company) -> None:
    message = sent(session)
    old = comes(session, letter(References=f"<0@x> {mark_of(message)} <2@x>", Message_ID="<a@x>"))
    subject = f"答复：报价单 【#{message.id}-{marks.hashed(message.key)[:6]}】"
    bare = comes(session, letter(subject, Message_ID="<b@x>", From="chen@customer.cn"), 2)
    assert (old.outbox_id, bare.outbox_id) == (message.id, message.id)
    assert (old.from_recipient, bare.from_recipient) == (True, False)


def test_a_guessed_number_leads_nowhere(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session)
    row = comes(session, letter(In_Reply_To=f"<{marks.of_mail('other key', message.id)}@example.cn>"))
    assert (row.state, row.outbox_id) == ("sorted", None)
    assert heard[0][1]["message"] is None


def test_an_answer_settles_a_doubtful_mail(session: Session, company: Company) -> None:
    message = sent(session, state="unknown")
    comes(session, letter(In_Reply_To=mark_of(message)))
    assert refreshed(session, message).state == "sent"


# ------------------------------------------------------------------------------------------------- processes wait


def waiting_for_answer(session: Session, business_key: str | None = None) -> int:
    d = Drawing("quote_request")
    d.start()
    d.add("intermediateCatchEvent", "answered", '<messageEventDefinition messageRef="m"/>')
    d.user("read_answer", camunda_assignee=f"person({company_person(session).id})")
    d.end()
    d.chain("start", "answered", "read_answer", "end")
    xml = d.xml(head=f'<message id="m" name="{RECEIVED}"/>')
    repository.deploy(session, SYSTEM, {"main.bpmn": xml})
    instance = runtime.start(session, actor_of(company_person(session)), "quote_request", business_key=business_key)
    session.commit()
    return instance.instance_id


def company_person(session: Session) -> Any:
    from processes.organization.models import Employee

    return session.scalars(select(Employee).where(Employee.number == "E4")).one()


def waits(session: Session) -> set[int]:
    session.expire_all()
    return set(session.scalars(select(MessageWait.instance_id)))


def test_a_process_waits_for_the_answer_to_its_own_mail(session: Session, company: Company) -> None:
    first, second = waiting_for_answer(session), waiting_for_answer(session)
    message = sent(session, instance_id=second)
    row = comes(session, letter(In_Reply_To=mark_of(message), files=(("合同.pdf", b"%PDF-1"),)))
    assert waits(session) == {first}
    told = session.scalars(select(Message)).one()
    assert (told.state, told.instance_id) == ("matched", second)
    assert told.variables["text"] == "同意。"
    assert told.variables["from"] == "wang@customer.cn"
    assert told.variables["mail"] == row.id
    assert session.get_one(Attachment, told.variables["files"][0]).name == "合同.pdf"


def test_a_message_bears_the_business_key(session: Session, company: Company) -> None:
    instance = waiting_for_answer(session, "order:9")
    comes(session, letter(In_Reply_To=mark_of(sent(session, instance_id=instance))))
    assert waits(session) == set()
    assert session.scalars(select(Message.business_key)).one() == "order:9"


def test_an_answer_that_comes_too_early_waits_for_the_process(session: Session, company: Company) -> None:
    """Its receive task may be drawn behind an approval."""
    instance = waiting_for_answer(session)
    message = sent(session, instance_id=instance)
    comes(session, letter(In_Reply_To=mark_of(message)))
    comes(session, letter(In_Reply_To=mark_of(message), text="再补充", Message_ID="<2@x>"), 2)
    session.expire_all()
    assert sorted(session.scalars(select(Message.state))) == ["matched", "waiting"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Return_Path": "<>"},
        {"Precedence": "bulk"},
        {"List_Id": "<list.example.com>"},
        {"X_Autoreply": "yes"},
    ],
)
def test_no_process_moves_for_what_no_person_has_written(
    session: Session, company: Company, heard: list[Any], headers: dict[str, str]
) -> None:
    instance = waiting_for_answer(session)
    message = sent(session, instance_id=instance)
    row = comes(session, letter(In_Reply_To=mark_of(message), **headers))
    assert (row.kind, row.state, row.instance_id) == ("automatic", "sorted", instance)  # shown, and no more
    assert waits(session) == {instance}
    assert heard == []


def test_nothing_that_comes_in_is_ever_answered_by_itself(session: Session, company: Company) -> None:
    message = sent(session, instance_id=waiting_for_answer(session))
    before = session.scalar(select(func.count(OutboxMessage.id)))
    comes(session, letter(In_Reply_To=mark_of(message)))
    comes(session, letter("自动回复: 报价单", In_Reply_To=mark_of(message), Message_ID="<2@x>"), 2)
    comes(session, report(message), 3)
    comes(session, letter("新邮件", Message_ID="<3@x>"), 4)
    assert session.scalar(select(func.count(OutboxMessage.id))) == before


def test_our_own_mail_that_comes_back_to_us_moves_nothing(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session)
    raw = letter(
        Message_ID=mark_of(message), References=mark_of(message), Auto_Submitted="auto-generated", From="bpm@example.cn"
    )
    assert comes(session, raw).kind == "automatic"
    assert heard == []


# ------------------------------------------------------------------------------------------------- reports


def test_a_bounce_fails_the_message_and_says_why(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session)
    row = comes(session, report(message))
    assert (row.kind, row.outbox_id, row.state) == ("report", message.id, "sorted")
    found = refreshed(session, message)
    assert (found.state, found.last_error) == ("failed", "wang@customer.cn 5.1.1 550 no such user")
    assert found.result["reports"]["wang@customer.cn"]["action"] == "failed"
    ((name, facts),) = heard
    assert (name, facts["recipients"]) == (BOUNCED, ["wang@customer.cn"])


def test_one_of_two_bounces_and_the_other_is_reached(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session, payload={"cc": ["li@customer.cn"]})
    comes(session, report(message))
    found = refreshed(session, message)
    assert (found.state, "wang@customer.cn" in found.last_error) == ("sent", True)
    comes(session, report(message, "li@customer.cn", "failed", number=2), 2)
    assert refreshed(session, message).state == "failed"
    assert [facts["recipients"] for _name, facts in heard] == [["wang@customer.cn"], ["li@customer.cn"]]


@pytest.mark.parametrize("action", ["delivered", "relayed"])
def test_all_delivered_is_delivered(session: Session, company: Company, action: str) -> None:
    message = sent(session, payload={"cc": ["li@customer.cn"]}, state="unknown")
    comes(session, report(message, action=action, status="2.0.0"))
    assert refreshed(session, message).state == "sent"  # one is not all
    comes(session, report(message, "LI@customer.cn", action, "2.0.0", number=2), 2)
    assert refreshed(session, message).state == "delivered"


def test_a_delay_is_noted_and_changes_no_final_word(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session)
    comes(session, report(message, action="delayed", status="4.4.1"))
    found = refreshed(session, message)
    assert (found.state, found.result["reports"]["wang@customer.cn"]["action"]) == ("sent", "delayed")
    comes(session, report(message, number=2), 2)
    comes(session, report(message, action="delayed", status="4.4.1", number=3), 3)
    assert refreshed(session, message).result["reports"]["wang@customer.cn"]["action"] == "failed"
    assert len(heard) == 1


def test_without_any_mark_the_newest_mail_to_that_recipient_is_meant(
    session: Session, company: Company, clock: TestClock
) -> None:
    old, new = sent(session, "a"), sent(session, "b")
    other = sent(session, "c", payload={"to": ["li@customer.cn"]})
    comes(session, report(None))
    assert [refreshed(session, one).state for one in (old, new, other)] == ["sent", "failed", "sent"]
    clock.advance(days=6)
    row = comes(session, report(None, "li@customer.cn", number=2), 2)
    assert (row.state, row.outbox_id) == ("sorted", None)  # too long ago to be about that one


def test_a_report_that_is_faster_than_the_server_waits(session: Session, company: Company, clock: TestClock) -> None:
    message = sent(session, state="sending")
    row = comes(session, report(message))
    assert row.state == "new"
    refreshed(session, message).state = "sent"
    session.commit()
    clock.advance(seconds=6)
    jobs.sort_mail()
    assert refreshed(session, message).state == "failed"


def test_the_same_report_twice_changes_nothing(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session)
    comes(session, report(message))
    comes(session, report(message, number=2), 2)
    assert len(heard) == 1


# ------------------------------------------------------------------------------------------------- trouble


def test_one_that_cannot_be_sorted_stops_no_other_and_is_left_to_a_person_at_last(
    session: Session, company: Company, clock: TestClock
) -> None:
    def refuse(session: Session, *, mail: ReceivedMail, message: Any) -> None:
        if mail.subject == "bad":
            raise ValueError("a subscriber stumbles")

    events.subscribe(RECEIVED)(refuse)
    try:
        bad = comes(session, letter("bad", Message_ID="<1@x>"))
        good = comes(session, letter("good", Message_ID="<2@x>"), 2)
        assert (bad.state, good.state) == ("laid", "sorted")
        for _each in range(6):
            clock.advance(hours=1)
            jobs.sort_mail()
        session.expire_all()
        bad = session.get_one(ReceivedMail, bad.id)
        assert (bad.state, bad.attempts, bad.last_error) == ("failed", 5, "ValueError: a subscriber stumbles")
        assert len(attachments.of_records(session, permissions.RECEIVED_MAIL, [bad.id])[bad.id]) == 1
    finally:
        events._SUBSCRIBERS[RECEIVED].remove(refuse)


def test_nonsense_is_kept_and_sorted(session: Session, company: Company) -> None:
    row = comes(session, b"\xff\xfe\0nonsense")
    assert row.state == "sorted"


def test_two_who_keep_and_sort_at_once_do_it_once(session: Session, company: Company, heard: list[Any]) -> None:
    message = sent(session)
    raw = letter(In_Reply_To=mark_of(message))
    session.close()
    begin = threading.Barrier(2)
    kept: list[int | None] = []

    def work() -> None:
        begin.wait(10)
        kept.append(
            runtime.perform(lambda s: receiving_mail.keep(s, box=BOX, uid_validity=1, uid=1, raw=raw, size=len(raw)))
        )
        jobs.sort_mail()

    threads = [threading.Thread(target=work) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(number is not None for number in kept) == [False, True]
    jobs.sort_mail()
    assert len(heard) == 1
    assert session.scalar(select(func.count(Attachment.id))) == 1


# ------------------------------------------------------------------------------------------------- rights


def test_who_may_read_what_came_in(session: Session, company: Company) -> None:
    mine = actor_of(company.li)
    message = sent(session, actor=mine)
    row = comes(session, letter(In_Reply_To=mark_of(message)))
    stray = comes(session, letter("新", Message_ID="<2@x>"), 2)

    def may(actor: Any) -> list[bool]:
        return [CATALOG.may_read(session, actor, permissions.RECEIVED_MAIL, one.id) for one in (row, stray)]

    assert may(mine) == [True, False]
    assert may(actor_of(company.zhao)) == [False, False]
    assert may(actor_of(company.zhao, permissions.READ_ALL)) == [True, True]


def test_readers_of_the_process_read_its_answers(session: Session, company: Company) -> None:
    instance = waiting_for_answer(session)
    row = comes(session, letter(In_Reply_To=mark_of(sent(session, instance_id=instance))))
    assert session.get_one(Instance, instance).starter_id == company.li.id
    assert CATALOG.may_read(session, actor_of(company.li), permissions.RECEIVED_MAIL, row.id)
    assert not CATALOG.may_read(session, actor_of(company.zhao), permissions.RECEIVED_MAIL, row.id)


# ------------------------------------------------------------------------------------------------- what is new in it


@pytest.mark.parametrize(
    "below",
    [
        "在 2026年11月23日 09:30，云流 <bpm@example.cn> 写道：\n> 请查收",
        "------------------ 原始邮件 ------------------\n发件人: bpm",
        "-----Original Message-----\nFrom: bpm",
        "发件人: 云流 <bpm@example.cn>\n发送时间: 2026年11月23日 9:30\n收件人: 王磊\n主题: 报价单\n\n请查收",
        "On Mon, Nov 23, 2026 at 9:30 AM Yunliu <bpm@example.cn> wrote:\n> hello",
        "From: Yunliu <bpm@example.cn>\nSent: Monday\nTo: x",
        "云流 <bpm@example.cn> 于2026年11月23日周一 09:30写道：\n\n请查收",
        "---- 回复的原邮件 ----\n| 发件人 | bpm |",
        "> 请查收\n> 谢谢",
    ],
)
def test_the_new_words_of_an_answer(below: str) -> None:
    assert new_words(f"同意。\n\n谢谢\n\n{below}") == "同意。\n\n谢谢"


def test_an_answer_of_quotes_alone_is_left_whole() -> None:
    assert new_words("> 请查收") == "> 请查收"
    assert new_words("请 On time\n发件人是谁？") == "请 On time\n发件人是谁？"
