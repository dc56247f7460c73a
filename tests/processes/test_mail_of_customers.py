"""Letters of customers that answer nothing of ours: kept with them, told to whoever looks after them alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import attachments
from engine.actor import Actor
from engine.catalog import CATALOG
from processes.activity import subscribers
from processes.activity.operations.happenings import timeline
from processes.messaging.models import ReceivedMail
from processes.messaging.permissions import addresses_open, may_read_received, unasked_from
from processes.notices.models import Notice
from processes.organization.models import Employee
from processes.party.models import Customer
from processes.party.permissions import CONTACT, CUSTOMER
from tests.processes.company import Company
from tests.processes.mails import comes, letter, mark_of, sent
from tests.processes.sellers import in_pool, owned
from tests.processes.test_writing_mail import ADDRESS, contact_of, writer


@pytest.fixture(autouse=True)
def _house(tmp_path: Path, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    attachments.install(tmp_path)
    actors = {one.id: writer(one) for one in (company.li, company.wang, company.sun)}
    monkeypatch.setattr(CATALOG, "actors", lambda _session, ids: {one: actors[one] for one in ids if one in actors})


def told(session: Session) -> list[tuple[int, str]]:
    wanted = select(Notice).where(Notice.kind == subscribers.WRITTEN).order_by(Notice.id)
    return [(one.person_id, one.title.in_locale("en")) for one in session.scalars(wanted)]


def on_timeline(session: Session, actor: Actor, customer: Customer) -> list[int]:
    found, _more = timeline(session, actor, session.get_one(Customer, customer.id, populate_existing=True))
    return [one.what.id for one in found if one.kind == "mail"]


def reads(session: Session, who: Employee, mail: ReceivedMail) -> tuple[bool, bool]:
    """(the mail, its address whole)"""
    actor = writer(who)
    return may_read_received(session, actor, mail.id), mail.id in addresses_open(session, actor, [mail])


def test_it_is_kept_with_its_sender_and_told_to_the_owner(session: Session, company: Company) -> None:
    customer = owned(session, "华宇智联", company.li)
    contact = contact_of(session, customer)
    session.commit()
    mail = comes(session, letter("想增购两台", From="王建国 <Wang@Customer.cn>"))
    assert unasked_from(mail) == (CONTACT, contact.id)
    assert told(session) == [(company.li.id, "A mail of 华宇智联: 想增购两台")]
    assert on_timeline(session, writer(company.li), customer) == [mail.id]
    assert reads(session, company.li, mail) == (True, True)
    assert reads(session, company.sun, mail) == (False, False)


def test_the_customer_itself_may_have_the_address(session: Session, company: Company) -> None:
    customer = owned(session, "华宇智联", company.li, email="info@huayu.cn")
    session.commit()
    mail = comes(session, letter("询价", From="info@huayu.cn"))
    assert unasked_from(mail) == (CUSTOMER, customer.id)
    assert on_timeline(session, writer(company.li), customer) == [mail.id]


def test_in_the_pool_nobody_is_told_and_whoever_sees_its_address_masked_reads_nothing(
    session: Session, company: Company
) -> None:
    customer = in_pool(session, "鹏讯电子")
    contact_of(session, customer)
    session.commit()
    mail = comes(session, letter("询价"))
    assert unasked_from(mail) is not None
    assert told(session) == []
    assert reads(session, company.li, mail) == (False, False), "its original bears the address"
    assert on_timeline(session, writer(company.li), customer) == []


def test_what_no_person_wrote_and_who_is_unknown_are_laid_to_nobody(session: Session, company: Company) -> None:
    contact_of(session, owned(session, "华宇智联", company.li))
    session.commit()
    for uid, raw in enumerate(
        (
            letter("休假", Message_ID="<a@c.cn>", Auto_Submitted="auto-replied"),
            letter("询价", Message_ID="<b@c.cn>", From="somebody@else.cn"),
        ),
        1,
    ):
        mail = comes(session, raw, uid)
        assert unasked_from(mail) is None
        assert reads(session, company.li, mail) == (False, False)
    assert told(session) == []


def test_an_answer_stays_with_what_it_answers(session: Session, company: Company) -> None:
    contact_of(session, owned(session, "华宇智联", company.li))
    message = sent(session)
    mail = comes(session, letter(In_Reply_To=mark_of(message)))
    assert (mail.outbox_id, mail.record_type, unasked_from(mail)) == (message.id, None, None)
    assert not reads(session, company.li, mail)[0]
    assert told(session) == []
    assert ADDRESS in mail.sender
