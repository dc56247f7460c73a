"""Every page, for everybody who may come: one table."""

from __future__ import annotations

import re

import pytest

from tests.demo_house import DemoHouse, Facts

NOBODY, STARTER, STRANGER, APPROVER, BOSS, ADMIN = (
    "",
    "wang.lei",
    "xu.fang",
    "lin.xiaoyan",
    "chen.guoqiang",
    "zheng.kai",
)
OWN = "拜访苏州客户"
"""a finished request of STARTER, decided by zhou.ming alone"""

PAGES = (
    # address, then the status for: nobody, starter, stranger, approver of others, general manager, administrator
    ("/", 302, 200, 200, 200, 200, 200),
    ("/start", 302, 200, 200, 200, 200, 200),
    ("/start/expense_request", 302, 200, 200, 200, 200, 200),
    ("/start/no_such_process", 302, 404, 404, 404, 404, 404),
    ("/inbox", 302, 200, 200, 200, 200, 200),
    ("/inbox/done", 302, 200, 200, 200, 200, 200),
    ("/inbox/started", 302, 200, 200, 200, 200, 200),
    ("/inbox/cc", 302, 200, 200, 200, 200, 200),
    ("/inbox/elsewhere", 302, 404, 404, 404, 404, 404),
    ("/inbox/started/{own}", 302, 200, 404, 404, 200, 200),
    ("/instances", 302, 200, 200, 200, 200, 200),
    ("/instances/{own}", 302, 200, 404, 404, 200, 200),
    ("/instances/{own}?tab=diagram", 302, 200, 404, 404, 200, 200),
    ("/instances/{own}?tab=history", 302, 200, 404, 404, 200, 200),
    ("/instances/{own}?tab=people", 302, 200, 404, 404, 200, 200),
    ("/instances/{own}?tab=messages", 302, 200, 404, 404, 200, 200),
    ("/instances/{own}?tab=secrets", 302, 404, 404, 404, 404, 404),
    ("/instances/{own}/diagram", 302, 200, 404, 404, 200, 200),
    ("/instances/{own}/pulse", 302, 200, 404, 404, 200, 200),
    ("/instances/999999", 302, 404, 404, 404, 404, 404),
    ("/messages", 302, 200, 200, 200, 200, 200),
    ("/messages/of-instance/{own}", 302, 200, 404, 404, 200, 200),
    ("/messages/999999", 302, 404, 404, 404, 404, 404),
    ("/forms/lookup/organization.employee", 302, 200, 200, 200, 200, 200),
    ("/forms/lookup/no.such.thing", 302, 404, 404, 404, 404, 404),
)


@pytest.mark.parametrize("number", range(6), ids=["nobody", "starter", "stranger", "approver", "boss", "admin"])
def test_who_may_open_what(house: DemoHouse, facts: Facts, number: int) -> None:
    who = (NOBODY, STARTER, STRANGER, APPROVER, BOSS, ADMIN)[number]
    browser = house.login(who) if who else house.visitor()
    own = facts.instance(OWN)
    seen = {url: browser.get(url.format(own=own)).status_code for url, *_statuses in PAGES}
    assert seen == {url: statuses[number] for url, *statuses in PAGES}


@pytest.mark.parametrize(
    "url", [row[0] for row in PAGES if row[2] == 200 and not row[0].endswith(("diagram", "employee"))]
)
def test_pages_are_whole_and_load_nothing_foreign(house: DemoHouse, facts: Facts, url: str) -> None:
    page = house.login(STARTER).get(url.format(own=facts.instance(OWN))).text
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page)
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("url", ["/", "/start", "/start/expense_request", "/inbox", "/instances", "/messages"])
def test_pages_speak_english(house: DemoHouse, url: str) -> None:
    page = house.login(STARTER).get(f"{url}?_l_=en").text
    assert '<html lang="en"' in page
