"""Customers and contacts are found by what people remember of them, and nobody finds what he may not see."""

from __future__ import annotations

import pytest
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.db import transaction
from engine.models import SearchToken
from processes.lookup import operations as lookup
from processes.party import operations, permissions
from processes.party.models import Contact, Customer
from tests.databases import Database
from tests.processes.test_customers import seller


def customers(session: Session, actor: Actor, text: str) -> set[str]:
    found = permissions.found_customers(session, actor, text)
    return set(session.scalars(select(Customer.name).where(permissions.visible_customers(actor), found)))


def contacts(session: Session, actor: Actor, text: str) -> set[str]:
    found = permissions.found_contacts(session, actor, text)
    return set(session.scalars(select(Contact.name).where(permissions.visible_contacts(actor), found)))


@pytest.mark.usefixtures("_every_way")
def test_a_name_is_found_by_what_it_is_now(session: Session) -> None:
    made = operations.create_customer(session, SYSTEM, values={"name": "云启智联科技有限公司", "phone": "13800138000"})
    for text in ("云启", "智联科技", "yunqi", "yqzl", "8000", "13800138000"):
        assert customers(session, SYSTEM, text) == {"云启智联科技有限公司"}, text
    operations.change_customer(session, SYSTEM, record_id=made.id, values={"name": "鹏讯电子", "phone": "13900139111"})
    for text in ("云启", "yqzl", "8000"):
        assert customers(session, SYSTEM, text) == set(), text
    for text in ("鹏讯", "pxdz", "9111"):
        assert customers(session, SYSTEM, text) == {"鹏讯电子"}, text


@pytest.mark.usefixtures("_every_way")
def test_a_code_and_a_mail_are_found_whole(session: Session) -> None:
    code = "91310000MA1FL0000"
    from processes.party import rules

    code += rules.check_sign(code)
    made = operations.create_customer(session, SYSTEM, values={"name": "甲公司", "email": "info@example.com"})
    operations.change_customer(session, SYSTEM, record_id=made.id, values={"credit_code": code})
    for text in (code, code.lower(), "INFO@example.com"):
        assert customers(session, SYSTEM, text) == {"甲公司"}, text
    for text in (code[:10], "info@exa"):
        assert customers(session, SYSTEM, text) == set(), text


@pytest.mark.usefixtures("_every_way")
def test_contacts_by_their_name_their_customer_and_their_employer(session: Session) -> None:
    made = operations.create_customer(session, SYSTEM, values={"name": "云启智联"})
    inside = {"name": "陈平", "customer": made.id, "phone": "13700137007"}
    operations.create_contact(session, SYSTEM, values=inside)
    outside = operations.create_contact(session, SYSTEM, values={"name": "林一", "employer": "鹏讯电子"})
    for text, found in (("陈平", "陈平"), ("chenp", "陈平"), ("云启", "陈平"), ("7007", "陈平"), ("鹏讯", "林一")):
        assert contacts(session, SYSTEM, text) == {found}, text
    operations.change_contact(session, SYSTEM, record_id=outside.id, values={"employer": "晨光教育"})
    assert contacts(session, SYSTEM, "鹏讯") == set()
    assert contacts(session, SYSTEM, "晨光") == {"林一"}


@pytest.mark.usefixtures("_every_way")
def test_a_search_never_leaves_the_scope(session: Session) -> None:
    head = seller(session, "FH")
    mine, other = seller(session, "FM", head.person_id), seller(session, "FO")
    made = operations.create_customer(session, SYSTEM, values={"name": "云启智联", "phone": "13800138000"})
    operations.create_contact(session, SYSTEM, values={"name": "陈平", "customer": made.id})
    made.owner_id, made.state = mine.person_id, "locked"
    session.flush()
    for text in ("云启", "yqzl", "13800138000"):
        assert customers(session, mine, text) == customers(session, head, text) == {"云启智联"}, text
        assert customers(session, other, text) == set(), text
    assert contacts(session, head, "云启") == {"陈平"}
    assert contacts(session, other, "陈平") == set()


@pytest.mark.usefixtures("_every_way")
def test_a_masked_number_is_not_guessed_digit_by_digit(session: Session) -> None:
    other = seller(session, "FG")
    foreign, his = {"name": "晨光教育", "phone": "13800138000"}, {"name": "陈平", "phone": "13600138000"}
    made = operations.create_customer(session, SYSTEM, values=foreign)
    operations.create_contact(session, SYSTEM, values=his | {"customer": made.id})
    own = operations.create_customer(session, SYSTEM, values={"name": "鹏讯电子", "phone": "13900139000"})
    operations.create_contact(session, SYSTEM, values={"name": "林一", "phone": "13700139000", "customer": own.id})
    own.owner_id, own.state = other.person_id, "locked"
    session.flush()

    def finds(text: str) -> tuple[set[str], set[str]]:
        return customers(session, other, text), contacts(session, other, text)

    assert finds("8000") == ({"晨光教育"}, {"陈平"})
    for text in ("38000", "1380013", "1360013", "1380", "1360"):
        assert finds(text) == (set(), set()), text
    assert finds("13800138000") == ({"晨光教育"}, {"陈平"})
    assert finds("13600138000") == (set(), {"陈平"})
    for text in ("39000", "9000"):
        assert finds(text) == ({"鹏讯电子"}, {"林一"}), text
    assert finds("1390013") == ({"鹏讯电子"}, {"林一"})
    assert finds("1370013") == (set(), {"林一"})
    made.owner_id, made.state = other.person_id, "locked"
    session.flush()
    for text in ("8000", "38000", "1380013", "1380", "13800138000"):
        assert finds(text) == ({"晨光教育"}, {"陈平"}), text
    assert finds("1360013") == (set(), {"陈平"})


def test_how_many_have_it_decides_how_it_is_looked_for(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        values = {"name": f"云启第{number}公司", "phone": f"1380013800{number}"}
        operations.create_customer(session, SYSTEM, values=values)
    monkeypatch.setattr(lookup, "FEW", 4)
    monkeypatch.setattr(lookup, "MANY", 4)

    def looked(text: str) -> tuple[bool, bool]:
        found = lookup.found(permissions.FOUND_AS, text, seen_whole=lambda _id: true())
        named = lookup.few(session, found) is not None
        return named, lookup.is_frequent(session, permissions.FOUND_AS, text)

    assert looked("云启") == (False, True)
    assert looked("云启第3") == (True, False), "the rarest of its words counts"
    assert looked("13800138") == (False, True)
    assert looked("13800138003") == (True, False)
    assert looked("8003") == (True, False)
    assert looked("有限公司") == (True, False), "nothing is asked"


def test_rebuilding_brings_every_word_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "BATCH", 2)
    with transaction() as session:
        for name in ("云启智联", "鹏讯电子", "晨光教育"):
            operations.create_customer(
                session, SYSTEM, values={"name": name, "phone": "13800138000", "duplicate_reason": "x"}
            )
        operations.create_contact(session, SYSTEM, values={"name": "林一", "employer": "旧日贸易"})
        before = set(session.execute(select(SearchToken.record_type, SearchToken.token, SearchToken.record_id)).all())
        session.query(SearchToken).delete()
        session.add(SearchToken(record_type="party", token="陈旧", record_id=1))
    assert list(lookup.rebuild(permissions.FOUND_AS)) == [2, 4]
    with transaction() as session:
        assert (
            set(session.execute(select(SearchToken.record_type, SearchToken.token, SearchToken.record_id)).all())
            == before
        )
        assert lookup.count(session, permissions.FOUND_AS) == 4
