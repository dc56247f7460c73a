"""A request about a customer as his superior's inbox shows it."""

from __future__ import annotations

import re

from tests.demo_house import DemoHouse
from tests.webapp.crm.conftest import SELLER, SUPERIOR, Trade

WHY = "去年做过该公司的监控项目，与信息部经理熟悉"


def _apply(house: DemoHouse, customer: int) -> None:
    assert house.login(SELLER).post(f"/customers/{customer}/apply", {"reason": WHY}).status_code in (200, 204, 302)


def test_only_an_amount_stands_beside_the_title_and_other_words_stand_below_with_their_label(
    house: DemoHouse, trade: Trade
) -> None:
    _apply(house, trade.ids["晨光教育"])
    page = house.login(SUPERIOR).get("/inbox").text
    entries = re.findall(r"<li class=\"yl-entry .*?</li>", page, re.DOTALL)
    lock = next(one for one in entries if "晨光教育" in one)
    assert "yl-money" not in lock
    assert f'class="yl-entry-gist"><span><small>申请理由</small> {WHY}</span>' in lock
    expense = next(one for one in entries if "杭州客户拜访" in one)
    assert re.search(r'class="yl-entry-top"><b>[^<]*</b><span class="yl-money yl-strong">¥580\.00</span>', expense)
    assert "yl-entry-gist" not in expense


def test_the_customer_that_is_named_leads_to_its_page(house: DemoHouse, trade: Trade) -> None:
    _apply(house, trade.ids["晨光教育"])
    superior = house.login(SUPERIOR)
    listed = superior.get("/inbox?q=晨光教育").text
    key = re.findall(r'data-yl-entry="(\d+)"', listed)[0]
    pane = superior.get(f"/inbox/open/{key}").text
    link = f"/party/customer/show/{trade.ids['晨光教育']}"
    assert f'<dd><a href="{link}">晨光教育</a></dd>' in pane
    assert "晨光教育" in superior.get(link).text
