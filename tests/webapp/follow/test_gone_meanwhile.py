"""A customer that goes to somebody else while a contact record is written: the words stay, and stay with him."""

from __future__ import annotations

import re

import pytest

from engine.db import Sessions, transaction
from processes.activity.models import ContactRecord
from processes.party.models import Customer
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
