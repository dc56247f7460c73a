"""Rules on sensitive fields: to a person, a position, a role; asked wherever a value is shown, changed or searched."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, runtime
from engine.actor import SYSTEM, Actor
from engine.catalog import Hidden, Masked, Sealed
from engine.db import Sessions
from engine.errors import Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import RecordAudit
from processes.kernel import known_numbers
from processes.organization.models import Employee
from processes.party import masking, operations, permissions
from processes.party.models import Customer
from processes.telephony.models import Call
from processes.telephony.operations import past_calls
from tests.processes.company import Company

PHONE = "+8613800138000"
RIGHTS = frozenset({permissions.USE, permissions.MANAGE, masking.REVEAL})


def rule(session: Session, field: str, sees: str, **values: Any) -> Any:
    return operations.create_field_rule(
        session, SYSTEM, values={"field": field, "sees": sees, "reveals": True, **values}
    )


def customer_of(session: Session, owner: Employee | None, name: str = "华宇智联") -> Customer:
    made = operations.create_customer(session, SYSTEM, values={"name": name, "phone": PHONE, "email": "a@example.com"})
    if owner is not None:
        made.owner_id, made.state = owner.id, "locked"
    session.flush()
    return made


def li_of(company: Company, *further: str) -> Actor:
    return Actor(company.li.id, company.li.name, permissions=RIGHTS | set(further), user_id=company.li.user_id)


def phone(session: Session, actor: Actor, customer: Customer) -> Any:
    return masking.of_customers(session, actor, [customer])(customer, "phone", customer.phone)


def test_a_rule_speaks_to_a_person_a_position_or_a_role(session: Session, company: Company) -> None:
    own, role = customer_of(session, company.li), Role(name="Agents")
    login = User(username="li", first_name="n", last_name="l", email="li@example.com", active=True, roles=[role])
    session.add_all([role, login])
    session.flush()
    company.li.user_id = login.id
    company.li.positions = [company.accountant]
    li = li_of(company)
    assert phone(session, li, own) == PHONE
    by_role = rule(session, "customer.phone", "hidden", role="Agents")
    assert isinstance(phone(session, li, own), Hidden)
    by_position = rule(session, "customer.phone", "masked", position=company.accountant, reveals=False)
    assert isinstance(phone(session, li, own), Sealed)
    rule(session, "customer.phone", "visible", person=company.li)
    assert phone(session, li, own) == PHONE, "the widest holds"
    operations.remove_field_rule(session, SYSTEM, record_id=by_position.id)
    operations.change_field_rule(session, SYSTEM, record_id=by_role.id, values={"role": None, "person": company.zhao})
    assert phone(session, li, own) == PHONE


def test_a_personal_restriction_is_never_exceeded_not_even_by_a_right(session: Session, company: Company) -> None:
    own = customer_of(session, company.li)
    li = li_of(company, permissions.READ_WHOLE, permissions.MANAGE_ANY)
    rule(session, "customer.phone", "hidden", position=company.accountant)
    assert phone(session, li, own) == PHONE
    rule(session, "customer.phone", "masked", person=company.li, narrows=True)
    assert phone(session, li, own) == "138****8000"
    assert phone(session, SYSTEM, own) == PHONE


def test_uncovering_is_noted_with_the_field_and_refused_where_the_rule_says_so(
    session: Session, company: Company
) -> None:
    own, li = customer_of(session, company.li), li_of(company)
    kept = rule(session, "customer.phone", "masked", person=company.li)
    assert masking.reveal(session, li, record=own, name="phone") == PHONE
    noted = session.scalars(select(RecordAudit).where(RecordAudit.action == "revealed")).one()
    assert (noted.record_id, noted.actor_id, noted.after) == (own.id, li.person_id, {"field": "phone"})
    operations.change_field_rule(session, SYSTEM, record_id=kept.id, values={"reveals": False})
    with pytest.raises(Forbidden):
        masking.reveal(session, li, record=own, name="phone")
    operations.change_field_rule(session, SYSTEM, record_id=kept.id, values={"sees": "hidden"})
    with pytest.raises(NotFound):
        masking.reveal(session, li, record=own, name="phone")
    assert len(session.scalars(select(RecordAudit).where(RecordAudit.action == "revealed")).all()) == 1


def test_nobody_changes_what_he_does_not_see_whole(session: Session, company: Company) -> None:
    own, li = customer_of(session, company.li), li_of(company)
    rule(session, "customer.phone", "masked", person=company.li)
    rule(session, "contact.email", "hidden", person=company.li)
    for values in ({"phone": "13911112222"}, {"phone": None}):
        with pytest.raises(InvalidForm) as refusal:
            operations.change_customer(session, li, record_id=own.id, values=values)
        assert refusal.value.problems[0].where == "phone"
    operations.change_customer(session, li, record_id=own.id, values={"level": "A", "email": "b@example.com"})
    contact = operations.create_contact(
        session, li, values={"name": "陈平", "customer": own.id, "email": "c@example.com"}
    )
    with pytest.raises(InvalidForm):
        operations.change_contact(session, li, record_id=contact.id, values={"email": "d@example.com"})
    operations.change_customer(session, SYSTEM, record_id=own.id, values={"phone": None})
    operations.change_customer(session, li, record_id=own.id, values={"phone": "13911112222"})  # there was nothing


@pytest.mark.usefixtures("_every_way")
def test_the_search_finds_no_more_of_a_number_than_the_mask_shows(session: Session, company: Company) -> None:
    own, li = customer_of(session, company.li), li_of(company)

    def finds(text: str) -> bool:
        found = permissions.found_customers(session, li, text)
        return session.scalar(select(Customer.id).where(permissions.visible_customers(li), found)) == own.id

    assert [finds(text) for text in ("8000", "38000", "13800138000", "华宇")] == [True] * 4
    kept = rule(session, "customer.phone", "masked", person=company.li)
    assert [finds(text) for text in ("8000", "38000", "1380013", "13800138000", "华宇")] == [
        True,
        False,
        False,
        True,
        True,
    ]
    operations.change_field_rule(session, SYSTEM, record_id=kept.id, values={"sees": "hidden"})
    assert [finds(text) for text in ("8000", "38000", "13800138000", "华宇")] == [False, False, False, True]


def test_numbers_of_calls_are_masked_by_a_rule_alone(session: Session, company: Company) -> None:
    pool, li = customer_of(session, None), li_of(company)
    stranger = "+8613955556666"
    assert masking.of_numbers(session, li, [PHONE, stranger]) == {PHONE: PHONE, stranger: stranger}, (
        "he has it in his ear"
    )
    rule(session, "customer.phone", "masked", person=company.li, extent="others")
    assert masking.of_numbers(session, li, [PHONE, stranger]) == {PHONE: "138****8000", stranger: stranger}
    pool.owner_id, pool.state = company.li.id, "locked"
    session.flush()
    assert masking.of_numbers(session, li, [PHONE])[PHONE] == PHONE
    contact = operations.create_contact(
        session, SYSTEM, values={"name": "陈平", "customer": pool.id, "phone": stranger}
    )
    rule(session, "contact.phone", "hidden", person=company.li)
    assert isinstance(masking.of_numbers(session, li, [contact.phone or ""])[stranger], Hidden)


def test_words_that_are_sent_obey_whoever_sees_least(
    session: Session, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_of(session, company.li)
    actors = {company.li.id: li_of(company), company.wang.id: Actor(company.wang.id, "", permissions=RIGHTS)}
    monkeypatch.setattr("engine.catalog.CATALOG.actors", lambda _session, ids: {one: actors[one] for one in ids})
    both = (company.wang.id, company.li.id)
    assert known_numbers.written_to(session, both, PHONE) == "138 0013 8000"
    kept = rule(session, "customer.phone", "masked", person=company.li)
    assert known_numbers.written_to(session, both, PHONE) == "138****8000"
    assert known_numbers.written_to(session, both[:1], PHONE) == "138 0013 8000"
    operations.change_field_rule(session, SYSTEM, record_id=kept.id, values={"sees": "hidden"})
    assert str(known_numbers.written_to(session, both, PHONE)) == "a hidden number"


def test_a_masked_number_is_not_guessed_from_the_calls(session: Session, company: Company) -> None:
    customer_of(session, company.li)
    at = clock.now()
    call = Call(uuid="u-1", exchange="pbx", direction="in", number=PHONE, state="ended", result="missed", note="要报价")
    call.started_at = call.ended_at = at
    call.asked_by = company.li.id
    session.add(call)
    session.flush()

    def finds(text: str) -> bool:
        return past_calls(session, li_of(company), text=text)[0] == [call]

    assert [finds(text) for text in ("8000", "38000", "1380", "报价")] == [True] * 4
    kept = rule(session, "customer.phone", "masked", person=company.li)
    assert [finds(text) for text in ("8000", "38000", "1380", "报价")] == [True, False, False, True]
    operations.change_field_rule(session, SYSTEM, record_id=kept.id, values={"sees": "hidden"})
    assert [finds(text) for text in ("8000", "38000", "1380", "报价")] == [False, False, False, True]


def test_who_looks_alike_is_told_with_the_same_masks(session: Session, company: Company) -> None:
    customer_of(session, company.li)
    li = li_of(company)

    def told() -> str:
        (hit,) = operations.find_alike(session, li, kind="organization", name="华宇智联", phones=[PHONE])
        return hit.phone

    assert told() == PHONE
    rule(session, "customer.phone", "masked", person=company.li)
    assert isinstance(told(), Masked)


def test_a_rule_names_one_subject_once(session: Session, company: Company) -> None:
    rule(session, "customer.phone", "masked", person=company.li)
    with pytest.raises(RuleViolation) as refusal:
        rule(session, "customer.phone", "hidden", person=company.li)
    assert refusal.value.code == "rule_exists"
    rule(session, "customer.phone", "hidden", person=company.li, extent="others")
    wrong: list[dict[str, Any]] = [
        {},
        {"person": company.zhao, "position": company.accountant},
        {"role": "Nobody"},
        {"position": company.accountant, "narrows": True},
        {"person": company.zhao, "extent": "nowhere"},
    ]
    for values in wrong:
        with pytest.raises(InvalidForm):
            rule(session, "customer.phone", "masked", **values)
    for field in ("customer.name", "party.phone", ""):
        with pytest.raises(InvalidForm):
            rule(session, field, "masked", person=company.zhao)
    with pytest.raises(Forbidden):
        operations.create_field_rule(session, li_of(company), values={})


def test_four_who_uncover_at_once_are_all_noted(session: Session, company: Company) -> None:
    pool, li = customer_of(session, None), li_of(company)
    key = pool.id
    session.commit()
    seen: list[Any] = []

    def look() -> None:
        seen.append(
            runtime.perform(lambda own: masking.reveal(own, li, record=own.get_one(Customer, key), name="phone"))
        )
        Sessions.remove()

    threads = [threading.Thread(target=look) for _one in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert seen == [PHONE] * 4
    noted = session.scalars(select(RecordAudit.seq).where(RecordAudit.action == "revealed").order_by(RecordAudit.seq))
    assert len(set(noted)) == 4
