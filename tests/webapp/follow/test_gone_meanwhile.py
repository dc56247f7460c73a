"""A customer that goes to somebody else while a contact record is written: the words stay, and stay with him."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.actor import Actor
from engine.db import Sessions, transaction
from processes.activity import operations
from processes.activity.models import Appointment, ContactRecord
from processes.activity.permissions import WRITE
from processes.party import operations as party
from processes.party.models import Customer
from processes.party.permissions import MANAGE, MANAGE_ANY, READ, USE
from tests.demo_house import DemoHouse, Facts
from tests.webapp.crm.people import keep

SELLER, TYPED = "wang.lei", "谈了半个钟头的一段话"


def goes(customer_id: int, owner: int) -> None:
    with transaction() as session:
        session.get_one(Customer, customer_id).owner_id = owner
    Sessions.remove()


@pytest.mark.parametrize("where", ["page", "timeline", "call list"])
def test_what_was_written_stays_in_the_form(house: DemoHouse, facts: Facts, where: str) -> None:
    customer = keep("王磊", name="移交走的客户有限公司")
    browser = house.login(SELLER)
    page = browser.get(f"/follow/new?customer={customer}").text
    opened = re.findall(r'name="opened" value="([^"]+)"', page)
    assert opened, "the form says what its reader knew"
    goes(customer, facts.person("徐芳"))
    address = "/follow/save" if where == "call list" else "/follow/new"
    typed = {"customer": customer, "way": "call", "content": TYPED, "opened": opened[0], "queue": "today"}
    answer = browser.post(address, typed, partial=where != "page")
    assert answer.status_code == 422
    assert TYPED in answer.text
    assert "您已不能处理" in answer.text
    assert answer.text.count(f'name="customer" value="{customer}"') == 1
    assert answer.text.count('name="customer"') == 1, "and in no other customer's form"
    assert ("<html" in answer.text) == (where == "page")
    for made_up in ("", "x", opened[0][:-3]):
        assert browser.post(address, {**typed, "opened": made_up}).status_code == 404


def test_a_refusal_on_the_page_of_a_customer_is_a_part_of_that_page(house: DemoHouse) -> None:
    customer = keep("王磊", name="写错日期的客户有限公司")
    typed = {"customer": customer, "way": "call", "content": TYPED, "next_on": "2999-01-01"}
    answer = house.login(SELLER).post("/follow/new", typed, partial=True)
    assert answer.status_code == 422
    assert TYPED in answer.text
    assert "<html" not in answer.text


def test_a_refused_record_stands_beside_its_own_customer(house: DemoHouse) -> None:
    """The queue has gone on meanwhile: saved once more, the words would be another customer\'s."""
    customer = keep("王磊", name="不在队列里的客户有限公司")
    typed = {"customer": customer, "way": "call", "content": TYPED, "next_on": "2999-01-01", "queue": "today"}
    answer = house.login(SELLER).post("/follow/save", typed, partial=True)
    assert answer.status_code == 422
    assert re.findall(r'name="customer" value="(\d+)"', answer.text) == [str(customer)]
    with transaction() as session:
        assert session.query(ContactRecord).filter_by(content=TYPED).count() == 0


# ------------------------------------------------------------------------------------- appointments and records


REASON = "客户那边改了时间"
WORDS = "您已不能处理"


def boss(facts: Facts) -> Actor:
    return Actor(facts.person("陈国强"), "陈国强", permissions=frozenset({USE, READ, MANAGE, MANAGE_ANY, WRITE}))


def spoken_to(facts: Facts, name: str) -> tuple[int, int, int]:
    """A customer of 王磊 with an appointment and a record of his: their ids."""
    customer, seller = keep("王磊", name=name), facts.person("王磊")
    with transaction() as session:
        rights = frozenset({USE, READ, MANAGE, MANAGE_ANY, WRITE})
        record = operations.create_record(
            session,
            Actor(seller, "王磊", permissions=rights),
            values={"customer": customer, "way": "call", "content": "谈过一次的话"},
        )
        plan = session.scalars(select(Appointment).where(Appointment.customer_id == customer)).one()
        found = customer, plan.id, record.id
    Sessions.remove()
    return found


def merged(facts: Facts, customer: int) -> str:
    """It becomes part of another one of 王磊's."""
    kept = keep("王磊", name="合并后留下的客户有限公司")
    with transaction() as session:
        party.merge(session, boss(facts), kept_id=kept, gone_id=customer, owner="kept", reason="同一家")
    Sessions.remove()
    return "合并后留下的客户有限公司"


def dialogs(plan: int, record: int) -> dict[str, tuple[str, dict[str, str]]]:
    day = operations.today() + timedelta(days=1)
    return {
        "another day": (f"/follow/appointments/{plan}/reschedule", {"due_on": day.isoformat(), "reason": REASON}),
        "cancelled": (f"/follow/appointments/{plan}/cancel", {"reason": REASON}),
        "taken over": (f"/follow/appointments/{plan}/take-over", {"reason": REASON}),
        "mended": (f"/follow/records/{record}/edit", {"way": "call", "content": REASON}),
        "voided": (f"/follow/records/{record}/void", {"reason": REASON}),
    }


