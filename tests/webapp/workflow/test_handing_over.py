"""A leaver's work on its page: seen first, handed over once, and told piece by piece; to whom it concerns only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import runtime, work_items
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.models import IdempotencyKey, InstanceLog
from processes.organization.models import Employee
from processes.tasks.models import Task
from processes.tasks.operations import create_task
from tests.demo_house import Browser, DemoHouse, Facts
from webapp.once import AT_WORK

PERSONNEL, SUPERIOR_OF_LEAVER, STRANGER = "wu.ting", "lin.xiaoyan", "xu.fang"
OWN, POOLED = "杭州客户拜访", "行业研讨会报名"
CHIP = re.compile(r'yl-tone-\w+"[^>]*><svg.*?</svg>(已转办|保持不动|已不在其名下)</span>', re.DOTALL)


@pytest.fixture
def leaver(facts: Facts) -> int:
    return facts.person("周明")


@pytest.fixture
def heir(facts: Facts) -> int:
    return facts.person("林晓燕")


@pytest.fixture
def task(facts: Facts, leaver: int) -> int:
    giver = Actor(person_id=facts.person("林晓燕"), name="林晓燕")
    made: int = runtime.perform(lambda s: create_task(s, giver, title="核对报价", assignee=leaver).id)
    Sessions.remove()
    return made


def form_of(browser: Browser, person: int) -> dict[str, Any]:
    """What the page would send."""
    page = browser.get(f"/hand-over?person={person}").text
    hidden = dict(re.findall(r'<input type="hidden" name="(seen|submission)" value="([^"]*)"', page))
    return {"person": person, "reason": "离职", **hidden}


def told(page: str) -> list[str]:
    return CHIP.findall(page)


def the_task(task: int) -> Task:
    with transaction() as session:
        found = session.get_one(Task, task)
        session.expunge(found)
    Sessions.remove()
    return found


def test_it_is_seen_before_it_moves(house: DemoHouse, leaver: int, task: int) -> None:
    page = house.login(PERSONNEL).get(f"/hand-over?person={leaver}").text
    assert all(said in page for said in (OWN, POOLED, "核对报价", "周明名下共有 3 项"))
    assert f'href="/tasks/{task}"' not in page  # personnel move tasks and do not read them
    assert "/instances/" not in page.split('id="yl-estate"')[1]
    empty = house.login(PERSONNEL).get("/hand-over").text
    assert 'name="reason"' not in empty
    part = house.login(PERSONNEL).get(f"/hand-over?person={leaver}", partial=True).text
    assert "<html" not in part
    assert house.login(PERSONNEL).get("/hand-over?person=" + "9" * 30).status_code == 200
    assert house.login(PERSONNEL).get("/hand-over?person=987654").status_code == 404
    assert OWN in part


def test_everything_moves_once_and_each_piece_says_so(
    house: DemoHouse, facts: Facts, leaver: int, heir: int, task: int
) -> None:
    personnel = house.login(PERSONNEL)
    form = {**form_of(personnel, leaver), "to": heir}
    answer = personnel.post("/hand-over", form)
    assert answer.status_code == 302
    page = personnel.get(answer.headers["Location"]).text
    assert told(page) == ["已转办"] * 3
    assert "3 项中有 3 项已转给林晓燕" in page
    assert facts.open_item(OWN).assignee_id == heir
    assert heir in facts.open_item(POOLED).candidates
    assert the_task(task).assignee_id == heir
    again = personnel.post("/hand-over", form)  # a double click
    assert again.headers["Location"] == answer.headers["Location"]
    assert told(personnel.get(again.headers["Location"]).text) == ["已转办"] * 3
    with transaction() as session:
        lines = session.scalars(select(InstanceLog).where(InstanceLog.action == "hand_over")).all()
        assert [line.detail["reason"] for line in lines] == ["离职"] * 2
    assert "周明名下没有" in personnel.get(f"/hand-over?person={leaver}").text


def test_what_was_decided_meanwhile_says_so(house: DemoHouse, facts: Facts, leaver: int, heir: int) -> None:
    personnel, item = house.login(PERSONNEL), facts.open_item(OWN)
    form = {**form_of(personnel, leaver), "to": heir}
    answer = house.login("zhou.ming").post(
        f"/work-items/{item.id}/approve", {"version": item.version, "opinion": "同意"}
    )
    assert answer.status_code in (200, 302)
    page = personnel.get(personnel.post("/hand-over", form).headers["Location"]).text
    assert told(page) == ["已不在其名下", "已转办"]
    assert "周明已先一步处理" in page


def test_what_cannot_move_stays_and_says_why(house: DemoHouse, facts: Facts, leaver: int) -> None:
    personnel = house.login(PERSONNEL)
    form = {**form_of(personnel, leaver), "to": facts.person("孙宇")}  # whose own request it is
    page = personnel.get(personnel.post("/hand-over", form).headers["Location"]).text
    assert told(page) == ["保持不动", "已转办"]
    assert "不能审批自己的申请" in page
    assert facts.open_item(OWN).assignee_id == leaver


@pytest.mark.parametrize(("to", "said"), [("none", "请选择"), ("same", "两个不同的人"), ("left", "离职")])
def test_a_wrong_receiver_moves_nothing_and_keeps_what_was_typed(
    house: DemoHouse, facts: Facts, leaver: int, task: int, to: str, said: str
) -> None:
    if to == "left":
        with transaction() as session:
            session.execute(update(Employee).where(Employee.name == "李娜").values(state="left"))
    receivers = {"none": "", "same": leaver, "left": facts.person("李娜")}
    personnel = house.login(PERSONNEL)
    answer = personnel.post("/hand-over", {**form_of(personnel, leaver), "to": receivers[to], "reason": "回老家"})
    assert answer.status_code == 422
    assert "回老家" in answer.text
    assert said in answer.text
    assert facts.open_item(OWN).assignee_id == leaver
    assert the_task(task).assignee_id == leaver


def test_a_refused_form_may_be_sent_again(house: DemoHouse, facts: Facts, leaver: int, heir: int) -> None:
    personnel = house.login(PERSONNEL)
    form = {**form_of(personnel, leaver), "to": heir}
    assert personnel.post("/hand-over", {**form, "reason": " "}).status_code == 422
    assert personnel.post("/hand-over", form).status_code == 302
    assert facts.open_item(OWN).assignee_id == heir


def test_those_above_hand_over_tasks_and_see_nothing_else(
    house: DemoHouse, facts: Facts, leaver: int, task: int
) -> None:
    superior = house.login(SUPERIOR_OF_LEAVER)
    page = superior.get(f"/hand-over?person={leaver}").text
    assert "核对报价" in page
    assert OWN not in page
    form = {**form_of(superior, leaver), "to": facts.person("王磊"), "reason": ""}
    assert told(superior.get(superior.post("/hand-over", form).headers["Location"]).text) == ["已转办"]
    assert the_task(task).assignee_id == facts.person("王磊")
    assert facts.open_item(OWN).assignee_id == leaver


@pytest.mark.parametrize("address", ["/hand-over", "/hand-over?person={leaver}", "/hand-over?person=987654"])
def test_others_are_refused_without_a_word_of_it(
    house: DemoHouse, facts: Facts, leaver: int, heir: int, address: str
) -> None:
    stranger = house.login(STRANGER)
    answer = stranger.get(address.format(leaver=leaver))
    assert answer.status_code == 403
    assert OWN not in answer.text
    assert stranger.post("/hand-over", {"person": leaver, "to": heir, "reason": "x"}).status_code == 403
    assert facts.open_item(OWN).assignee_id == leaver
    assert "/hand-over" not in stranger.get("/").text
    assert house.visitor().get("/hand-over").status_code == 302


def test_the_answer_is_its_askers_own(house: DemoHouse, leaver: int, heir: int) -> None:
    personnel = house.login(PERSONNEL)
    address = personnel.post("/hand-over", {**form_of(personnel, leaver), "to": heir}).headers["Location"]
    assert house.login("zheng.kai").get(address).status_code == 404
    with transaction() as session:
        session.execute(update(IdempotencyKey).values(status=AT_WORK))
    waiting = personnel.get(address)
    assert f'hx-get="{address}"' in waiting.text
    assert OWN not in waiting.text


def test_what_was_seen_cannot_be_made_up(house: DemoHouse, facts: Facts, leaver: int, heir: int) -> None:
    """Titles are told only of what the page has shown."""
    personnel = house.login(PERSONNEL)
    secret = facts.open_item("上海客户现场调研").id
    form = {**form_of(personnel, leaver), "to": heir, "seen": f'{{"items":[{secret}]}}.x'}
    page = personnel.get(personnel.post("/hand-over", form).headers["Location"]).text
    assert told(page) == ["已转办"] * 2
    assert "上海客户现场调研" not in page


def test_the_register_of_employees_leads_there(house: DemoHouse, facts: Facts, leaver: int) -> None:
    personnel = house.login(PERSONNEL)
    assert f"/hand-over?person={leaver}" in personnel.get(f"/organization/employee/show/{leaver}").text
    assert "/hand-over" not in house.login(STRANGER).get(f"/organization/employee/show/{leaver}").text
    assert 'href="/hand-over"' in personnel.get("/").text
    left = personnel.post(f"/organization/employee/delete/{leaver}")
    assert left.headers["Location"] == f"/hand-over?person={leaver}"
    assert OWN in personnel.get(left.headers["Location"]).text
    idle = facts.person("徐芳")
    assert personnel.post(f"/organization/employee/delete/{idle}").headers["Location"] == "/organization/employee/list/"


def test_a_diagram_that_names_somebody_is_told(house: DemoHouse, leaver: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.work_items.handover._named_in", _names_leave)
    page = house.login(PERSONNEL).get(f"/hand-over?person={leaver}").text
    assert "流程图中指定了周明的流程" in page
    assert "/designer/leave_request" not in page  # who draws no diagrams cannot open one
    assert "/designer/leave_request" in house.login("zheng.kai").get(f"/hand-over?person={leaver}").text


def _names_leave(_session: Session, _person: int) -> list[str]:
    return ["leave_request"]


def test_no_piece_is_of_a_kind_the_page_does_not_know() -> None:
    from webapp.workflow import estate

    assert set(estate.KINDS) == {*work_items.Estate.__dataclass_fields__} - {"named_in"} | {"tasks"}
