"""Who hears that a mail did not arrive, and that one was answered: whoever wrote it, or started what sent it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import attachments, outbox
from engine.actor import SYSTEM
from engine.delivering import deliver_outbox
from engine.i18n import _
from engine.models import OutboxMessage
from engine.wire import Delivery, Leased
from processes.messaging.operations import send_mail
from processes.messaging.permissions import SEND_MAIL
from processes.notices import operations, rules, subscribers
from processes.notices.models import Notice
from processes.organization.operations import change_employee
from tests.processes.company import Company, actor_of
from tests.processes.mails import comes, letter, mark_of, report, sent
from tests.processes.talk import INSTANCE, leave, running
from webapp import bootstrap

BY_MAIL = rules.kind("tests.by_mail", _("Something by mail"), ("mail",))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, session: Session) -> Iterator[None]:
    attachments.install(tmp_path / "files")
    yield
    session.close()


def told(session: Session) -> list[tuple[int, str, str]]:
    session.expire_all()
    rows = session.scalars(select(Notice).order_by(Notice.id))
    found = [(row.person_id, row.kind, row.title.in_locale("en")) for row in rows]
    session.commit()
    return found


def written(session: Session, company: Company, *, to: tuple[str, ...] = ("wang@customer.cn",)) -> OutboxMessage:
    """A mail 王芳 has written herself, gone."""
    number = send_mail(
        session, actor_of(company.wang, SEND_MAIL), to=to, subject="报价单", text="请查收", key=",".join(to)
    )
    row = session.get_one(OutboxMessage, number)
    row.state = "sent"
    session.commit()
    return row


def test_the_writer_hears_of_each_address_once(session: Session, company: Company) -> None:
    message = written(session, company, to=("wang@customer.cn", "li@customer.cn"))
    comes(session, report(message))
    comes(session, report(message, number=2), 2)  # the server says it again
    comes(session, report(message, "li@customer.cn", number=3), 3)
    assert told(session) == [
        (company.wang.id, subscribers.MAIL_BOUNCED, f"A mail to {address} did not arrive: 报价单")
        for address in ("wang@customer.cn", "li@customer.cn")
    ]
    links = set(session.scalars(select(Notice.link)))
    assert links == {f"/messages/{message.id}"}


@pytest.mark.parametrize(
    ("delivery", "lost"),
    [
        (Delivery("rejected", error="550 no such user"), ["wang@customer.cn", "li@customer.cn"]),
        (Delivery("accepted", {"refused": {"li@customer.cn": "550 no such user"}}), ["li@customer.cn"]),
        (Delivery("accepted", {"refused": {}}), []),
    ],
)
def test_of_what_is_refused_while_it_is_sent_the_writer_hears_at_once(
    session: Session, company: Company, monkeypatch: pytest.MonkeyPatch, delivery: Delivery, lost: list[str]
) -> None:
    class Road:
        def deliver(self, _message: Leased) -> Delivery:
            return delivery

    monkeypatch.setitem(outbox.HANDLERS, "mail", Road())
    send_mail(
        session,
        actor_of(company.wang, SEND_MAIL),
        to=("wang@customer.cn", "li@customer.cn"),
        subject="报价单",
        text="请查收",
        key="once",
    )
    session.commit()
    deliver_outbox()
    assert sorted(told(session)) == sorted(
        (company.wang.id, subscribers.MAIL_BOUNCED, f"A mail to {address} did not arrive: 报价单") for address in lost
    )


def test_a_delay_and_a_delivery_tell_nobody(session: Session, company: Company) -> None:
    message = written(session, company)
    comes(session, report(message, action="delayed", status="4.4.1"))
    comes(session, report(message, action="delivered", status="2.0.0", number=2), 2)
    assert told(session) == []


def test_of_a_process_whoever_started_it_hears_without_the_address(session: Session, company: Company) -> None:
    """王芳 has moved it last: that is no reason to tell her."""
    instance = running(session, company)
    message = sent(session, instance_id=instance, actor=actor_of(company.wang))
    comes(session, report(message))
    assert told(session) == [
        (company.li.id, subscribers.MAIL_BOUNCED, "A mail to w***@customer.cn did not arrive: 报价单")
    ]
    notice = session.scalars(select(Notice)).one()
    assert (notice.record_type, notice.record_id) == (INSTANCE, instance)


def test_whoever_has_left_is_followed_by_those_who_take_such_things(session: Session, company: Company) -> None:
    bootstrap.join_parts()
    change_employee(session, SYSTEM, record_id=company.sun.id, values={"takes_orphans": True})
    message = written(session, company)
    leave(session, company.wang)
    comes(session, report(message))
    assert [person for person, *_rest in told(session)] == [company.sun.id]


def test_a_notices_own_mail_that_comes_back_tells_nobody(session: Session, company: Company) -> None:
    operations.notify(session, SYSTEM, persons=[company.li.id], kind=BY_MAIL, title=_("Something by mail"), key="once")
    session.flush()
    message = session.scalars(select(OutboxMessage)).one()
    message.state = "sent"
    session.commit()
    before = told(session)
    comes(session, report(message, "lina@example.com"))
    comes(session, letter(In_Reply_To=mark_of(message)), 2)
    assert told(session) == before


def test_an_answer_reaches_the_writer_and_the_starter(session: Session, company: Company) -> None:
    by_hand = written(session, company)
    first = comes(session, letter(In_Reply_To=mark_of(by_hand)))
    of_process = sent(session, instance_id=running(session, company), actor=actor_of(company.wang))
    second = comes(session, letter(In_Reply_To=mark_of(of_process), Message_ID="<2@x>"), 2)
    assert told(session) == [
        (company.wang.id, subscribers.MAIL_ANSWERED, "王磊 answers a mail: Re: 报价单"),
        (company.li.id, subscribers.MAIL_ANSWERED, "王磊 answers a mail: Re: 报价单"),
    ]
    links = list(session.scalars(select(Notice.link).order_by(Notice.id)))
    assert links == [f"/messages/mail-received/{mail.id}" for mail in (first, second)]


def test_what_no_person_has_written_and_what_answers_nothing_tells_nobody(session: Session, company: Company) -> None:
    message = written(session, company)
    comes(session, letter(In_Reply_To=mark_of(message), Auto_Submitted="auto-replied"))
    comes(session, letter(Message_ID="<3@x>"), 2)
    assert told(session) == []


def test_an_address_of_a_nameless_sender_stays_hidden_from_whoever_did_not_write_to_it(
    session: Session, company: Company
) -> None:
    message = sent(session, instance_id=running(session, company))
    comes(session, letter(In_Reply_To=mark_of(message), From="secret@customer.cn"))
    assert told(session)[0][2] == "s***@customer.cn answers a mail: Re: 报价单"
