"""The inbox through the interface: who sees what, and every action done, refused, stale and doubled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import TestClock
from tests.webapp.callers import (
    ADMIN,
    EMPLOYEE,
    FINANCE,
    HEAD,
    MANAGER,
    OTHER,
    SUPERIOR,
    House,
    good,
    refused,
    request_of,
)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def item(people: House, started: dict[str, Any]) -> dict[str, Any]:
    """The superior's item of the started request."""
    found: dict[str, Any] = people(SUPERIOR).inbox()[0]
    return found


# ------------------------------------------------------------------------------------------------- lists


def test_each_view_shows_ones_own(people: House, item: dict[str, Any], started: dict[str, Any]) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    assert item["instance_id"] == started["id"]
    assert item["summary"]["total"] == {"amount": "12345.60", "currency": "CNY"}
    assert [line["step"] for line in employee.get("/work-items?view=started")["items"]] == ["上级审批"]
    assert employee.inbox() == []
    superior.act(item, "approve", opinion="同意")
    (done,) = superior.get("/work-items?view=done")["items"]
    assert (done["item_id"], done["outcome"]) == (item["item_id"], "approve")
    assert superior.inbox() == []
    assert people(OTHER).get("/work-items?view=done")["items"] == []


def test_lists_are_paged_narrowed_ordered_and_counted(people: House, clock: TestClock) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    for number in range(5):
        clock.advance(minutes=1)
        employee.post(
            "/process-definitions/expense_request/start", request_of(f"{number + 1}.00", title=f"第{number}笔")
        )

    def titles(query: str) -> list[str]:
        return [line["title"].split(" · ")[1] for line in superior.get(f"/work-items?{query}")["items"]]

    assert titles("") == titles("order=-created_at") == ["第4笔", "第3笔", "第2笔", "第1笔", "第0笔"]
    assert titles("page_size=2") == titles("page_size=2&count=true") == ["第4笔", "第3笔"]
    assert titles("page_size=2&page=3") == ["第0笔"]
    assert titles("order=due_at&page_size=1") == ["第0笔"]
    assert titles("q=第3") == ["第3笔"]
    assert titles("q=%25") == []
    assert titles("definition=nothing") == []
    page = superior.get("/work-items?page_size=2&page=2&count=true")
    assert (page["page"], page["page_size"], page["has_more"], page["total"]) == (2, 2, True, 5)
    assert superior.get("/work-items?page_size=2&page=3")["has_more"] is False
    assert superior.get("/work-items")["total"] is None
    assert superior.get("/work-items/counts")["open"] == 5
    assert titles("overdue=true") == []
    clock.advance(days=3)
    assert len(titles("overdue=true")) == 5
    refused(superior.call("GET", "/work-items?view=done&overdue=true"), 422)


def test_what_others_do_for_one_is_a_view_of_its_own(people: House, item: dict[str, Any]) -> None:
    superior = people(SUPERIOR)
    good(superior.act(item, "delegate", to=[people(OTHER).person_id], reason="请看一下"))
    (line,) = superior.get("/work-items?view=delegated")["items"]
    assert (line["item_id"], line["item_state"]) == (item["item_id"], "delegated")
    assert (line["assignee_id"], line["readable"]) == (people(OTHER).person_id, True)
    assert line["due_at"] is not None
    assert people(OTHER).get("/work-items?view=delegated")["items"] == []
    good(superior.act(line, "take-back"))
    assert superior.get("/work-items?view=delegated")["items"] == []
    assert [one["item_id"] for one in superior.inbox()] == [item["item_id"]]


def test_a_team_is_seen_by_its_superior_and_read_by_whoever_may(
    people: House, item: dict[str, Any], clock: TestClock
) -> None:
    head, path = people(HEAD), "/work-items?view=team"
    (line,) = head.get(f"{path}&count=true&order=due_at")["items"]
    assert (line["item_id"], line["assignee_id"]) == (item["item_id"], people(SUPERIOR).person_id)
    assert (line["readable"], line["summary"]) == (False, {})
    refused(head.call("GET", f"/work-items/{item['item_id']}"), 404)
    refused(head.act(item, "approve"), 404)
    (seen,) = people(ADMIN).get("/process-instances?state=running")["items"]
    assert seen["id"] == line["instance_id"]
    good(people(SUPERIOR).act(item, "cc", to=[head.person_id]))
    (line,) = head.get(path)["items"]
    assert line["readable"]
    assert line["summary"]["total"] == {"amount": "12345.60", "currency": "CNY"}
    assert all(not action["allowed"] for action in head.get(f"/work-items/{item['item_id']}")["actions"])
    assert head.get(f"{path}&overdue=true")["items"] == []
    clock.advance(days=5)
    assert len(head.get(f"{path}&overdue=true")["items"]) == 1
    assert head.get(f"{path}&q=%25")["items"] == []
    assert people(EMPLOYEE).get(path)["items"] == []


