"""The inbox: what lies where, deciding, being too late, being refused."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from engine import runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import Copy, InboxEntry, WorkItem
from tests.demo_house import DemoHouse, Facts

WAITING = "杭州客户拜访"
"""lies with zhou.ming, not overdue"""
LATE = "行业研讨会报名"
"""lies with zhou.ming, overdue"""
RETURNED = "会议室投影仪更换"
"""came back to wang.lei, who has to mend it"""
POOLED = "上海客户现场调研"
"""lies with finance: zhao.min and qian.li"""


def told(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.headers["HX-Trigger"])
    return found


def test_lists_hold_what_they_say(house: DemoHouse) -> None:
    zhou = house.login("zhou.ming")
    waiting = zhou.get("/inbox").text
    assert WAITING in waiting
    assert LATE in waiting
    assert RETURNED not in waiting
    assert "拜访苏州客户" in zhou.get("/inbox/done").text
    wang = house.login("wang.lei").get("/inbox/started").text
    assert POOLED in wang
    assert WAITING not in wang


def test_overdue_is_said_in_words(house: DemoHouse, facts: Facts) -> None:
    page = house.login("zhou.ming").get("/inbox?_l_=en").text
    entry = re.search(rf'data-yl-entry="{facts.open_item(LATE).id}".*?</li>', page, re.DOTALL)
    assert entry
    assert "Overdue by" in entry.group(0)


def test_narrowing_a_list(house: DemoHouse) -> None:
    zhou = house.login("zhou.ming")
    found = zhou.get("/inbox/open/list?q=研讨", partial=True).text
    assert LATE in found
    assert WAITING not in found
    found = zhou.get("/inbox/open/list?overdue=1", partial=True).text
    assert LATE in found
    assert WAITING not in found
    assert WAITING in zhou.get("/inbox/open/list?q=孙宇", partial=True).text
    nothing = zhou.get("/inbox/open/list?q=100%25_&_l_=en", partial=True).text
    assert "Nothing matches." in nothing
    for view in ("done", "started", "cc"):
        assert zhou.get(f"/inbox/{view}/list?q=客户", partial=True).status_code == 200


def test_the_pane_shows_form_reason_and_what_has_happened(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    pane = house.login("zhou.ming").get(f"/inbox/open/{item.id}?_l_=en", partial=True).text
    assert "<!doctype" not in pane
    assert "高铁与市内交通" in pane
    assert "¥580.00" in pane
    assert "superior · 孙宇" in pane
    assert "submitted the request" in pane
    assert [name for name in ("approve", "return", "reject") if f'data-yl-action="{name}"' in pane] == [
        "approve",
        "return",
        "reject",
    ]


def test_somebody_elses_item_does_not_exist(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    stranger = house.login("xu.fang")
    assert stranger.get(f"/inbox/open/{item.id}").status_code == 404
    assert stranger.post(f"/work-items/{item.id}/approve", {"version": item.version}).status_code == 404
    assert facts.open_item(WAITING).version == item.version


def test_a_reader_sees_the_item_but_no_buttons(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    pane = house.login("chen.guoqiang").get(f"/inbox/open/{item.id}?_l_=en", partial=True).text
    assert "data-yl-action" not in pane
    assert "This work item does not lie with you." in pane


def test_approving_opens_the_next_item(house: DemoHouse, facts: Facts) -> None:
    item, following = facts.open_item(WAITING), facts.open_item(LATE)
    answer = house.login("zhou.ming").post(
        f"/work-items/{item.id}/approve?_l_=en", {"version": item.version, "opinion": "同意"}, partial=True
    )
    assert answer.status_code == 200
    assert f'data-yl-key="{following.id}"' in answer.text
    assert answer.headers["HX-Push-Url"] == f"/inbox/open/{following.id}"
    said = told(answer)
    assert said["yl:toast"]["text"] == "Approved."
    assert said["yl:toast"]["href"] == f"/instances/{item.instance_id}"
    assert said["yl:inbox"]["count"] == 1
    assert facts.state(item.instance_id) == "completed"


def test_without_scripts_the_same_form_leads_on(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    zhou = house.login("zhou.ming")
    answer = zhou.post(f"/work-items/{item.id}/approve", {"version": item.version})
    assert answer.status_code == 302
    assert answer.location == f"/inbox/open/{facts.open_item(LATE).id}"


@pytest.mark.parametrize("action", ["reject", "return"])
def test_refusing_needs_a_reason(house: DemoHouse, facts: Facts, action: str) -> None:
    item = facts.open_item(WAITING)
    zhou = house.login("zhou.ming")
    answer = zhou.post(
        f"/work-items/{item.id}/{action}?_l_=en", {"version": item.version, "opinion": " "}, partial=True
    )
    assert answer.status_code == 422
    assert re.search(r'id="errors-opinion"[^>]*><p>.*?Please give a reason\.', answer.text, re.DOTALL)
    assert facts.open_item(WAITING).id == item.id
    answer = zhou.post(
        f"/work-items/{item.id}/{action}", {"version": item.version, "opinion": "资料不全"}, partial=True
    )
    assert answer.status_code == 200
    page = house.login("sun.yu").get(f"/instances/{item.instance_id}").text
    assert "资料不全" in page


def test_who_is_too_late_learns_who_was_faster(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(POOLED)
    house.login("zhao.min").post(f"/work-items/{item.id}/approve", {"version": item.version, "opinion": "预算内"})
    answer = house.login("qian.li").post(
        f"/work-items/{item.id}/approve?_l_=en", {"version": item.version, "opinion": "我也同意"}, partial=True
    )
    assert answer.status_code == 409
    assert re.search(r"Too late: 赵敏 approved at \d{4}-\d\d-\d\d \d\d:\d\d\.", answer.text)
    assert "data-yl-action" not in answer.text
    assert "yl:inbox" in told(answer)
    assert "预算内" not in answer.text  # it was never hers, so she may not read it either


def test_who_has_read_rights_sees_the_present_state_at_once(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    zhou = house.login("zhou.ming")
    zhou.post(f"/work-items/{item.id}/approve", {"version": item.version, "opinion": "第一个窗口"})
    late = zhou.post(
        f"/work-items/{item.id}/reject?_l_=en", {"version": item.version, "opinion": "第二个"}, partial=True
    )
    assert late.status_code == 409
    assert "周明 approved at" in late.text
    assert "第一个窗口" in late.text
    assert "data-yl-action" not in late.text


def test_a_pool_item_is_taken_and_given_back(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(POOLED)
    zhao, qian = house.login("zhao.min"), house.login("qian.li")
    assert f'data-yl-entry="{item.id}"' in qian.get("/inbox").text
    answer = zhao.post(f"/work-items/{item.id}/claim", {"version": item.version}, partial=True)
    assert f'data-yl-key="{item.id}"' in answer.text  # stays on it
    assert f'data-yl-entry="{item.id}"' not in qian.get("/inbox").text
    refused = qian.post(f"/work-items/{item.id}/claim?_l_=en", {"version": item.version}, partial=True)
    assert refused.status_code == 409
    zhao.post(f"/work-items/{item.id}/release", {"version": facts.open_item(POOLED).version})
    assert f'data-yl-entry="{item.id}"' in qian.get("/inbox").text


def test_a_card_is_approved_where_it_stands(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    zhou = house.login("zhou.ming")
    form = {"version": item.version, "quick": "1"}
    answer = zhou.post(f"/work-items/{item.id}/approve", form, partial=True)
    assert answer.status_code == 204
    assert "yl:inbox" in told(answer)
    again = zhou.post(f"/work-items/{item.id}/approve?_l_=en", form, partial=True)
    assert again.status_code == 409
    assert "周明 approved" in again.text
    assert "<form" not in again.text


def test_a_returned_request_is_mended_by_its_starter(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(RETURNED)
    wang = house.login("wang.lei")
    pane = wang.get(f"/inbox/open/{item.id}?_l_=en", partial=True).text
    assert "林晓燕" in pane
    assert "请附三家报价" in pane
    assert 'name="lines.0.amount"' in pane
    form = {
        "version": item.version,
        "_present": ["title", "lines", "remark", "attachments"],
        "title": "会议室投影仪更换",
        "lines.0.category": "equipment",
        "lines.0.amount": "abc",
        "remark": "已附三家报价",
    }
    refused = wang.post(f"/work-items/{item.id}/submit?_l_=en", form, partial=True)
    assert refused.status_code == 422
    assert "Please write a number." in refused.text
    assert "已附三家报价" in refused.text
    sent = wang.post(f"/work-items/{item.id}/submit", {**form, "lines.0.amount": "2,980.00"}, partial=True)
    assert sent.status_code == 200
    page = house.login("zhou.ming").get(f"/instances/{item.instance_id}?tab=history&_l_=en").text
    assert "已附三家报价" in page
    assert "¥3,200.00" in page
    assert "¥2,980.00" in page
    assert "Lines, line 1" in page
    assert "<ins>¥2,980.00 · —</ins>" in page


def test_an_action_nobody_knows_is_no_address(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    assert house.login("zhou.ming").post(f"/work-items/{item.id}/explode").status_code == 404


def test_a_copy_is_read_when_it_is_opened(house: DemoHouse, facts: Facts) -> None:
    instance_id, li = facts.instance("拜访苏州客户"), facts.person("李娜")
    with transaction() as session:
        work_items.send_copies(session, SYSTEM, instance_id, [li])
        copy_id = session.scalars(select(Copy.id)).one()
    Sessions.remove()
    browser = house.login("li.na")
    assert "yl-unread" in browser.get("/inbox/cc").text  # the list alone reads nothing
    assert "拜访苏州客户" in browser.get(f"/inbox/cc/{copy_id}", partial=True).text
    assert "yl-unread" not in browser.get("/inbox/cc").text
    assert house.login("xu.fang").get(f"/inbox/cc/{copy_id}").status_code == 404


def test_a_long_list_comes_in_pages(house: DemoHouse, facts: Facts) -> None:
    sample = facts.open_item(WAITING)
    with transaction() as session:
        for number in range(30):
            copy = {
                c.name: getattr(sample, c.name) for c in WorkItem.__table__.columns if c.name not in ("id", "sequence")
            }
            session.add(WorkItem(**copy, sequence=number + 1))
        session.flush()
        ids = list(
            session.scalars(
                select(WorkItem.id).where(WorkItem.sequence > 0, WorkItem.instance_id == sample.instance_id)
            )
        )
        session.add_all(InboxEntry(principal=sample.assignee_id, item_id=one) for one in ids)
    Sessions.remove()
    zhou = house.login("zhou.ming")
    seen: list[str] = []
    url: str | None = "/inbox/open/list"
    while url:
        page = zhou.get(url, partial=True).text
        seen += re.findall(r'data-yl-entry="(\d+)"', page)
        further = re.search(r'hx-get="(/inbox/open/list\?before=\d+)"', page)
        url = further.group(1) if further else None
    assert len(seen) == len(set(seen)) == 32


def test_what_others_do_for_one_is_taken_back_there(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(WAITING)
    zhou = house.login("zhou.ming")
    form = {"version": item.version, "to": str(facts.person("李娜")), "words": "请看看"}
    zhou.post(f"/work-items/{item.id}/delegate", form)
    page = zhou.get(f"/inbox/delegated/{item.id}?_l_=en").text
    assert "李娜 is asked for an opinion" in page
    assert "lies with 李娜" in page
    assert "with you because" not in page
    assert 'data-yl-action="approve"' not in page
    assert f"/work-items/{item.id}/take_back" in page
    zhou.post(f"/work-items/{item.id}/take_back", {"version": item.version + 1})
    assert f'data-yl-entry="{item.id}"' not in zhou.get("/inbox/delegated").text
    assert f'data-yl-entry="{item.id}"' in zhou.get("/inbox").text


def test_a_team_is_listed_for_its_superior_alone(house: DemoHouse, facts: Facts) -> None:
    item = facts.open_item(LATE)
    lin, sun = house.login("lin.xiaoyan"), house.login("sun.yu")
    page = lin.get("/inbox/team?_l_=en").text
    entry = re.search(rf'data-yl-entry="{item.id}".*?</li>', page, re.DOTALL)
    assert entry
    assert "With 周明" in entry.group(0)
    assert "<a " not in entry.group(0)  # she has no part in it
    assert "¥2,400.00" not in entry.group(0)
    assert lin.get(f"/inbox/team/{item.id}").status_code == 404
    assert "/inbox/team" in lin.get("/inbox").text
    assert "/inbox/team" not in sun.get("/inbox").text
    assert "Nothing lies with those who report to you." in sun.get("/inbox/team?_l_=en").text
    found = lin.get("/inbox/team/list?overdue=1", partial=True).text
    assert LATE in found
    assert WAITING not in found


def test_who_watches_over_processes_opens_and_urges_what_lies_with_his_people(house: DemoHouse, facts: Facts) -> None:
    item, lin = facts.open_item(LATE), facts.person("林晓燕")
    with transaction() as session:
        session.get_one(WorkItem, item.id).assignee_id = lin
        session.execute(delete(InboxEntry).where(InboxEntry.item_id == item.id))
        session.add(InboxEntry(principal=lin, item_id=item.id))
    Sessions.remove()
    chen = house.login("chen.guoqiang")
    page = chen.get(f"/inbox/team/{item.id}?_l_=en").text
    assert "lies with 林晓燕" in page
    assert "data-yl-action" not in page
    answer = chen.post(f"/instances/{item.instance_id}/urge?_l_=en", {"from": "team", "key": str(item.id)})
    assert answer.location == f"/inbox/team/{item.id}"
    again = chen.get(answer.location + "?_l_=en").text
    assert "林晓燕 has been urged." in again
    assert "it is possible again from" in again


def test_a_list_drawn_afresh_keeps_as_many_lines_as_were_looked_at(house: DemoHouse, facts: Facts) -> None:
    zhou = house.login("zhou.ming")
    assert zhou.get("/inbox/open/list?size=0", partial=True).text.count("data-yl-entry=") == 2
    for size in ("x", "-3", "100000"):
        assert zhou.get(f"/inbox/open/list?size={size}", partial=True).status_code == 200


class Nesting(HTMLParser):
    """How deep forms stand in one another: a browser takes only the outermost, and its buttons would decide."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.depth = self.deepest = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "form"
        self.deepest = max(self.deepest, self.depth)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "form"


def test_no_form_stands_in_the_form_that_decides(house: DemoHouse, facts: Facts) -> None:
    item, who = facts.open_item(WAITING), Actor(facts.person("周明"), "周明")
    added = [facts.person("徐芳")]
    runtime.perform(lambda s: work_items.add_signers(s, who, item.id, added, order="parallel"))
    Sessions.remove()
    pane = house.login("zhou.ming").get(f"/inbox/open/{item.id}", partial=True).text
    assert "data-yl-verdict" in pane
    assert 'form="remove-' in pane
    assert Nesting(pane).deepest == 1
