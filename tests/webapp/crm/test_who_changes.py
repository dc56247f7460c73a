"""Who works on a customer changes it; whoever only sees it is refused, for all others it does not exist."""

from __future__ import annotations

import pytest

from tests.demo_house import DemoHouse
from tests.webapp.crm.conftest import COLLEAGUE, MANAGER, NEWCOMER, SELLER, SUPERIOR, Trade

OWN, FOREIGN, POOL, CLOSED = "华宇智联科技", "鹏讯电子", "晨光教育", "旧日贸易"

# who -> what he sees of each customer: whole, masked, or nothing (the customer does not exist for him)
SEES = {
    SELLER: {OWN: "whole", FOREIGN: "nothing", POOL: "masked", CLOSED: "whole"},
    SUPERIOR: {OWN: "whole", FOREIGN: "nothing", POOL: "masked", CLOSED: "whole"},
    COLLEAGUE: {OWN: "nothing", FOREIGN: "whole", POOL: "masked", CLOSED: "nothing"},
    MANAGER: dict.fromkeys((OWN, FOREIGN, POOL, CLOSED), "whole"),
    NEWCOMER: dict.fromkeys((OWN, FOREIGN, POOL, CLOSED), "nothing"),
}


@pytest.mark.parametrize("who", SEES)
def test_only_who_works_on_it_changes_it(house: DemoHouse, trade: Trade, who: str) -> None:
    browser, wrong = house.login(who), []
    workable = {
        SELLER: {OWN, CLOSED},
        SUPERIOR: {OWN, CLOSED},
        COLLEAGUE: {FOREIGN},
        MANAGER: {OWN, FOREIGN, CLOSED},
        NEWCOMER: set(),
    }[who]
    for name in (OWN, FOREIGN, POOL, CLOSED):
        version = trade.customer(name).version
        answer = browser.client.patch(
            f"/api/v1/customers/{trade.ids[name]}",
            json={"version": version, "city": f"城市{who}"},
            headers={"X-CSRFToken": browser.token()},
        )
        sees = SEES[who][name]
        expected = 200 if name in workable else 403 if who == NEWCOMER or sees != "nothing" else 404
        if answer.status_code != expected:
            wrong.append((name, answer.status_code, expected, answer.text[:200]))
        if (trade.customer(name).city == f"城市{who}") != (expected == 200):
            wrong.append((name, trade.customer(name).city))
    assert wrong == []
