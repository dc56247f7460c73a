"""Decisions that ask where to, a request mended at its start, and copies that are acknowledged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import Copy
from engine.runtime.host import latest_form
from tests.demo_house import DemoHouse, Facts
from tests.engine.approvals.play import approval
from tests.engine.workflow.drawing import Drawing

STARTER, FIRST, SECOND = "wang.lei", "zhou.ming", "lin.xiaoyan"
FORM = {
    "title": "采购",
    "fields": [{"id": "subject", "type": "text", "label": "事由", "title": True, "required": True}],
}


@pytest.fixture
def bought(house: DemoHouse, facts: Facts) -> int:
    """Two approvals one behind the other, without a drawn way back; the second asks where a rejection leads."""
    people = {name: Actor(person_id=facts.person(name), name=name) for name in ("王磊", "周明", "林晓燕")}
    d = Drawing("buy")
    d.start()
    approval(d, "first", f"person({people['周明'].person_id})")
    approval(d, "second", f"person({people['林晓燕'].person_id})", reject="ask")
    d.end()
    d.chain("start", "first", "second", "end")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"buy.bpmn": d.xml(), "buy.form.json": json.dumps(FORM)})
    started = runtime.perform(lambda s: runtime.start(s, people["王磊"], "buy", values={"subject": "键盘"})).instance_id
    item_id, _version = open_item(started)
    runtime.perform(lambda s: work_items.act(s, people["周明"], item_id, "approve"))
    Sessions.remove()
    return started


def read(work: Callable[[Session], Any]) -> Any:
    """Between two requests, leaving nothing open."""
    try:
        with transaction() as session:
            return work(session)
    finally:
        Sessions.remove()


def open_item(instance: int) -> tuple[int, int]:
    ((found, _node),) = read(
        lambda s: [((one.id, one.version), one.node) for one in work_items.open_items(s, instance)]
    )
    return found


def nodes(instance: int) -> list[str]:
    return read(lambda s: [one.node for one in work_items.open_items(s, instance)])


@pytest.mark.parametrize(("step", "then"), [("first", ["first"]), ("starter", ["start"]), ("end", [])])
def test_a_rejection_that_asks_is_asked_on_the_page(house: DemoHouse, bought: int, step: str, then: list[str]) -> None:
    item, version = open_item(bought)
    second = house.login(SECOND)
    page = second.get(f"/inbox/open/{item}").text
    dialog = re.search(r'<dialog[^>]*id="deed-reject".*?</dialog>', page, re.DOTALL)
    assert dialog
    assert re.findall(r'name="step" value="(\w+)"', dialog.group(0)) == ["starter", "first", "end"]
    answer = second.post(f"/work-items/{item}/reject", {"version": version, "step": step, "words": "不够便宜"})
    assert answer.status_code == 302
    assert nodes(bought) == then


def test_what_came_back_to_the_start_is_mended_on_the_page(house: DemoHouse, bought: int) -> None:
    item, version = open_item(bought)
    sent = house.login(SECOND).post(
        f"/work-items/{item}/return", {"version": version, "step": "starter", "words": "写清楚"}
    )
    assert sent.status_code == 302
    item, version = open_item(bought)
    starter = house.login(STARTER)
    assert 'name="subject"' in starter.get(f"/inbox/open/{item}").text
    form = {"version": version, "_present": "subject", "subject": "机械键盘"}
    answer = starter.post(f"/work-items/{item}/submit", form)
    assert answer.status_code == 302, answer.text
    assert nodes(bought) == ["first"]
    assert read(lambda s: latest_form(s, bought))[1]["subject"] == "机械键盘"


def test_what_is_circulated_is_acknowledged_on_the_page(house: DemoHouse, facts: Facts, bought: int) -> None:
    reader_id = facts.person("孙宇")
    read(lambda s: work_items.send_copies(s, SYSTEM, bought, [reader_id], kind="circulate"))
    mine = select(Copy.id, Copy.acknowledged_at).where(Copy.person_id == reader_id, Copy.instance_id == bought)
    sun = house.login("sun.yu")
    copy_id = read(lambda s: s.execute(mine).one()).id
    pages = (f"/inbox/cc/{copy_id}", f"/instances/{bought}")
    assert all(f"/instances/{bought}/acknowledge" in sun.get(page).text for page in pages)
    for _twice in range(2):
        assert sun.post(f"/instances/{bought}/acknowledge", {"from": "inbox"}).status_code == 302
    assert read(lambda s: s.execute(mine).one()).acknowledged_at is not None
    assert not any(f"/instances/{bought}/acknowledge" in sun.get(page).text for page in pages)
    assert house.login(FIRST).post(f"/instances/{bought}/acknowledge").status_code == 404
    assert nodes(bought) == ["second"]
