"""Where the house has it so, only who locks a customer of the pool speaks to it: told on every road, with the way."""

from __future__ import annotations

import pytest

from engine.db import transaction
from processes.activity import operations
from processes.activity.models import Appointment, ContactRecord
from processes.activity.permissions import POOL
from tests.demo_house import DemoHouse
from tests.webapp.crm.people import keep

SELLER, TYPED = "wang.lei", "跟公海客户谈了很久的话"
WORDS, WAY = "在公海中", "申请锁定"


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(POOL, "is_for_all", False)


@pytest.mark.usefixtures("closed")
def test_nobody_writes_and_everybody_is_told_why_and_what_helps(house: DemoHouse) -> None:
    customer = keep(name="公海里的机床有限公司")
    browser = house.login(SELLER)
    head = browser.get(f"/party/customer/show/{customer}").text
    assert f"/follow/new?customer={customer}" not in head
    for page in (
        head,
        browser.get(f"/follow/of/{customer}").text,
        browser.get(f"/follow/new?customer={customer}").text,
    ):
        assert WORDS in page
        assert WAY in page
    assert 'name="content"' not in browser.get(f"/follow/of/{customer}").text
    typed = {"customer": customer, "way": "call", "content": TYPED, "queue": "today"}
    for address, partial in (("/follow/new", False), ("/follow/new", True), ("/follow/save", True)):
        answer = browser.post(address, typed, partial=partial)
        assert answer.status_code in {403, 422}, address
        for said in (WORDS, WAY, TYPED):
            assert said in answer.text, (address, said)
    day = operations.today().isoformat()
    answer = browser.post("/follow/appointments", {"customer": customer, "due_on": day})
    assert (answer.status_code, WORDS in answer.text, WAY in answer.text) == (403, True, True)
    with transaction() as session:
        assert session.query(ContactRecord).filter_by(customer_id=customer).count() == 0
        assert session.query(Appointment).filter_by(customer_id=customer).count() == 0


def test_as_it_ships_everybody_who_sees_it_speaks_to_it(house: DemoHouse) -> None:
    customer = keep(name="公海里的铸造有限公司")
    browser = house.login(SELLER)
    assert f"/follow/new?customer={customer}" in browser.get(f"/party/customer/show/{customer}").text
    assert 'name="content"' in browser.get(f"/follow/of/{customer}").text
    typed = {"customer": customer, "way": "call", "content": TYPED}
    assert browser.post("/follow/new", typed).status_code == 302
