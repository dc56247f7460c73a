"""Why somebody sees a customer: the same conditions as the lists, asked one by one; and what a share leaves out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.errors import Forbidden, NotFound
from processes.activity import operations as activity, permissions as acting
from processes.activity.models import Appointment, ContactRecord
from processes.organization import operations as organization
from processes.organization.models import Employee
from processes.organization.permissions import MANAGE_SCOPES
from processes.ownership.operations import handing, sharing, watching
from processes.party import operations, permissions
from processes.party.models import Contact, Customer
from tests.processes.company import Company
from tests.processes.sellers import in_pool, owned, seller, superior

CHIEF = frozenset({permissions.USE, permissions.READ, MANAGE_SCOPES})


@pytest.fixture
def eyes(monkeypatch: pytest.MonkeyPatch) -> dict[int, Actor]:
    """The rights of logins, for people who have none here."""
    known: dict[int, Actor] = {}
    monkeypatch.setattr("engine.catalog.CATALOG.actors", lambda _session, ids: {i: known[i] for i in ids if i in known})
    return known


def roads(session: Session, company: Company, person: Employee, customer: Customer) -> set[str]:
    chief = Actor(company.sun.id, company.sun.name, permissions=CHIEF)
    found = operations.explain(session, chief, customer_id=customer.id, person_id=person.id)
    return {one.name for one in found.reasons}


def test_each_road_is_named_and_none_means_the_list_is_empty_too(
    session: Session, company: Company, eyes: dict[int, Actor]
) -> None:
    for person in (company.chen, company.wang, company.li, company.zhao, company.sun):
        eyes[person.id] = seller(person)
    own, pool = owned(session, "华宇智联", company.li), in_pool(session, "晨光教育")
    sharing.share(session, seller(company.li), customer_id=own.id, person_id=company.sun.id, until=date(2099, 1, 1))
    organization.create_scope_grant(
        session, SYSTEM, values={"module": "customer", "person": company.wang, "level": "all"}
    )
    expected = {company.li: {"own"}, company.wang: {"below", "granted"}, company.zhao: set(), company.sun: {"shared"}}
    for person, named in expected.items():
        assert roads(session, company, person, own) == named, person.name
        assert roads(session, company, person, pool) == {"pool"}
        visible = select(Customer.id).where(Customer.id == own.id, permissions.visible_customers(eyes[person.id]))
        assert (session.scalar(visible) is not None) == bool(named), "the list says the same"
    eyes[company.zhao.id] = replace(eyes[company.zhao.id], permissions=frozenset({permissions.READ}))
    assert roads(session, company, company.zhao, own) == {"all"}


def test_the_explanation_says_which_grant_who_shared_and_what_opens_nothing(
    session: Session, company: Company, eyes: dict[int, Actor]
) -> None:
    own = owned(session, "华宇智联", company.li)
    eyes[company.zhao.id] = seller(company.zhao)
    pool = in_pool(session, "晨光教育")
    watching.watch(session, seller(company.zhao), customer_id=pool.id)
    sharing.share(
        session, seller(company.li), customer_id=own.id, department_id=company.sales.id, parts=["contacts"],
        until=date(2099, 1, 1),
    )  # fmt: skip
    chief = Actor(company.sun.id, company.sun.name, permissions=CHIEF)
    found = operations.explain(session, chief, customer_id=own.id, person_id=company.zhao.id)
    said = str(found.reasons[0].more[0])
    assert all(word in said for word in (company.li.name, "销售部", "2099-01-01"))
    assert found.parts == {"contacts": True, "records": False, "opportunities": False}
    assert (found.sees, found.works) == (True, False)
    assert {seen.sees for seen in found.fields.values()} == {"masked"}
    of_pool = operations.explain(session, chief, customer_id=pool.id, person_id=company.zhao.id)
    assert len(of_pool.notes) == 1
    eyes[company.zhao.id] = Actor(company.zhao.id, company.zhao.name)
    assert not operations.explain(session, chief, customer_id=own.id, person_id=company.zhao.id).sees, "no right at all"


def test_only_who_decides_on_scopes_or_stands_above_the_owner_may_ask(
    session: Session, company: Company, eyes: dict[int, Actor]
) -> None:
    own = owned(session, "华宇智联", company.li)
    for actor, refusal in ((seller(company.li), Forbidden), (seller(company.zhao), NotFound)):
        with pytest.raises(refusal):
            operations.explain(session, actor, customer_id=own.id, person_id=company.zhao.id)
    assert operations.explain(session, superior(company.wang), customer_id=own.id, person_id=company.li.id).reasons
    with pytest.raises(NotFound):
        operations.explain(session, superior(company.wang), customer_id=own.id, person_id=987654)


def test_who_moves_to_another_department_sees_the_new_scope_at_once(session: Session, company: Company) -> None:
    own = owned(session, "华宇智联", company.li)
    organization.create_scope_grant(
        session, SYSTEM, values={"module": "customer", "person": company.sun, "level": "department"}
    )
    sun = seller(company.sun)
    wanted = select(func.count()).select_from(Customer).where(permissions.visible_customers(sun))
    assert session.scalar(wanted) == 0
    organization.change_employee(session, SYSTEM, record_id=company.sun.id, values={"department": company.sales})
    assert session.scalar(wanted) == 1
    assert permissions.readable(session, sun, own.id)
    organization.change_employee(session, SYSTEM, record_id=company.sun.id, values={"department": company.finance})
    with pytest.raises(NotFound):
        permissions.readable(session, sun, own.id)


# ------------------------------------------------------------------------------------------------- parts of a share


@pytest.fixture
def kept(session: Session, company: Company) -> Any:
    """A customer of 李娜 with a contact, a record and an appointment."""
    own = owned(session, "华宇智联", company.li)
    contact = operations.create_contact(session, SYSTEM, values={"name": "陈平", "customer": own.id})
    li = seller(company.li, acting.WRITE)
    activity.create_record(session, li, values={"customer": own.id, "way": "call", "content": "谈过了价格和交货期"})
    return own, contact


def seen(session: Session, actor: Actor) -> tuple[int, int, int]:
    """Contacts, records, appointments."""
    scopes = (
        (Contact, permissions.visible_contacts),
        (ContactRecord, acting.visible_records),
        (Appointment, acting.visible_appointments),
    )
    found = [
        session.scalar(select(func.count()).select_from(model).where(scope(actor))) or 0 for model, scope in scopes
    ]
    return found[0], found[1], found[2]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [([], (0, 0, 0)), (["contacts"], (1, 0, 0)), (["records"], (0, 1, 1)), (["contacts", "records"], (1, 1, 1))],
)
def test_a_share_shows_the_parts_it_names_and_no_more(
    session: Session, company: Company, kept: Any, parts: list[str], expected: tuple[int, int, int]
) -> None:
    own, _contact = kept
    zhao = seller(company.zhao)
    assert seen(session, zhao) == (0, 0, 0)
    sharing.share(session, seller(company.li), customer_id=own.id, person_id=company.zhao.id, parts=parts)
    assert permissions.readable(session, zhao, own.id)
    assert seen(session, zhao) == expected
    assert seen(session, seller(company.li)) == (1, 1, 1)


def test_a_share_for_work_lets_one_change_the_parts_it_names(session: Session, company: Company, kept: Any) -> None:
    own, contact = kept
    zhao, li = seller(company.zhao, acting.WRITE), seller(company.li)
    sharing.share(session, li, customer_id=own.id, person_id=company.zhao.id, level="work", parts=["records"])
    operations.change_customer(session, zhao, record_id=own.id, values={"level": "A"})
    with pytest.raises(Forbidden):
        operations.change_contact(session, zhao, record_id=contact.id, values={"title": "总经理"})
    with pytest.raises(Forbidden):
        operations.create_contact(session, zhao, values={"name": "林一", "customer": own.id})
    words = {"customer": own.id, "way": "call", "content": "又谈过了价格和交货期"}
    activity.create_record(session, zhao, values=words)
    sharing.share(session, li, customer_id=own.id, person_id=company.zhao.id, level="work", parts=["contacts"])
    operations.change_contact(session, zhao, record_id=contact.id, values={"title": "总经理"})
    with pytest.raises(Forbidden):
        activity.create_record(session, zhao, values=words)


def test_a_former_owner_who_stays_a_reader_sees_all_parts(session: Session, company: Company, kept: Any) -> None:
    own, _contact = kept
    boss = superior(company.wang)
    handing.hand_over(
        session, boss, customer_ids=[own.id], to_id=company.zhao.id, reason="换人", reader_until=date(2099, 1, 1)
    )
    assert seen(session, seller(company.li))[:2] == (1, 1)