# ------------------------------------------------------------------------------------------------- one item


def test_an_item_says_what_why_and_who_comes_next(people: House, item: dict[str, Any]) -> None:
    seen = people(SUPERIOR).get(f"/work-items/{item['item_id']}")
    assert seen["node"] == "approve_superior"
    assert seen["values"]["lines"][0]["amount"] == {"amount": "12345.60", "currency": "CNY"}
    fields = {field["id"]: field for field in seen["form"]["fields"]}
    assert fields["title"]["right"] == "read"
    assert [column["id"] for column in fields["lines"]["columns"]] == ["category", "amount", "purpose"]
    decisions = ("approve", "reject", "return")
    roads = ("add_signer", "cc", "circulate", "consult", "delegate", "transfer")
    assert {a["action"]: a["allowed"] for a in seen["actions"]} == dict.fromkeys(decisions + roads, True)
    assert seen["why"]["rule"] == "superior"
    assert "王磊" in seen["why"]["path"]
    assert [(step["node"], step["people"]) for step in seen["next"]] == [("approve_department_head", ["林晓燕"])]
    assert seen["due_at"] is not None


def test_a_decision_others_have_built_on_is_not_offered_back(people: House, item: dict[str, Any]) -> None:
    superior, path = people(SUPERIOR), f"/work-items/{item['item_id']}"

    def reclaim() -> tuple[bool, bool]:
        (one,) = (a for a in superior.get(path)["actions"] if a["action"] == "reclaim")
        return one["allowed"], bool(one["reason"])

    good(superior.act(item, "approve"))
    assert reclaim() == (True, False)
    (following,) = people(HEAD).inbox()
    good(people(HEAD).act(following, "approve"))
    assert reclaim() == (False, True)


def test_an_instant_without_its_offset_is_refused(people: House) -> None:
    employee = people(EMPLOYEE)
    task = {"title": "整理", "assignee": people(OTHER).person_id, "due_at": "2026-12-04T09:00:00"}
    refused(employee.call("POST", "/tasks", task), 422)
    good(employee.call("POST", "/tasks", {**task, "due_at": "2036-12-04T09:00:00+08:00"}))


def test_a_reader_sees_it_with_the_reasons_why_not(people: House, item: dict[str, Any]) -> None:
    seen = people(EMPLOYEE).get(f"/work-items/{item['item_id']}")
    assert {a["allowed"] for a in seen["actions"]} == {False}
    assert all(a["reason"] for a in seen["actions"])
    assert seen["next"] == []


@pytest.mark.parametrize("username", [OTHER, HEAD, FINANCE, MANAGER])
def test_for_others_it_does_not_exist(people: House, item: dict[str, Any], username: str) -> None:
    stranger = people(username)
    if username != MANAGER:  # the general manager may read everything
        refused(stranger.call("GET", f"/work-items/{item['item_id']}"), 404)
        refused(stranger.act(item, "approve"), 404)
    else:
        refused(stranger.act(item, "approve"), 403)
    assert stranger.get(f"/work-items?q={item['item_id']}")["items"] == []


# ------------------------------------------------------------------------------------------------- deciding


def test_every_decision_answers_with_what_became_of_it(people: House) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    expected = {"approve": "completed", "reject": "rejected", "return": "running"}
    for action, state in expected.items():
        employee.post("/process-definitions/expense_request/start", request_of("10.00"))
        (item,) = superior.inbox()
        answer = good(superior.act(item, action, opinion="理由"))
        assert (answer["outcome"], answer["instance"]["state"]) == (action, state)
        assert answer["version"] > item["version"]


