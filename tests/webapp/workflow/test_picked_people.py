"""People picked for steps to come: a form that is refused shows them again."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from engine import repository, runtime
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import WorkItem
from processes.organization.models import Employee
from tests.bench.crowd import draw_approval
from tests.demo_house import DemoHouse, Facts
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import actor_of


@pytest.fixture
def named(house: DemoHouse, facts: Facts) -> dict[str, int]:
    """徐芳 decides first; who follows is named by the starter, or by her."""
    people = {name: facts.person(name) for name in ("王磊", "孙宇", "徐芳")}
    for key, by in (("by_starter", "starter"), ("by_approver", "approver")):
        d = Drawing(key)
        d.start()
        draw_approval(d, "first", f"person({people['徐芳']})", sign="or")
        d.add("parallelGateway", "split")
        d.add("parallelGateway", "join")
        for step in ("left", "right"):
            draw_approval(d, step, f"person({people['徐芳']})", pick=by)
            d.chain("split", step, "join")
        d.end()
        d.chain("start", "first", "split")
        d.chain("join", "end")
        with transaction() as session:
            repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
        Sessions.remove()
    return people


def shown(page: str, step: str) -> str:
    found = re.search(rf'<select[^>]*name="people\.{step}".*?</select>', page, re.DOTALL)
    assert found
    return found.group(0)


def test_a_request_that_is_refused_keeps_them(house: DemoHouse, named: dict[str, int]) -> None:
    wang = house.login("wang.lei")
    refused = wang.post("/start/by_starter", {"people.left": str(named["孙宇"]), "submission": "s"})
    assert refused.status_code == 422
    assert f'<option value="{named["孙宇"]}" selected>孙宇</option>' in shown(refused.text, "left")
    assert "<option" not in shown(refused.text, "right")
    assert refused.text.count("请指定“right”的办理人。") == 2, "said at the top, and beside the field"
    both = {"people.left": str(named["孙宇"]), "people.right": str(named["徐芳"]), "submission": "s"}
    assert wang.post("/start/by_starter", both).status_code == 302


def test_a_decision_that_is_refused_keeps_them(house: DemoHouse, named: dict[str, int]) -> None:
    with transaction() as session:
        starter = actor_of(session.get_one(Employee, named["王磊"]))
    instance = runtime.perform(lambda session: runtime.start(session, starter, "by_approver")).instance_id
    with transaction() as session:
        item = session.scalars(select(WorkItem.id).where(WorkItem.instance_id == instance)).one()
    Sessions.remove()
    refused = house.login("xu.fang").post(
        f"/work-items/{item}/approve", {"version": "1", "people.right": str(named["孙宇"])}
    )
    assert refused.status_code == 422
    assert f'<option value="{named["孙宇"]}" selected>孙宇</option>' in shown(refused.text, "right")
    assert "<option" not in shown(refused.text, "left")
