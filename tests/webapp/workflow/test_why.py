"""Why an item reached somebody, in the words of the diagram and its form."""

from __future__ import annotations

import pytest

from engine import runtime, work_items
from engine.actor import Actor
from engine.db import Sessions, transaction
from tests.demo_house import DemoHouse, Facts


@pytest.fixture
def asked(house: DemoHouse, facts: Facts) -> int:
    """A general approval whose approver is picked in its form; the open item."""
    values = {"title": "印制手册", "text": "五百册", "approvers": [facts.person("周明")], "mode": "in_order"}
    starter = Actor(person_id=facts.person("王磊"), name="王磊")
    started = runtime.perform(lambda s: runtime.start(s, starter, "general_approval", values=values)).instance_id
    with transaction() as session:
        (item,) = work_items.open_items(session, started)
        found = item.id
    Sessions.remove()
    return found


def test_a_field_is_called_by_its_label(house: DemoHouse, asked: int) -> None:
    page = house.login("zhou.ming").get(f"/inbox/open/{asked}").text
    assert "表单字段中的人员 · 审批人" in page
    assert "· approvers" not in page
