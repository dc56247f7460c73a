"""A record that came of a process leads back to it."""

from __future__ import annotations

import re

from tests.demo_house import DemoHouse


def test_the_page_of_a_record_leads_to_its_process(house: DemoHouse) -> None:
    wang = house.login("wang.lei")
    listed = wang.get("/spending/expense_request/list/").text
    pk = re.findall(r"/spending/expense_request/show/(\d+)", listed)[0]
    page = wang.get(f"/spending/expense_request/show/{pk}?_l_=en").text
    (process,) = set(re.findall(r'href="(/instances/\d+)"', page))
    assert "Show the process" in page
    assert wang.get(process).status_code == 200


def test_a_record_of_no_process_leads_nowhere(house: DemoHouse) -> None:
    zhao = house.login("zhao.min")
    listed = zhao.get("/spending/budget/list/").text
    pk = re.findall(r"/spending/budget/show/(\d+)", listed)[0]
    assert "/instances/" not in re.sub(r'href="/instances/?"', "", zhao.get(f"/spending/budget/show/{pk}").text)
