"""One person, one firm, several parts: nothing is copied when a further part begins."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from processes.organization import operations as organization
from processes.party import operations, permissions
from processes.party.models import Contact, Customer, Party

NAMES = ("集团总部", "物流子厂", "别家客户")


def seller(session: Session, number: str) -> Actor:
    person = organization.create_employee(session, SYSTEM, values={"number": number, "name": f"销售{number}"})
    return Actor(person.id, person.name, permissions=frozenset({permissions.USE, permissions.MANAGE}))


def parties(session: Session) -> int:
    return session.scalar(select(func.count(Party.id))) or 0


def test_a_contact_buys_for_himself_and_a_customer_takes_a_job(session: Session) -> None:
    firm = operations.create_customer(session, SYSTEM, values={"name": "甲乙物流", "source": "fair"})
    contact = operations.create_contact(session, SYSTEM, values={"name": "陈平", "customer": firm.id})
    before = parties(session)
    bought = operations.make_customer_of(session, SYSTEM, contact_id=contact.id)
    assert (bought.id, bought.kind, bought.name, bought.source) == (contact.person_id, "person", "陈平", "fair")
    with pytest.raises(Conflict):
        operations.make_customer_of(session, SYSTEM, contact_id=contact.id)
    other = operations.create_customer(session, SYSTEM, values={"name": "丙丁货运"})
    works = operations.make_contact_of(
        session, SYSTEM, record_id=bought.id, customer=other.id, values={"title": "经理"}
    )
    assert (works.person_id, works.organization_id, works.title) == (bought.id, other.id, "经理")
    assert parties(session) == before + 1
    with pytest.raises(RuleViolation):
        operations.make_contact_of(session, SYSTEM, record_id=firm.id, customer=other.id)


def test_an_employer_becomes_a_prospect_with_its_contacts(session: Session) -> None:
    mine, other = seller(session, "A"), seller(session, "B")
    for name, employer in (("陈平", "远帆物流有限公司"), ("林一", "远帆物流 有限公司"), ("周二", "另一家")):
        operations.create_contact(session, mine, values={"name": name, "employer": employer})
    assert [(one.contacts, one.key) for one in operations.employers(session, mine)] == [
        (2, "远帆物流有限公司"),
        (1, "另一家"),
    ]
    assert operations.employers(session, other) == []
    with pytest.raises(NotFound):
        operations.make_prospect_of(session, other, key="远帆物流有限公司")
    made = operations.make_prospect_of(session, mine, key="远帆物流有限公司")
    assert (made.stage, made.name) == ("prospect", "远帆物流有限公司")
    there = select(Contact.name).where(Contact.organization_id == made.id).order_by(Contact.id)
    assert session.scalars(there).all() == ["陈平", "林一"]
    assert [one.key for one in operations.employers(session, mine)] == ["另一家"]


def test_who_works_at_a_customer_of_ones_own_is_its_contact(session: Session) -> None:
    mine, other = seller(session, "A"), seller(session, "B")
    firm = operations.create_customer(session, SYSTEM, values={"name": "远帆物流有限公司"})
    firm.owner_id, firm.state = mine.person_id, "locked"
    session.flush()
    values = {"name": "陈平", "employer": "远帆物流 有限公司"}
    made = operations.create_contact(session, mine, values=values)
    assert (made.organization_id, made.employer) == (firm.id, "远帆物流有限公司")
    told = operations.create_contact(session, other, values={**values, "name": "林一"})
    assert told.organization_id is None, "a colleague's customer is as if it did not exist"
    firm.state = "closed"
    session.flush()
    assert operations.create_contact(session, mine, values={**values, "name": "周二"}).organization_id is None


def test_an_employer_that_is_a_competitor_already_stays_one_party(session: Session) -> None:
    rival = operations.create_competitor(session, SYSTEM, values={"name": "对手科技"})
    operations.create_contact(session, SYSTEM, values={"name": "陈平", "employer": "对手科技"})
    made = operations.make_prospect_of(session, SYSTEM, key="对手科技")
    assert made.id == rival.id
    assert session.get_one(Customer, rival.id) is made


def test_relations_are_told_once_and_read_from_both_sides(session: Session) -> None:
    mine, other = seller(session, "A"), seller(session, "B")
    group, firm, hidden = (operations.create_customer(session, SYSTEM, values={"name": name}) for name in NAMES)
    for one, owner in ((group, mine), (firm, mine), (hidden, other)):
        one.owner_id, one.state = owner.person_id, "locked"
    session.flush()
    operations.add_relation(session, mine, party_id=group.id, values={"other": firm.id, "kind": "parent"})
    with pytest.raises(InvalidForm):
        operations.add_relation(session, mine, party_id=firm.id, values={"other": group.id, "kind": "parent"})
    with pytest.raises(NotFound):
        operations.add_relation(session, mine, party_id=firm.id, values={"other": hidden.id, "kind": "partner"})
    operations.add_relation(session, SYSTEM, party_id=firm.id, values={"other": hidden.id, "kind": "partner"})
    rival = operations.create_competitor(session, mine, values={"name": "对手科技", "strengths": "便宜"})
    operations.put_competitor_at(session, mine, customer_id=firm.id, values={"competitor": rival.id, "role": "bidding"})
    operations.put_competitor_at(session, mine, customer_id=firm.id, values={"competitor": rival.id, "role": "lost"})
    told = [(one.what, one.kind, one.name) for one in operations.links(session, mine, firm.id)]
    assert told == [("relation", "parent", "集团总部"), ("competitor", "lost", "对手科技")]
    (down,) = operations.links(session, mine, group.id)
    assert str(down.title.template) == "is above"
    with pytest.raises((Forbidden, NotFound)):
        operations.remove_relation(session, other, party_id=firm.id, relation_id=down.id)
    operations.remove_relation(session, mine, party_id=firm.id, relation_id=down.id)
    assert operations.links(session, mine, group.id) == []


def test_a_competitor_has_the_name_of_its_party(session: Session) -> None:
    rival = operations.create_competitor(session, SYSTEM, values={"name": "对手科技"})
    operations.change_competitor(session, SYSTEM, record_id=rival.id, values={"name": "对手智能"})
    assert rival.party.name == "对手智能"
    with pytest.raises(InvalidForm):
        operations.create_competitor(session, SYSTEM, values={"name": " 对手 智能"})
    operations.archive_competitor(session, SYSTEM, record_id=rival.id)
    assert rival.state == "archived"
