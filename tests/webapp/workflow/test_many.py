"""One thing done to many instances from their list: seen first, each for itself, for process administrators only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from engine.db import Sessions, transaction
from engine.models import InstanceLog
from tests.demo_house import Browser, DemoHouse, Facts

ADMIN = "zheng.kai"
RUNNING, UNDECIDED, FINISHED = "上海客户现场调研", "杭州客户拜访", "拜访苏州客户"
CHIP = re.compile(r"<svg[^>]*>(?:<use[^>]*>)?(?:</use>)?</svg>(是|否|已处理|未处理)</span>")
ROW = re.compile(r'<tr data-yl-href="/instances/(\d+)">.*?</tr>', re.DOTALL)


def verdicts(page: str) -> dict[int, str]:
    """Instance -> what the page says of it."""
    return {int(row[1]): CHIP.findall(row[0])[-1] for row in ROW.finditer(page)}


def form_of(page: str) -> dict[str, Any]:
    return dict(re.findall(r'<input type="hidden" name="(submission|action|ids|state|q)" value="([^"]*)"', page))


@pytest.fixture
def admin(house: DemoHouse) -> Browser:
    return house.login(ADMIN)


def test_the_list_offers_it_to_administrators(house: DemoHouse, admin: Browser) -> None:
    page = admin.get("/instances?state=running").text
    assert 'href="/instances/batch?state=running"' in page
    assert 'name="rowid"' in page
    for other in ("wang.lei", "chen.guoqiang"):  # a supervisor who only looks is none either
        seen = house.login(other).get("/instances").text
        assert "/instances/batch" not in seen
        assert 'name="rowid"' not in seen


def test_it_says_first_what_can_be_done(admin: Browser, facts: Facts) -> None:
    page = admin.get("/instances/batch?process=expense_request&action=suspend").text
    said = verdicts(page)
    assert said[facts.instance(RUNNING)] == "是"
    assert said[facts.instance(FINISHED)] == "否"
    assert "此流程的状态为“已完成”" in page
    assert str(facts.instance(FINISHED)) not in form_of(page)["ids"].split(",")
    assert facts.state(facts.instance(RUNNING)) == "running"
    assert "符合筛选条件的有 0 个" in admin.get("/instances/batch?process=no_such").text


def test_what_is_ticked_is_what_it_is_done_to(admin: Browser, facts: Facts) -> None:
    one, other = facts.instance(RUNNING), facts.instance(UNDECIDED)
    page = admin.get(f"/instances/batch?rowid={one}&action=suspend").text
    assert set(verdicts(page)) == {one}
    answer = admin.post("/instances/batch", {**form_of(page), "reason": "系统盘点"})
    result = admin.get(answer.headers["Location"]).text
    assert "1 个中有 1 个已处理" in result
    assert (facts.state(one), facts.state(other)) == ("suspended", "running")


def test_one_refused_leaves_the_others_done_and_all_of_it_happens_once(admin: Browser, facts: Facts) -> None:
    one, other = facts.instance(RUNNING), facts.instance(UNDECIDED)
    page = admin.get(f"/instances/batch?rowid={one}&rowid={other}&action=terminate&state=running").text
    form = {**form_of(page), "reason": "项目取消"}
    assert admin.post(f"/instances/{one}/terminate", {"reason": "更快"}).status_code == 302  # meanwhile
    answer = admin.post("/instances/batch", form)
    assert answer.status_code == 302
    result = admin.get(answer.headers["Location"]).text
    assert verdicts(result) == {one: "未处理", other: "已处理"}
    assert "2 个中有 1 个已处理" in result
    assert "此流程的状态为“已终止”" in result
    assert 'href="/instances?state=running"' in result  # back to the list as it was
    assert admin.post("/instances/batch", form).headers["Location"] == answer.headers["Location"]
    with transaction() as session:
        lines = session.scalars(select(InstanceLog).where(InstanceLog.action == "terminate")).all()
        assert sorted(line.detail["reason"] for line in lines) == ["更快", "项目取消"]
    Sessions.remove()


def test_urging_many_is_not_done_twice_in_two_hours(admin: Browser, facts: Facts) -> None:
    page = admin.get("/instances/batch?overdue=1").text
    assert form_of(page)["action"] == "urge"  # the first thing that can be done
    answer = admin.post("/instances/batch", {**form_of(page), "reason": "请尽快"})
    assert "3 个中有 3 个已处理" in admin.get(answer.headers["Location"]).text
    again = admin.get("/instances/batch?overdue=1&action=urge").text
    assert set(verdicts(again).values()) == {"否"}
    assert "起可以再次催办" in again


def test_a_reason_is_asked_for_before_anything_is_done(admin: Browser, facts: Facts) -> None:
    page = admin.get(f"/instances/batch?rowid={facts.instance(RUNNING)}&action=suspend").text
    refused = admin.post("/instances/batch", {**form_of(page), "reason": " "})
    assert refused.status_code == 422
    assert "请填写理由" in refused.text
    assert facts.state(facts.instance(RUNNING)) == "running"
    long = admin.post("/instances/batch", {**form_of(page), "action": "urge", "reason": "请" * 201})
    assert long.status_code == 422
    assert "请" * 201 in long.text


def test_more_than_one_may_wait_for_want_a_narrower_filter(
    admin: Browser, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.workflow.many.MOST", 5)
    monkeypatch.setattr("engine.work_items.many.MOST", 5)
    page = admin.get("/instances/batch").text
    assert "一次最多处理 5 个流程" in page
    assert 'name="ids"' not in page
    ids = ",".join(str(one) for one in range(1, 8))
    refused = admin.post("/instances/batch", {"ids": ids, "action": "suspend", "reason": "x"})
    assert refused.status_code == 422
    assert facts.state(facts.instance(RUNNING)) == "running"


def test_others_are_refused(house: DemoHouse, admin: Browser, facts: Facts) -> None:
    one = facts.instance(RUNNING)
    page = admin.get(f"/instances/batch?rowid={one}&action=terminate").text
    form = {**form_of(page), "reason": "x"}
    for other in ("wang.lei", "chen.guoqiang"):
        browser = house.login(other)
        assert browser.get("/instances/batch").status_code == 403
        assert browser.post("/instances/batch", form).status_code == 403
    assert facts.state(one) == "running"
    assert admin.post("/instances/batch", {**form, "action": "explode"}).status_code == 404
    assert admin.get("/instances/batch/no-such-key").status_code == 404
