"""A mail of a person's own words: whose the addresses are, what it is kept with; nothing is found out by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import attachments
from engine.actor import SYSTEM, Actor
from engine.errors import InvalidForm
from engine.models import OutboxMessage
from processes.activity.operations.happenings import timeline
from processes.kernel import known_addresses
from processes.messaging import operations
from processes.messaging.permissions import SEND_MAIL, SEND_SMS
from processes.organization.models import Employee
from processes.party import operations as party
from processes.party.models import Contact, Customer
from processes.party.permissions import CONTACT, CUSTOMER
from tests.processes.company import Company
from tests.processes.mails import comes, letter, mark_of
from tests.processes.sellers import in_pool, owned, seller

ADDRESS = "wang@customer.cn"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    attachments.install(tmp_path)


def contact_of(session: Session, customer: Customer, email: str = ADDRESS) -> Contact:
    values = {"name": "王建国", "customer": customer.id, "title": "采购经理", "email": email}
    return party.create_contact(session, SYSTEM, values=values)


def writer(person: Employee) -> Actor:
    return seller(person, SEND_MAIL, SEND_SMS)


def write(session: Session, actor: Actor, *to: str, **values: Any) -> OutboxMessage:
    said = {"subject": "报价单", "text": "请查收", "key": "k", **values}
    return session.get_one(OutboxMessage, operations.send_mail(session, actor, to=to, **said))


def test_it_is_named_and_kept_with_whom_it_goes_to(session: Session, company: Company) -> None:
    customer = owned(session, "华宇智联", company.li)
    contact = contact_of(session, customer)
    row = write(session, writer(company.li), "nobody@else.cn", "Wang@Customer.cn")
    assert (row.record_type, row.record_id) == (CONTACT, contact.id)
    assert row.payload["recipient"] == "nobody@else.cn, 王建国 Wang@Customer.cn"
    (people,) = known_addresses.find(session, writer(company.li), "mail", [ADDRESS]).values()
    assert [(one.name, one.note) for one in people] == [("王建国", "华宇智联 · 采购经理")]


def test_a_record_named_goes_before_whoever_is_found(session: Session, company: Company) -> None:
    contact_of(session, owned(session, "华宇智联", company.li))
    other = owned(session, "鹏讯电子", company.li)
    row = write(session, writer(company.li), ADDRESS, record=(CUSTOMER, other.id))
    assert (row.record_type, row.record_id) == (CUSTOMER, other.id)


def test_a_foreign_record_is_as_if_not_there(session: Session, company: Company) -> None:
    foreign, sms = owned(session, "鹏讯电子", company.wang), {"to": "13800138000", "text": "x", "key": "s"}
    for record in ((CUSTOMER, foreign.id), (CUSTOMER, 987654), ("no.such", 1)):
        with pytest.raises(InvalidForm) as refused:
            write(session, writer(company.li), "a@b.cn", record=record)
        with pytest.raises(InvalidForm) as of_sms:
            operations.send_sms(session, writer(company.li), record=record, **sms)
        for one in (refused, of_sms):
            assert {field: str(why) for field, why in one.value.by_field().items()} == {
                "record": "There is no such record among those you may read."
            }
    assert session.scalars(select(OutboxMessage)).all() == []


@pytest.mark.parametrize("whose", ["foreign", "masked"])
def test_an_address_one_does_not_see_whole_names_nobody(session: Session, company: Company, whose: str) -> None:
    customer = owned(session, "鹏讯电子", company.wang) if whose == "foreign" else in_pool(session, "鹏讯电子")
    contact_of(session, customer)
    row = write(session, writer(company.li), ADDRESS)
    assert (row.record_type, row.payload["recipient"]) == (None, ADDRESS), "typing one after another tells nothing"


def test_a_colleague_is_named_and_it_is_not_kept_with_him(session: Session, company: Company) -> None:
    company.wang.email = "Wang.Fang@yunliu.cn"
    session.flush()
    row = write(session, writer(company.li), "wang.fang@yunliu.cn")
    assert row.record_type is None, "the writer sees what he has typed"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": tuple(f"a{number}@b.cn" for number in range(101))}, "to"),
        ({"subject": "长" * 201}, "subject"),
        ({"to": ("@b.cn",)}, "to.0"),
        ({"to": ("a@",)}, "to.0"),
    ],
)
def test_what_no_mail_can_have(session: Session, company: Company, change: dict[str, Any], field: str) -> None:
    to = change.get("to", (ADDRESS,))
    with pytest.raises(InvalidForm) as refused:
        write(session, writer(company.li), *to, **{name: value for name, value in change.items() if name != "to"})
    assert list(refused.value.by_field()) == [field]


def test_what_is_answered_stands_with_the_customer(session: Session, company: Company) -> None:
    actor, customer = writer(company.li), owned(session, "华宇智联", company.li)
    contact = contact_of(session, customer)
    row = write(session, actor, ADDRESS)
    session.commit()
    answer = comes(session, letter(In_Reply_To=mark_of(row)))
    assert (answer.record_type, answer.record_id) == (CONTACT, contact.id)
    happened, _more = timeline(session, actor, customer)
    assert {one.kind for one in happened if one.kind in {"sent", "mail"}} == {"sent", "mail"}
    again = operations.send_mail(session, actor, to=[ADDRESS], subject="Re", text="x", key="2", answers=answer.id)
    assert session.get_one(OutboxMessage, again).record_id == contact.id
