"""Customers and contacts: stored once, called alike in every part, seen by whom they concern."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.errors import Forbidden, InvalidForm, NotFound, RuleViolation
from processes.organization import operations as organization
from processes.party import operations, permissions, rules
from processes.party.models import Contact, Customer


def seller(session: Session, number: str, superior: int | None = None, *further: str) -> Actor:
    person = organization.create_employee(
        session, SYSTEM, values={"number": number, "name": f"销售{number}", "superior": superior}
    )
    return Actor(person.id, person.name, permissions=frozenset({permissions.USE, permissions.MANAGE, *further}))


def test_a_customer_is_made_with_what_reaches_it_and_found_by_the_same_name(session: Session) -> None:
    actor = seller(session, "S1")
    values = {
        "name": "上海云启（集团）科技有限公司",
        "phone": "021-5555 0001",
        "email": "Info@Example.com",
        "level": "A",
    }
    made = operations.create_customer(session, actor, values=values)
    session.refresh(made)
    assert (made.kind, made.state, made.stage) == ("organization", "locked", "prospect")  # who makes it, owns it
    assert made.owner_id == actor.person_id
    assert (made.phone, made.email) == ("+862155550001", "info@example.com")
    for same in ("上海云启(集团)科技有限公司", " 上海云启【集团】科技 有限公司", "上海云启（集团）科技有限公司"):
        with pytest.raises(InvalidForm) as refusal:
            operations.create_customer(session, actor, values={"name": same})
        assert refusal.value.problems[0].where == "name"


def test_a_new_name_stands_in_every_part(session: Session) -> None:
    actor = seller(session, "S2")
    customer = operations.create_customer(session, SYSTEM, values={"name": "甲公司"})
    contact = operations.create_contact(session, SYSTEM, values={"name": "陈平", "customer": customer.id})
    both = operations.create_customer(session, SYSTEM, values={"name": "陈平安", "kind": "person"})
    assert both.id != contact.person_id  # the same name is not yet the same person
    operations.change_contact(session, SYSTEM, record_id=contact.id, values={"name": "陈平之", "phone": "13800138000"})
    assert (contact.name, contact.person.name, contact.phone) == ("陈平之", "陈平之", "+8613800138000")
    with pytest.raises(Forbidden):
        operations.change_customer(session, actor, record_id=customer.id, values={"level": "A"})


def test_own_ones_those_below_and_the_pool_are_seen_others_do_not_exist(session: Session) -> None:
    head = seller(session, "H")
    mine, other = seller(session, "M", head.person_id), seller(session, "O")
    customer = operations.create_customer(session, SYSTEM, values={"name": "乙公司"})
    assert permissions.readable(session, other, customer.id) is customer  # in the pool
    customer.owner_id, customer.state = mine.person_id, "locked"
    session.flush()
    for who in (mine, head):
        assert permissions.readable(session, who, customer.id) is customer
        permissions.demand_work(session, who, customer.id)
    with pytest.raises(NotFound):
        permissions.readable(session, other, customer.id)
    contact = operations.create_contact(session, mine, values={"name": "林一", "customer": customer.id})
    seen = {who: session.scalar(select(Contact.id).where(permissions.visible_contacts(who))) for who in (head, other)}
    assert seen == {head: contact.id, other: None}
    assert session.scalar(select(Customer.id).where(permissions.visible_customers(other))) is None


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("上海云启（集团）智联科技有限公司", "云启智联科技"),
        ("云启智联科技股份有限公司", "云启智联科技"),
        ("广东省深圳市鹏讯电子有限公司", "鹏讯电子"),
        ("Ｙunqi Co., Ltd.", "yunqi"),
        ("上海公司", "上海"),
        ("北京", "北京"),
    ],
)
def test_the_core_of_a_name(name: str, core: str) -> None:
    assert rules.name_core(name) == core


def test_a_credit_code_has_its_check_sign() -> None:
    first = "91310000MA1FL0000"
    assert rules.credit_code(f" {first.lower()}{rules.check_sign(first)}") == first + rules.check_sign(first)
    for wrong in (first + "0" if rules.check_sign(first) != "0" else first + "1", "123", first + "I"):
        with pytest.raises(RuleViolation):
            rules.credit_code(wrong)


def test_a_person_one_may_not_see_cannot_be_made_a_contact(session: Session) -> None:
    mine, other = seller(session, "M2"), seller(session, "O2")
    theirs = operations.create_customer(session, other, values={"name": "丙公司"})
    hidden = operations.create_contact(session, SYSTEM, values={"name": "林二", "customer": theirs.id})
    own = operations.create_customer(session, mine, values={"name": "丁公司"})
    for person in (hidden.person_id, "nobody"):
        with pytest.raises(InvalidForm) as refusal:
            operations.create_contact(
                session, mine, values={"person": person, "customer": own.id, "phone": "13800138009"}
            )
        assert [one.where for one in refusal.value.problems] == ["person"]
    assert hidden.phone is None
