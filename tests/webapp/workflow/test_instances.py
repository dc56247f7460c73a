"""The list of instances and the page of one: what it tells, to whom, and what may be done there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from engine.db import Sessions, transaction
from engine.models import Incident
from engine.service_tasks import TOPICS
from tests.demo_house import DemoHouse, Facts

FINISHED = "拜访苏州客户"
UNDECIDED = "杭州客户拜访"
RUNNING = "上海客户现场调研"


def rows(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr data-yl-href="/instances/(\d+)"', page)]


def test_supervisors_of_processes_see_all_others_their_own(house: DemoHouse, facts: Facts) -> None:
    everything = rows(house.login("zheng.kai").get("/instances").text)
    assert len(everything) == 16
    mine = rows(house.login("wang.lei").get("/instances").text)
    assert facts.instance(RUNNING) in mine
    assert facts.instance(UNDECIDED) not in mine
    assert set(mine) < set(everything)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=withdrawn", {"珠海客户回访"}),
        ("q=苏州", {"拜访苏州客户"}),
        ("q=孙宇", {"杭州客户拜访"}),
        ("state=rejected&process=expense_request", {"客户答谢晚宴"}),
        ("process=no_such", set()),
        ("overdue=1", {"行业研讨会报名", "华东渠道大会", "上海客户现场调研"}),
    ],
)
def test_filters(house: DemoHouse, facts: Facts, query: str, said: set[str]) -> None:
    found = rows(house.login("zheng.kai").get(f"/instances?{query}").text)
    assert set(found) == {facts.instance(one) for one in said}


def test_by_starter_by_number_and_mine(house: DemoHouse, facts: Facts) -> None:
    admin = house.login("zheng.kai")
    wang = facts.person("王磊")
    assert len(rows(admin.get(f"/instances?starter={wang}").text)) == 3
    assert rows(admin.get("/instances?mine=1").text) == []
    number = facts.instance(FINISHED)
    assert number in rows(admin.get(f"/instances?q={number}").text)


def test_pages_by_key_without_gaps(house: DemoHouse, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.workflow.instance_list.page.__kwdefaults__", {"size": 5, "after": None})
    admin = house.login("zheng.kai")
    for order, direction in (("", -1), ("&order=old", 1)):
        seen: list[int] = []
        url: str | None = f"/instances?{order}"
        while url:
            page = admin.get(url).text
            seen += rows(page)
            further = re.search(r'href="(/instances\?after=\d+[^"]*)"', page)
            url = further.group(1).replace("&amp;", "&") if further else None
        assert len(seen) == 16
        assert seen == sorted(seen, key=lambda number: direction * number)


def test_the_present_step_its_holder_and_how_long(house: DemoHouse, facts: Facts) -> None:
    page = house.login("zheng.kai").get("/instances?q=研讨&_l_=en").text
    assert "上级审批" in page
    assert "周明" in page
    assert "Overdue by" in page
    assert "5 days" in page


def test_the_page_tells_the_whole_story(house: DemoHouse, facts: Facts) -> None:
    wang, number = house.login("wang.lei"), facts.instance(RUNNING)
    overview = wang.get(f"/instances/{number}?_l_=en").text
    assert "¥12,345.60" in overview
    assert "项目需要" in overview
    assert "赵敏, 钱丽" in overview
    history = wang.get(f"/instances/{number}?tab=history&_l_=en").text
    assert history.index("submitted the request") < history.index("项目需要")
    people = wang.get(f"/instances/{number}?tab=people&_l_=en").text
    assert "superior · 王磊" in people
    steps = wang.get(f"/instances/{number}?tab=diagram&_l_=en").text
    assert re.search(r"yl-step-done.*?上级审批.*?yl-step-active.*?财务审批", steps, re.DOTALL)


def test_the_diagram_says_where_the_token_is(house: DemoHouse, facts: Facts) -> None:
    picture = house.login("wang.lei").get(f"/instances/{facts.instance(RUNNING)}/diagram").json
    assert "approve_finance" in picture["state"]["active"]
    assert "approve_superior" in picture["state"]["done"]
    assert picture["state"]["people"]["approve_finance"] == "赵敏、钱丽"
    assert picture["state"]["flows"]
    assert '<bpmn:process id="expense_request"' in picture["xml"]


def test_the_starter_takes_back_what_nobody_has_decided(house: DemoHouse, facts: Facts) -> None:
    sun, number = house.login("sun.yu"), facts.instance(UNDECIDED)
    assert 'id="ask-withdraw"' in sun.get(f"/instances/{number}").text
    refused = sun.post(f"/instances/{number}/withdraw?_l_=en", {"reason": " "})
    assert refused.status_code == 422
    assert "Please give a reason." in refused.text
    assert sun.post(f"/instances/{number}/withdraw", {"reason": "客户取消"}).status_code == 302
    assert facts.state(number) == "withdrawn"
    assert "客户取消" in sun.get(f"/instances/{number}?tab=history").text


def test_after_a_decision_it_cannot_be_taken_back(house: DemoHouse, facts: Facts) -> None:
    wang, number = house.login("wang.lei"), facts.instance(RUNNING)
    page = wang.get(f"/instances/{number}?_l_=en").text
    assert 'id="ask-withdraw"' not in page
    assert "somebody has already decided on it" in page
    assert wang.post(f"/instances/{number}/withdraw", {"reason": "x"}).status_code == 403
    assert facts.state(number) == "running"


@pytest.mark.parametrize(
    ("who", "status"), [("wang.lei", 403), ("chen.guoqiang", 403), ("xu.fang", 404), ("zheng.kai", 302)]
)
def test_only_administrators_terminate(house: DemoHouse, facts: Facts, who: str, status: int) -> None:
    number = facts.instance(RUNNING)
    assert house.login(who).post(f"/instances/{number}/terminate", {"reason": "重复申请"}).status_code == status
    assert facts.state(number) == ("terminated" if status == 302 else "running")


@pytest.fixture
def stranded(house: DemoHouse, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> int:
    """An incident: the last approval went through, the SMS behind it did not."""

    def away(*_args: object, **_named: object) -> None:
        raise ValueError("the template is broken")

    topic = TOPICS["messaging.notify_sms"]
    broken = replace(topic, function=away)
    monkeypatch.setitem(TOPICS, topic.name, broken)
    item = facts.open_item(UNDECIDED)
    answer = house.login("zhou.ming").post(f"/work-items/{item.id}/approve", {"version": item.version})
    assert answer.status_code == 302
    monkeypatch.setitem(TOPICS, topic.name, topic)
    with transaction() as session:
        found = session.scalars(select(Incident.id)).one()
    Sessions.remove()
    return found


def test_an_administrator_tries_a_failed_step_again(house: DemoHouse, facts: Facts, stranded: int) -> None:
    number = facts.instance(UNDECIDED)
    starter, admin = house.login("sun.yu"), house.login("zheng.kai")
    assert "the template is broken" not in starter.get(f"/instances/{number}").text
    assert starter.post(f"/incidents/{stranded}/retry").status_code == 403
    assert "the template is broken" in admin.get(f"/instances/{number}").text
    assert admin.post(f"/incidents/{stranded}/retry").status_code == 302
    assert facts.state(number) == "completed"
    assert admin.post(f"/incidents/{stranded}/retry").status_code == 409


def test_skipping_a_step_needs_a_reason(house: DemoHouse, facts: Facts, stranded: int) -> None:
    admin, number = house.login("zheng.kai"), facts.instance(UNDECIDED)
    assert admin.post(f"/incidents/{stranded}/skip", {"reason": ""}).status_code == 422
    assert admin.post(f"/incidents/{stranded}/skip", {"reason": "已电话告知"}).status_code == 302
    assert "已电话告知" in admin.get(f"/instances/{number}?tab=history").text
    assert admin.post("/incidents/999999/retry").status_code == 404


def test_hidden_fields_stay_hidden(house: DemoHouse, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    number = facts.instance(RUNNING)
    monkeypatch.setattr("webapp.workflow.item.hidden_fields", lambda *_args: {"lines"})
    page = house.login("lin.xiaoyan").get(f"/instances/{number}").text
    assert "演示设备租赁" not in page
    assert "¥12,345.60" in page


def test_a_finished_instance_offers_nothing(house: DemoHouse, facts: Facts) -> None:
    page = house.login("zheng.kai").get(f"/instances/{facts.instance(FINISHED)}").text
    assert '<dialog class="yl-dialog yl-ask"' not in page


def test_whoever_waits_urges_once_in_two_hours(house: DemoHouse, facts: Facts) -> None:
    wang, number = house.login("wang.lei"), facts.instance(RUNNING)
    assert 'id="ask-urge"' in wang.get(f"/instances/{number}").text
    assert house.login("xu.fang").post(f"/instances/{number}/urge").status_code == 404
    assert wang.post(f"/instances/{number}/urge", {"text": "x" * 201}).status_code == 422
    assert wang.post(f"/instances/{number}/urge", {"text": "客户在等"}).status_code == 302
    assert wang.post(f"/instances/{number}/urge").status_code == 302, "a double click is one urging"
    page = wang.get(f"/instances/{number}?tab=history&_l_=en").text
    assert page.count("客户在等") == 1
    assert re.search(r"was urged at \d\d:\d\d already", page)
    assert 'id="ask-urge"' not in page
    assert house.login("zheng.kai").post(f"/instances/{number}/urge").status_code == 422


def test_my_requests_offer_it_too(house: DemoHouse, facts: Facts) -> None:
    wang, number = house.login("wang.lei"), facts.instance(RUNNING)
    assert f"/instances/{number}/urge" in wang.get(f"/inbox/started/{number}").text
    answer = wang.post(f"/instances/{number}/urge", {"from": "started", "key": str(number)})
    assert answer.location.endswith(f"/inbox/started/{number}")
    pane = wang.get(f"/inbox/started/{number}?_l_=en").text
    assert "was urged at" in pane
    assert f"/instances/{number}/urge" not in pane


def test_an_open_page_hears_that_something_is_new(house: DemoHouse, facts: Facts) -> None:
    number = facts.instance(UNDECIDED)
    sun = house.login("sun.yu")
    page = sun.get(f"/instances/{number}").text
    shown = re.search(r'data-yl-pulse="([^"]+)" data-yl-rev="(\d+)"', page)
    assert shown is not None
    assert sun.get(shown[1]).json == {"rev": int(shown[2])}
    item = facts.open_item(UNDECIDED)
    house.login("zhou.ming").post(f"/work-items/{item.id}/approve", {"version": item.version}, partial=True)
    assert sun.get(shown[1]).json["rev"] > int(shown[2])
    assert "data-yl-pulse" not in sun.get(f"/instances/{number}").text, "it is over: nothing new will come"


def test_what_is_found_is_called_by_its_words(house: DemoHouse) -> None:
    for user in ("wang.lei", "zheng.kai"):
        page = house.login(user).get("/search/?q=EXP-0000").text
        assert "object at 0x" not in page
        assert "已通过审批" in page


def test_the_story_tells_who_withdrew_it_and_why(house: DemoHouse, facts: Facts) -> None:
    page = house.login("zheng.kai").get(f"/instances/{facts.instance('珠海客户回访')}").text
    assert "撤回了申请" in page


def test_who_opened_it_again_is_the_reason_it_came_back(house: DemoHouse, facts: Facts) -> None:
    number = facts.instance(FINISHED)
    admin = house.login("zheng.kai")
    assert admin.post(f"/instances/{number}/reopen", {"step": "revise", "reason": "漏了发票"}).status_code == 302
    assert "流程被重新开启 · 郑凯" in admin.get(f"/instances/{number}").text
