"""Several items of the inbox decided at once: what goes together, and what is said of what does not."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import select, update
from werkzeug.test import TestResponse

from engine import runtime
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.models import InstanceLog, WorkItem
from tests.demo_house import DemoHouse, Facts

FIRST, SECOND = "杭州客户拜访", "行业研讨会报名"
"""both lie with zhou.ming, of one form"""
RETURNED = "会议室投影仪更换"
"""lies with wang.lei to be mended"""


def ticks(*items: WorkItem, **more: Any) -> dict[str, Any]:
    return {"item": [f"{item.id}:{item.version}" for item in items], **more}


def told(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.headers["HX-Trigger"])
    return found


def tick_of(page: str, item: WorkItem) -> str:
    found = re.search(rf'<input class="form-check-input"[^>]* value="{item.id}:\d+"[^>]*>', page)
    assert found, "no tick for this item"
    return found.group(0)


def lines(instance_id: int, action: str) -> int:
    with transaction() as session:
        wanted = select(InstanceLog).where(InstanceLog.instance_id == instance_id, InstanceLog.action == action)
        found = len(session.scalars(wanted).all())
    Sessions.remove()
    return found


def outcome(item: WorkItem) -> str:
    with transaction() as session:
        found = session.scalars(select(WorkItem.outcome).where(WorkItem.id == item.id)).one()
    Sessions.remove()
    return found


def leave_for_zhou(facts: Facts) -> WorkItem:
    """An item of another form that lies with zhou.ming."""
    sun = Actor(facts.person("孙宇"), "孙宇")
    form = {
        "kind": "annual",
        "reason": "家事",
        "first_day": "2036-12-08",
        "first_half": "morning",
        "last_day": "2036-12-08",
        "last_half": "evening",
    }
    started = runtime.perform(lambda session: runtime.start(session, sun, "leave_request", values=form))
    with transaction() as session:
        item = session.scalars(select(WorkItem).where(WorkItem.instance_id == started.instance_id)).one()
        session.expunge(item)
    Sessions.remove()
    return item


def test_what_can_be_ticked_is_seen_beforehand(house: DemoHouse, facts: Facts) -> None:
    zhou = house.login("zhou.ming").get("/inbox").text
    assert "disabled" not in tick_of(zhou, facts.open_item(FIRST))
    wang = house.login("wang.lei").get("/inbox?_l_=en").text
    assert "disabled" in tick_of(wang, facts.open_item(RETURNED))
    assert "There is nothing to agree to or to reject." in wang
    assert "yl-entry-tick" not in house.login("zhou.ming").get("/inbox/done").text


def test_several_are_approved_with_one_opinion(house: DemoHouse, facts: Facts) -> None:
    first, second = facts.open_item(FIRST), facts.open_item(SECOND)
    zhou = house.login("zhou.ming")
    answer = zhou.post(
        "/work-items/batch/approve?_l_=en", ticks(first, second, opinion="一并同意", submission="a"), partial=True
    )
    assert answer.status_code == 200
    assert told(answer)["yl:batch"]["done"] == [first.id, second.id]
    assert told(answer)["yl:toast"]["text"] == "2 approved."
    assert told(answer)["yl:inbox"]["count"] == 0
    assert "yl-shown" not in answer.text
    for item in (first, second):
        assert outcome(item) == "approve"
        assert "一并同意" in zhou.get(f"/instances/{item.instance_id}").text


def test_sent_twice_is_done_once_and_answered_alike(house: DemoHouse, facts: Facts) -> None:
    first, second = facts.open_item(FIRST), facts.open_item(SECOND)
    zhou = house.login("zhou.ming")
    form = ticks(first, second, submission="doppelt")
    answers = [zhou.post("/work-items/batch/approve", form, partial=True) for _ in range(2)]
    assert [told(answer)["yl:batch"]["done"] for answer in answers] == [[first.id, second.id]] * 2
    assert "yl-batch-told" not in answers[1].text
    assert lines(first.instance_id, "approve") == lines(second.instance_id, "approve") == 1
    again = zhou.post("/work-items/batch/approve?_l_=en", {**form, "submission": "another"}, partial=True)
    assert told(again)["yl:batch"]["done"] == []
    assert again.text.count("Too late: 周明 approved at") == 2


def test_a_stale_one_stays_and_says_why(house: DemoHouse, facts: Facts) -> None:
    first, second = facts.open_item(FIRST), facts.open_item(SECOND)
    with transaction() as session:
        session.execute(update(WorkItem).where(WorkItem.id == first.id).values(version=first.version + 1))
    Sessions.remove()
    zhou = house.login("zhou.ming")
    answer = zhou.post("/work-items/batch/approve?_l_=en", ticks(first, second), partial=True)
    assert told(answer)["yl:batch"]["done"] == [second.id]
    assert "1 could not be decided:" in answer.text
    assert FIRST in answer.text
    assert SECOND not in answer.text
    assert "Load it again." in answer.text
    assert (outcome(first), outcome(second)) == ("none", "approve")


def test_rejecting_many_needs_a_reason(house: DemoHouse, facts: Facts) -> None:
    first, second = facts.open_item(FIRST), facts.open_item(SECOND)
    zhou = house.login("zhou.ming")
    refused = zhou.post("/work-items/batch/reject?_l_=en", ticks(first, second, opinion=" "), partial=True)
    assert refused.status_code == 422
    assert "Please give a reason." in refused.text
    assert facts.state(first.instance_id) == "running"
    zhou.post("/work-items/batch/reject", ticks(first, second, opinion="超出预算"), partial=True)
    assert facts.state(first.instance_id) == facts.state(second.instance_id) == "rejected"


def test_different_forms_are_refused_together_with_the_rule(house: DemoHouse, facts: Facts) -> None:
    first, leave = facts.open_item(FIRST), leave_for_zhou(facts)
    zhou = house.login("zhou.ming")
    page = zhou.get("/inbox").text
    forms = [re.search(r'data-yl-form="([^"]+)"', tick_of(page, one)) for one in (first, leave)]
    assert len({form.group(1) for form in forms if form}) == 2
    answer = zhou.post("/work-items/batch/approve?_l_=en", ticks(first, leave), partial=True)
    assert answer.status_code == 422
    assert "These items are of different forms." in answer.text
    assert "Decide them one by one." in answer.text
    assert told(answer)["yl:batch"]["done"] == []
    assert facts.state(first.instance_id) == facts.state(leave.instance_id) == "running"


def test_too_many_and_none_are_refused(house: DemoHouse, facts: Facts) -> None:
    zhou = house.login("zhou.ming")
    many = {"item": [f"{number}:1" for number in range(1, 202)]}
    answer = zhou.post("/work-items/batch/approve?_l_=en", many, partial=True)
    assert answer.status_code == 422
    assert "At most 200 at once." in answer.text
    for nothing in ({}, {"item": ["x:1", "7", "1:2:3", ""]}):
        answer = zhou.post("/work-items/batch/approve?_l_=en", nothing, partial=True)
        assert answer.status_code == 422
        assert "Nothing is chosen." in answer.text
    assert zhou.post("/work-items/batch/return", {}).status_code == 404


def test_what_lies_with_others_is_refused_without_a_word_of_it(house: DemoHouse, facts: Facts) -> None:
    first, foreign = facts.open_item(FIRST), facts.open_item(RETURNED)
    stranger = house.login("xu.fang")
    answer = stranger.post("/work-items/batch/approve?_l_=en", ticks(first, foreign), partial=True)
    assert told(answer)["yl:batch"]["done"] == []
    assert answer.text.count("This does not exist, or you may not see it.") == 2
    assert FIRST not in answer.text
    reader = house.login("sun.yu").post("/work-items/batch/approve?_l_=en", ticks(first), partial=True)
    assert "This work item does not lie with you." in reader.text
    assert facts.state(first.instance_id) == "running"


def test_without_scripts_the_page_says_the_same(house: DemoHouse, facts: Facts) -> None:
    first, second = facts.open_item(FIRST), facts.open_item(SECOND)
    zhou = house.login("zhou.ming")
    refused = zhou.post("/work-items/batch/reject?_l_=en", ticks(first, second))
    assert refused.status_code == 422
    assert "Please give a reason." in refused.text
    assert "checked" in tick_of(refused.text, first)
    with transaction() as session:
        session.execute(update(WorkItem).where(WorkItem.id == first.id).values(version=first.version + 1))
    Sessions.remove()
    partly = zhou.post("/work-items/batch/approve?_l_=en", ticks(first, second, opinion="好"))
    assert partly.status_code == 200
    assert "1 approved." in partly.text
    assert "1 could not be decided:" in partly.text
    assert "checked" in tick_of(partly.text, first)
    assert "好</textarea>" in partly.text
    done = zhou.post("/work-items/batch/approve", ticks(facts.open_item(FIRST)))
    assert done.status_code == 302
    assert facts.state(first.instance_id) == "completed"


def test_what_stands_beside_moves_on_when_it_is_decided(house: DemoHouse, facts: Facts) -> None:
    first, second = facts.open_item(FIRST), facts.open_item(SECOND)
    zhou = house.login("zhou.ming")
    answer = zhou.post("/work-items/batch/approve", ticks(first, key=first.id), partial=True)
    assert re.search(rf'id="yl-pane" hx-swap-oob="true" data-yl-key="{second.id}"', answer.text)
    assert answer.headers["HX-Push-Url"] == f"/inbox/open/{second.id}"
    answer = zhou.post("/work-items/batch/approve", ticks(second), partial=True)
    assert 'id="yl-pane"' not in answer.text
    assert "HX-Push-Url" not in answer.headers