def seal_for(page: str, action: str) -> str:
    """What the dialog with that action carries of what its reader knows."""
    found = re.search(rf'action="{re.escape(action)}">.*?name="opened" value="([^"]+)"', page, re.DOTALL)
    assert found, action
    return found[1]


@pytest.mark.parametrize("dialog", ["another day", "cancelled", "taken over", "mended", "voided"])
def test_a_dialog_about_one_who_has_gone_says_so_and_keeps_its_words(
    house: DemoHouse, facts: Facts, dialog: str
) -> None:
    customer, plan, record = spoken_to(facts, "约好了又移交的客户有限公司")
    browser = house.login(SELLER)
    url, typed = dialogs(plan, record)[dialog]
    pages = browser.get(f"/follow/of/{customer}").text + browser.get(f"/follow/records/{record}").text
    of_plan = f"/follow/appointments/{plan}/cancel" if dialog == "taken over" else url
    typed = {**typed, "opened": seal_for(pages, of_plan)}
    goes(customer, facts.person("徐芳"))
    for partial in (False, True):
        answer = browser.post(url, typed, partial=partial)
        assert answer.status_code == 422
        assert WORDS in answer.text
        assert "约好了又移交的客户有限公司" in answer.text
        assert REASON in answer.text
        assert ("<html" in answer.text) != partial
        again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
        assert again["opened"] == typed["opened"], "sent once more it says the same"
    data = {"csrf_token": browser.token(), **typed}
    told = browser.client.post(url, data=data, headers={"Accept": "application/json"})
    assert (told.status_code, told.json["code"]) == (422, "gone")  # type: ignore[index]
    assert WORDS in told.json["detail"]  # type: ignore[index]
    for made_up in ("", "x", typed["opened"][:-3]):
        strange = browser.post(url, {**typed, "opened": made_up})
        assert strange.status_code == 404
        assert "约好了又移交的客户有限公司" not in strange.text
    with transaction() as session:
        assert session.get_one(Appointment, plan).state == "open"
        assert session.get_one(ContactRecord, record).content == "谈过一次的话"


def test_an_appointment_with_one_who_has_gone_is_not_made_and_says_so(house: DemoHouse, facts: Facts) -> None:
    customer = keep("王磊", name="还没约就移交的客户有限公司")
    browser = house.login(SELLER)
    (opened,) = set(re.findall(r'name="opened" value="([^"]+)"', browser.get(f"/follow/new?customer={customer}").text))
    goes(customer, facts.person("徐芳"))
    typed = {"customer": customer, "due_on": operations.today().isoformat(), "purpose": REASON, "opened": opened}
    for faulty in ({}, {"due_on": "2999-13-01"}):
        answer = browser.post("/follow/appointments", {**typed, **faulty})
        assert answer.status_code == 422
        assert WORDS in answer.text
        assert REASON in answer.text


def test_of_one_that_was_merged_it_is_said_into_which(house: DemoHouse, facts: Facts) -> None:
    customer = keep("王磊", name="被合并掉的客户有限公司")
    browser = house.login(SELLER)
    (opened,) = set(re.findall(r'name="opened" value="([^"]+)"', browser.get(f"/follow/new?customer={customer}").text))
    kept = merged(facts, customer)
    typed = {"customer": customer, "way": "call", "content": TYPED, "opened": opened, "queue": "today"}
    for address in ("/follow/new", "/follow/save"):
        answer = browser.post(address, typed, partial=True)
        assert answer.status_code == 422
        assert f"已并入“{kept}”" in answer.text
        assert TYPED in answer.text


@pytest.mark.parametrize("where", ["page", "timeline", "call list"])
def test_a_fault_of_what_was_typed_hides_not_that_the_customer_has_gone(
    house: DemoHouse, facts: Facts, where: str
) -> None:
    customer = keep("王磊", name="又错又移交的客户有限公司")
    browser = house.login(SELLER)
    page = browser.get(f"/follow/new?customer={customer}").text
    (opened,) = set(re.findall(r'name="opened" value="([^"]+)"', page))
    goes(customer, facts.person("徐芳"))
    typed = {"customer": customer, "way": "call", "content": TYPED, "opened": opened, "queue": "today", "at": "gestern"}
    answer = browser.post("/follow/save" if where == "call list" else "/follow/new", typed, partial=where != "page")
    assert answer.status_code == 422
    assert TYPED in answer.text
    assert WORDS in answer.text


def test_saving_in_the_list_of_somebody_who_left_ones_people_goes_on_in_ones_own(house: DemoHouse) -> None:
    customer = keep("王磊", name="上级的名单里的客户有限公司")
    typed = {"customer": customer, "way": "call", "content": TYPED, "queue": "today", "person": "99999"}
    answer = house.login(SELLER).post("/follow/save", typed, partial=True)
    assert answer.status_code == 200
    with transaction() as session:
        assert session.query(ContactRecord).filter_by(content=TYPED).count() == 1
