"""The approver sees what the same kind of request got before, in a part of its own that the pane fetches."""

from __future__ import annotations

import re

from engine import runtime, work_items
from engine.actor import Actor
from engine.db import Sessions
from tests.demo_house import DemoHouse, Facts

WAITING = "杭州客户拜访"


def test_the_pane_fetches_what_the_same_got_before(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    zhou, address = house.login("zhou.ming"), f"/work-items/{item.id}/before"
    assert f'hx-get="{address}"' in zhou.get(f"/inbox/open/{item.id}", partial=True).text
    shown = zhou.get(f"{address}?_l_=en", partial=True).text
    assert "What the same got before" in shown
    assert "<!doctype" not in shown
    listed = {int(number) for number in re.findall(r'href="/instances/(\d+)"', shown)}
    assert listed
    assert {facts.state(one) for one in listed} <= {"completed", "rejected"}
    assert "Passed" in shown
    assert item.instance_id not in listed


def test_who_may_not_read_the_item_learns_nothing(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    assert house.login("xu.fang").get(f"/work-items/{item.id}/before").status_code == 404
    assert house.login("zhou.ming").get("/work-items/999999/before").status_code == 404


def test_who_does_not_decide_is_not_shown_it(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    assert "/before" not in house.login("chen.guoqiang").get(f"/inbox/open/{item.id}", partial=True).text


def test_a_decision_is_the_next_precedent(house: DemoHouse, facts: Facts) -> None:
    item, other = facts.open_item(WAITING), facts.open_item("行业研讨会报名")
    zhou = house.login("zhou.ming")
    assert "rejected" not in zhou.get(f"/work-items/{other.id}/before?_l_=en").text.lower()
    who = Actor(facts.person("周明"), "周明")
    runtime.perform(lambda s: work_items.act(s, who, item.id, "reject", opinion="超出预算"))
    Sessions.remove()
    shown = zhou.get(f"/work-items/{other.id}/before?_l_=en").text
    assert WAITING in shown
    assert "Rejected" in shown
