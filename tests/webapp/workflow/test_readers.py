"""The page of a step that waits until those it was circulated to have read it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from engine import repository, runtime
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import Copy, WorkItem
from tests.demo_house import DemoHouse, Facts
from tests.engine.approvals.play import approval
from tests.engine.workflow.drawing import Drawing


@pytest.fixture
def item(house: DemoHouse, facts: Facts) -> int:
    d = Drawing("rules")
    d.start()
    approval(d, "approve", f"person({facts.person('周明')})", circulate="wait")
    d.end()
    d.chain("start", "approve", "end")
    starter = Actor(facts.person("孙宇"), "孙宇")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"rules.bpmn": d.xml()})
        started = runtime.start(session, starter, "rules")
        found = session.scalar(select(WorkItem.id).where(WorkItem.instance_id == started.instance_id))
    Sessions.remove()
    assert found is not None
    return found


def test_the_pane_says_whom_the_step_waits_for(house: DemoHouse, facts: Facts, item: int) -> None:
    zhou, pane = house.login("zhou.ming"), f"/inbox/open/{item}?_l_=en"
    assert "must be acknowledged before this step can be approved" in zhou.get(pane, partial=True).text
    reader = facts.person("徐芳")
    form = {"version": "1", "to": str(reader), "dialog": "deed-circulate", "submission": "one"}
    assert zhou.post(f"/work-items/{item}/circulate", form, partial=True).status_code == 200
    shown = zhou.get(pane, partial=True).text
    assert "Approval waits for these readers" in shown
    assert f'form="recall-{reader}"' in shown
    refused = zhou.post(f"/work-items/{item}/approve?_l_=en", {"version": "1", "submission": "two"}, partial=True)
    assert refused.status_code == 422
    assert "have acknowledged what was circulated: 徐芳" in refused.text
    form = {"version": "1", "to": str(reader), "submission": "three"}
    freed = zhou.post(f"/work-items/{item}/recall", form, partial=True)
    assert freed.status_code == 200
    assert f'form="recall-{reader}"' not in freed.text
    form = {"version": "1", "submission": "four"}
    assert zhou.post(f"/work-items/{item}/approve", form, partial=True).status_code == 200


def test_the_copy_says_when_it_was_acknowledged(house: DemoHouse, facts: Facts, item: int) -> None:
    reader = facts.person("徐芳")
    form = {"version": "1", "to": str(reader), "dialog": "deed-circulate", "submission": "one"}
    house.login("zhou.ming").post(f"/work-items/{item}/circulate", form, partial=True)
    with transaction() as session:
        copy, instance = session.execute(select(Copy.id, Copy.instance_id).where(Copy.person_id == reader)).one()
    Sessions.remove()
    xu = house.login("xu.fang")
    xu.post(f"/instances/{instance}/acknowledge", {"from": "inbox"})
    assert re.search(r"You acknowledged this <time [^<]*>just now</time>", xu.get(f"/inbox/cc/{copy}?_l_=en").text)
