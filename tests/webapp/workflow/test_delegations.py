"""The pages around an absence: the banner, what was given and received, one button each, the hint before leave."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import clock
from engine.db import Sessions, transaction
from engine.models import WorkItem
from engine.runtime import perform
from processes.approval.models import Delegation
from processes.approval.rules import SCOPES
from processes.kernel.working_time import ZONE, business_date
from processes.office.models import LeaveRequest
from processes.organization.models import Employee
from tests.demo_house import DemoHouse, Facts

AWAY, STANDS_IN = "huang.jie", "he.zhiyuan"
REMINDER = "yl-reminder"


def one(**which: Any) -> Delegation:
    with transaction() as session:
        found = session.scalars(select(Delegation).filter_by(**which)).one()
        session.expunge(found)
    Sessions.remove()
    return found


def ask(house: DemoHouse, giver: str, taker: int, **more: Any) -> Delegation:
    """File one on its page; it begins in ten days."""
    browser = house.login(giver)
    begins = (clock.now() + timedelta(days=10)).astimezone(ZONE)
    form = {
        "reason": "出差",
        "delegate": str(taker),
        "starts": f"{begins:%Y-%m-%dT%H:%M}",
        "ends": f"{begins + timedelta(days=2):%Y-%m-%dT%H:%M}",
        "scope": "all",
        **more,
    }
    answer = browser.post("/start/delegation", {**form, "_present": list(form)})
    assert answer.status_code == 302, re.findall(r"yl-errors.*?</div>", answer.text)
    return one(state="requested", reason=form["reason"])


def test_every_page_reminds_whoever_is_away(house: DemoHouse) -> None:
    for page in ("/", "/inbox", "/start"):
        text = house.login(AWAY).get(page).text
        assert REMINDER in text
        assert "何志远" in text.split(REMINDER)[1][:600]
    assert REMINDER not in house.login(STANDS_IN).get("/").text
    assert REMINDER not in house.visitor().get("/login/").text


def test_the_reminder_ends_it(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item("婚礼")
    assert (item.assignee_id, item.on_behalf_of) == (facts.person("何志远"), facts.person("黄杰"))
    delegation = one(state="active")
    browser = house.login(AWAY)
    answer = browser.post(f"/delegations/{delegation.id}/end", {"version": str(delegation.version)})
    assert answer.status_code == 302
    assert one(id=delegation.id).state == "ended"
    assert facts.open_item("婚礼").assignee_id == facts.person("黄杰")
    assert REMINDER not in browser.get("/").text


def test_a_second_click_ends_nothing_twice(house: DemoHouse) -> None:
    delegation = one(state="active")
    browser = house.login(AWAY)
    statuses = [
        browser.post(f"/delegations/{delegation.id}/end", {"version": str(delegation.version)}).status_code
        for _click in range(2)
    ]
    assert statuses == [302, 409]


def test_nobody_ends_what_is_not_his(house: DemoHouse) -> None:
    delegation = one(state="active")
    for stranger in ("wang.lei", "ma.chao"):
        assert house.login(stranger).post(f"/delegations/{delegation.id}/end", {}).status_code == 404
    assert one(id=delegation.id).state == "active"


def test_one_item_is_taken_back(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item("婚礼")
    browser = house.login(AWAY)
    assert "婚礼" in browser.get("/delegations").text
    stranger = house.login("wang.lei").post(f"/delegations/items/{item.id}/take-back", {"version": str(item.version)})
    assert stranger.status_code == 404
    answer = browser.post(f"/delegations/items/{item.id}/take-back", {"version": str(item.version)})
    assert answer.status_code == 302
    assert facts.open_item("婚礼").assignee_id == facts.person("黄杰")
    assert one(state="active").id, "the delegation itself goes on"


def test_the_history_says_for_whom(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item("婚礼")
    browser = house.login(STANDS_IN)
    pane = browser.get(f"/inbox/open/{item.id}").text
    assert "黄杰" in pane.split("yl-voice-waiting")[1][:600]
    browser.post(f"/work-items/{item.id}/approve", {"version": str(item.version)})
    with transaction() as session:
        done = session.scalars(select(WorkItem).where(WorkItem.id == item.id)).one()
        assert (done.done_by_name, done.on_behalf_of) == ("何志远", facts.person("黄杰"))


def test_asked_accepted_and_given_back(house: DemoHouse, facts: Facts) -> None:
    delegation = ask(house, "lin.xiaoyan", facts.person("周明"))
    browser = house.login("zhou.ming")
    assert "林晓燕" in browser.get("/delegations").text
    refused = house.login("lin.xiaoyan").post(f"/delegations/{delegation.id}/accept", {})
    assert refused.status_code == 403
    browser.post(f"/delegations/{delegation.id}/accept", {"version": str(delegation.version)})
    accepted = one(id=delegation.id)
    assert accepted.state == "accepted"
    stale = browser.post(f"/delegations/{delegation.id}/end", {"version": str(delegation.version)})
    assert stale.status_code == 409
    browser.post(f"/delegations/{delegation.id}/end", {"version": str(accepted.version)})
    assert one(id=delegation.id).state == "cancelled"
    assert "委托在开始之前已取消" in browser.get("/delegations").text


def test_to_decline_needs_a_reason(house: DemoHouse, facts: Facts) -> None:
    delegation = ask(house, "lin.xiaoyan", facts.person("周明"))
    browser = house.login("zhou.ming")
    browser.post(f"/delegations/{delegation.id}/decline", {"version": str(delegation.version), "opinion": " "})
    assert one(id=delegation.id).state == "requested"
    browser.post(f"/delegations/{delegation.id}/decline", {"version": str(delegation.version), "opinion": "我也不在"})
    assert one(id=delegation.id).state == "declined"


def test_what_the_rules_refuse_is_said_above_the_form(house: DemoHouse, facts: Facts) -> None:
    begins = clock.now().astimezone(ZONE)
    form = {
        "reason": "出差",
        "delegate": str(facts.person("林晓燕")),
        "starts": f"{begins:%Y-%m-%dT%H:%M}",
        "ends": f"{begins + timedelta(days=2):%Y-%m-%dT%H:%M}",
        "scope": "all",
    }
    answer = house.login(AWAY).post("/start/delegation", {**form, "_present": list(form)})
    assert answer.status_code == 422
    assert "同一时间、同一范围已有一份委托" in answer.text
    assert 'value="出差"' in answer.text


# ------------------------------------------------------------------------------------------------- links and leave


def test_a_link_fills_the_form_in_and_sends_nothing(house: DemoHouse) -> None:
    url = "/start/delegation?reason=%3Cscript%3E&starts=2027-03-01T09:00:00%2B08:00&scope=amount&nonsense=1&limit=x"
    page = house.login("lin.xiaoyan").get(url)
    assert page.status_code == 200
    assert 'value="&lt;script&gt;"' in page.text
    assert 'value="2027-03-01T09:00"' in page.text
    assert re.search(r'<option value="amount"[^>]*selected', page.text)


@pytest.mark.parametrize(("who", "offered"), [("lin.xiaoyan", True), ("wang.lei", False)])
def test_approved_leave_offers_to_delegate_to_whoever_approves(house: DemoHouse, who: str, offered: bool) -> None:
    names = {"lin.xiaoyan": "林晓燕", "wang.lei": "王磊"}
    leave_in_ten_days(names[who])
    text = house.login(who).get("/").text
    assert ("yl-cover" in text) == offered
    if offered:
        link = re.search(r'href="(/start/delegation\?[^"]+)"', text)
        assert link is not None
        form = house.login(who).get(link[1].replace("&amp;", "&")).text
        first = business_date(clock.now()) + timedelta(days=10)
        assert f'value="{first}T00:00"' in form


def leave_in_ten_days(name: str) -> None:
    first = business_date(clock.now()) + timedelta(days=10)

    def keep(session: Any) -> None:
        person = session.scalars(select(Employee).where(Employee.name == name)).one()
        instance = session.scalars(select(LeaveRequest.instance_id).limit(1)).one()
        other = session.scalars(select(WorkItem.instance_id).where(WorkItem.instance_id != instance).limit(1)).one()
        session.add(
            LeaveRequest(
                instance_id=other,
                starter_id=person.id,
                kind="annual",
                reason="休假",
                first_day=first,
                last_day=first + timedelta(days=3),
                half_days=4,
                state="approved",
            )
        )

    perform(keep)
    Sessions.remove()


def test_somebody_stands_in_already_so_nothing_is_offered(house: DemoHouse) -> None:
    assert "yl-cover" not in house.login(AWAY).get("/").text


def test_the_scopes_of_the_form_are_those_of_the_rules(house: DemoHouse) -> None:
    page = house.login(AWAY).get("/start/delegation").text
    offered = set(re.findall(r'value="(\w+)"', page))
    assert set(SCOPES) <= offered


def test_a_process_may_be_started_by_everybody(house: DemoHouse) -> None:
    for key in ("general_approval", "leave_request", "delegation"):
        assert house.login("ma.chao").get(f"/start/{key}").status_code == 200


def test_each_of_the_two_is_told_what_ending_means_to_them(house: DemoHouse, facts: Facts) -> None:
    active = "/delegations?_l_=en"
    assert "What is not finished comes back to you." in house.login(AWAY).get(active).text
    theirs = house.login(STANDS_IN).get(active).text
    assert "What you have not finished goes back to 黄杰." in theirs
    assert "comes back to you" not in theirs
    ask(house, "zhou.ming", facts.person("王磊"))
    assert "Take the request back? It has not been answered yet." in house.login("zhou.ming").get(active).text


def test_what_the_house_says_of_an_end_is_read_in_ones_own_language(house: DemoHouse, facts: Facts) -> None:
    asked = ask(house, "zhou.ming", facts.person("王磊"))
    zhou = house.login("zhou.ming")
    assert zhou.post(f"/delegations/{asked.id}/end", {"version": str(asked.version)}).status_code == 302
    history = f"/instances/{asked.instance_id}?tab=history&_l_="
    assert "委托申请已收回。" in zhou.get(f"{history}zh_CN").text
    assert "The delegation was taken back." in zhou.get(f"{history}en").text


def test_the_way_does_not_promise_what_nobody_knows_yet(house: DemoHouse, facts: Facts) -> None:
    """Whom the request goes to stands only when it is filed: the way says so instead of "nobody has to decide"."""
    begins = (clock.now() + timedelta(days=10)).astimezone(ZONE)
    form = {
        "reason": "出差",
        "delegate": str(facts.person("周明")),
        "starts": f"{begins:%Y-%m-%dT%H:%M}",
        "ends": f"{begins + timedelta(days=2):%Y-%m-%dT%H:%M}",
        "scope": "all",
    }
    way = house.login("lin.xiaoyan").post("/start/delegation/route", {**form, "_present": list(form)}).text
    assert "无需审批" not in way
    assert "之后如何进行，取决于届时的情况" in way