@pytest.mark.parametrize("action", ["reject", "return"])
def test_a_refusal_needs_a_reason(people: House, item: dict[str, Any], action: str) -> None:
    problem = refused(people(SUPERIOR).act(item, action), 422, "invalid_form")
    assert [error["field"] for error in problem["errors"]] == ["opinion"]
    assert len(people(SUPERIOR).inbox()) == 1


def test_a_stale_or_doubled_decision_says_who_was_faster(people: House, item: dict[str, Any]) -> None:
    superior = people(SUPERIOR)
    refused(superior.act({**item, "version": item["version"] + 1}, "approve"), 409, "conflict")
    good(superior.act(item, "approve"))
    problem = refused(superior.act(item, "approve"), 409, "conflict")
    assert "周明" in problem["detail"]
    refused(superior.act(item, "reject", opinion="x"), 409, "conflict")


def test_an_action_must_fit(people: House, item: dict[str, Any]) -> None:
    superior = people(SUPERIOR)
    refused(superior.act(item, "submit"), 403)
    refused(superior.act(item, "claim"), 403)
    refused(superior.act(item, "release"), 403)
    refused(superior.call("POST", f"/work-items/{item['item_id']}/actions/approve", {}), 422, "invalid_request")
    problem = refused(superior.act(item, "approve", to=[1]), 422, "invalid_request")
    assert [error["field"] for error in problem["errors"]] == ["to"]
    refused(superior.act(item, "approve", opinion="x" * 2001), 422)


def test_a_task_with_a_faulty_form_names_every_field(people: House, item: dict[str, Any]) -> None:
    employee = people(EMPLOYEE)
    good(people(SUPERIOR).act(item, "return", opinion="请改"))
    (task,) = employee.inbox()
    faulty = {"title": "", "lines": [{"category": "nothing", "amount": "-1"}], "colour": "red"}
    problem = refused(employee.act(task, "submit", variables=faulty), 422, "invalid_form")
    fields = {error["field"] for error in problem["errors"]}
    assert {"title", "lines.0.category", "lines.0.amount", "colour"} <= fields


# ------------------------------------------------------------------------------------------------- pools, copies


def test_a_pool_is_claimed_once_and_given_back(people: House, item: dict[str, Any]) -> None:
    for username in (SUPERIOR, HEAD):
        caller = people(username)
        (line,) = caller.inbox()
        good(caller.act(line, "approve"))
    finance = people(FINANCE)
    (line,) = finance.inbox()
    assert line["assignee_id"] is None
    claimed = good(finance.act(line, "claim"))
    assert claimed["assignee_id"] == finance.person_id
    refused(finance.act(line, "claim"), 409, "conflict")
    released = good(finance.act({**line, "version": claimed["version"]}, "release"))
    assert released["assignee_id"] is None
    (line,) = finance.inbox()
    good(finance.act(line, "approve"))


def test_copies_let_people_read_exactly_this_instance(people: House, item: dict[str, Any]) -> None:
    superior, other = people(SUPERIOR), people(OTHER)
    path = f"/process-instances/{item['instance_id']}"
    refused(other.call("GET", path), 404)
    refused(people(EMPLOYEE).act(item, "cc", to=[other.person_id]), 403)
    refused(other.act(item, "cc", to=[other.person_id]), 404)
    problem = refused(superior.act(item, "cc", to=[other.person_id, 999_999]), 422)
    assert [error["field"] for error in problem["errors"]] == ["to.1"]
    refused(superior.act({**item, "version": 99}, "cc", to=[other.person_id]), 409)
    good(superior.act(item, "cc", to=[other.person_id, other.person_id]))
    good(superior.act(item, "cc", to=[other.person_id]))
    assert other.get("/work-items/counts") == {"open": 0, "cc": 1}
    (copy,) = other.get("/work-items?view=cc")["items"]
    assert copy["instance_id"] == item["instance_id"]
    assert other.get(path)["id"] == item["instance_id"]
    refused(other.act(item, "approve"), 403)


def test_nobody_approves_his_own_request(people: House) -> None:
    manager = people(MANAGER)
    manager.post("/process-definitions/expense_request/start", request_of("10.00"))
    assert manager.inbox() == []
    assert people(ADMIN).get("/process-instances?state=running")["items"]
