"""Who is there already: found however he is written, told as far as the asker may know, asked about once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import InvalidForm
from processes.organization import operations as organization
from processes.party import operations, permissions, rules
from processes.party.models import Customer, DuplicateDecision, Party
from tests.databases import Database


def seller(session: Session, number: str) -> Actor:
    person = organization.create_employee(session, SYSTEM, values={"number": number, "name": f"销售{number}"})
    return Actor(person.id, person.name, permissions=frozenset({permissions.USE, permissions.MANAGE}))


def owned(session: Session, actor: Actor, **values: str) -> Customer:
    made = operations.create_customer(session, SYSTEM, values=values)
    made.owner_id, made.state = actor.person_id, "locked"
    session.flush()
    return made


@pytest.mark.parametrize(
    ("name", "ground", "verdict"),
    [
        ("上海云启(集团)智联科技有限公司", "name", "block"),
        ("云启智联科技股份有限公司", "core", "warn"),
        ("云起智联科技有限公司", "sound", "warn"),
        ("云启智联科技发展有限公司", "fuzzy", "allow"),
    ],
)
def test_a_name_written_differently_is_found(session: Session, name: str, ground: str, verdict: str) -> None:
    operations.create_customer(session, SYSTEM, values={"name": "上海云启（集团）智联科技有限公司"})
    operations.create_customer(session, SYSTEM, values={"name": "鹏讯电子有限公司"})
    (hit,) = operations.find_alike(session, SYSTEM, kind="organization", name=name)
    assert (hit.grounds, hit.verdict) == ((ground,), verdict)


def test_another_number_is_another_school(session: Session) -> None:
    operations.create_customer(session, SYSTEM, values={"name": "南山实验第一小学"})
    assert operations.find_alike(session, SYSTEM, kind="organization", name="南山实验第二小学") == []


def test_what_is_not_ones_own_is_told_by_name_and_owner_only(session: Session) -> None:
    mine, other = seller(session, "A1"), seller(session, "A2")
    owned(session, mine, name="鹏讯电子有限公司", phone="13800138000", city="深圳")
    (seen,) = operations.find_alike(session, mine, kind="organization", name="鹏讯电子")
    assert (seen.phone, seen.city, seen.is_visible) == ("+8613800138000", "深圳", True)
    (hidden,) = operations.find_alike(session, other, kind="organization", name="鹏讯电子")
    assert (hidden.name, hidden.owner, hidden.state) == ("鹏讯电子有限公司", "销售A1", "locked")
    assert (hidden.city, hidden.is_visible, hidden.record_id) == ("", False, None)
    assert hidden.phone.endswith("8000")
    assert "138" not in hidden.phone


def test_a_person_of_others_keeps_his_name(session: Session) -> None:
    """Whoever knows only a number does not learn whose it is."""
    mine, other = seller(session, "B1"), seller(session, "B2")
    customer = owned(session, mine, name="鹏讯电子有限公司")
    operations.create_contact(
        session, mine, values={"name": "欧阳晓明", "customer": customer.id, "phone": "13800138000"}
    )
    (hit,) = operations.find_alike(session, other, kind="person", name="李四", phones=["+8613800138000"])
    assert (hit.name, hit.owner, hit.verdict) == ("欧***", "销售B1", "warn")
    (same,) = operations.find_alike(session, other, kind="person", name="欧阳晓明", phones=["+8613800138000"])
    assert (same.name, same.verdict) == ("欧阳晓明", "block")


def test_a_name_alone_makes_nobody_the_same_person(session: Session) -> None:
    for _each in range(2):
        operations.create_customer(session, SYSTEM, values={"name": "张伟", "kind": "person"})
    assert session.scalar(select(func.count(Customer.id))) == 2


def test_block_names_the_owner_and_warn_wants_a_reason_that_is_kept(session: Session) -> None:
    mine, other = seller(session, "C1"), seller(session, "C2")
    first = owned(session, mine, name="鹏讯电子有限公司")
    with pytest.raises(InvalidForm) as refusal:
        operations.create_customer(session, other, values={"name": "鹏讯电子 有限公司"})
    assert "销售C1" in str(refusal.value.problems[0].message)
    assert "Ask 销售C1" in str(refusal.value.problems[0].remedy)  # what he cannot open he is not told to open
    with pytest.raises(InvalidForm) as own:
        operations.create_customer(session, mine, values={"name": "鹏讯电子 有限公司"})
    assert "Open that one" in str(own.value.problems[0].remedy)
    with pytest.raises(InvalidForm) as question:
        operations.create_customer(session, other, values={"name": "鹏讯电子集团"})
    assert question.value.problems[0].where == "duplicate_reason"
    with pytest.raises(InvalidForm):
        operations.create_customer(session, other, values={"name": "鹏讯电子集团", "duplicate_reason": "  "})
    made = operations.create_customer(
        session, other, values={"name": "鹏讯电子集团", "duplicate_reason": "母公司，另一法人"}
    )
    kept = session.scalars(select(DuplicateDecision)).one()
    assert (kept.party_id, kept.other_id, kept.grounds, kept.reason) == (made.id, first.id, "core", "母公司，另一法人")


def test_a_change_asks_only_about_what_is_new(session: Session) -> None:
    operations.create_customer(session, SYSTEM, values={"name": "鹏讯电子有限公司", "phone": "13800138000"})
    second = operations.create_customer(session, SYSTEM, values={"name": "鹏讯电子集团", "duplicate_reason": "母公司"})
    operations.change_customer(session, SYSTEM, record_id=second.id, values={"level": "A", "name": second.name})
    with pytest.raises(InvalidForm) as question:
        operations.change_customer(session, SYSTEM, record_id=second.id, values={"phone": "13800138000"})
    assert question.value.problems[0].where == "duplicate_reason"
    with pytest.raises(InvalidForm) as refusal:
        operations.change_customer(session, SYSTEM, record_id=second.id, values={"name": "鹏讯电子有限公司"})
    assert refusal.value.problems[0].where == "name"


def test_a_credit_code_is_one_organisation_whatever_it_is_called(session: Session) -> None:
    first = "91310000MA1FL0000"
    code = first + rules.check_sign(first)
    operations.create_customer(session, SYSTEM, values={"name": "甲乙贸易行", "credit_code": code})
    with pytest.raises(InvalidForm) as refusal:
        operations.create_customer(session, SYSTEM, values={"name": "全新名号商社", "credit_code": code})
    assert refusal.value.problems[0].where == "credit_code"


def test_an_employer_that_is_only_a_name_is_shown(session: Session) -> None:
    operations.create_contact(session, SYSTEM, values={"name": "陈平", "employer": "远帆物流有限公司"})
    (hit,) = operations.find_alike(session, SYSTEM, kind="organization", name="远帆物流 有限公司")
    assert (hit.part, hit.name, hit.verdict, hit.party_id) == ("employer", "远帆物流有限公司", "allow", None)


def test_packages_above_add_theirs(session: Session) -> None:
    far = operations.create_customer(session, SYSTEM, values={"name": "完全不同的名字", "phone": "021-55550001"})
    from processes.party.operations import alike

    operations.look_also("test", lambda _session, _facts: [far.id])
    try:
        assert operations.find_alike(session, SYSTEM, kind="organization", name="鹏讯") == []
        assert (
            operations.find_alike(session, SYSTEM, kind="organization", phones=["+862155550001"])[0].party_id == far.id
        )
    finally:
        alike._LOOKS_ALSO.pop("test")


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize(
    "spellings",
    [
        ("上海云启（集团）科技有限公司", "上海云启(集团)科技有限公司", " 上海云启【集团】科技 有限公司"),
        ("云启智联科技有限公司", "云启智联科技股份有限公司", "云起智联科技有限公司"),
    ],
)
def test_of_sixteen_who_enter_it_at_once_exactly_one_does(database: Database, spellings: tuple[str, ...]) -> None:
    ready, told = threading.Barrier(16), []

    def enter(number: int) -> None:
        try:
            ready.wait(30)
            with transaction() as session:
                operations.create_customer(session, SYSTEM, values={"name": spellings[number % len(spellings)]})
            told.append("made")
        except InvalidForm as refusal:
            told.append(refusal.problems[0].where)
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(told).count("made") == 1
    assert len(told) == 16
    with transaction() as session:
        assert session.scalar(select(func.count(Party.id))) == 1
    Sessions.remove()
