"""Instances through the interface: lists, one of them, its history and diagram, and how it is ended."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conftest import TestClock
from tests.webapp.callers import (
    ADMIN,
    EMPLOYEE,
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


def path_of(instance: dict[str, Any], more: str = "") -> str:
    return f"/process-instances/{instance['id']}{more}"


@pytest.mark.parametrize(
    ("username", "sees"), [(EMPLOYEE, True), (SUPERIOR, True), (ADMIN, True), (OTHER, False), (HEAD, False)]
)
def test_who_may_read_an_instance_on_every_road(
    people: House, started: dict[str, Any], username: str, sees: bool
) -> None:
    caller = people(username)
    for more in ("", "/history", "/diagram"):
        answer = caller.call("GET", path_of(started, more))
        if sees:
            good(answer)
        else:
            refused(answer, 404, "not_found")
    assert bool(caller.get("/process-instances")["items"]) is sees


def test_the_list_is_narrowed_by_its_filters(people: House, started: dict[str, Any], clock: TestClock) -> None:
    admin, employee, other = people(ADMIN), people(EMPLOYEE), people(OTHER)
    clock.advance(minutes=1)
    second = other.post(
        "/process-definitions/expense_request/start", {**request_of("5.00", title="买纸"), "business_key": "paper-1"}
    )
    (line,) = people(SUPERIOR).get("/work-items?q=买纸")["items"]
    good(people(SUPERIOR).act(line, "reject", opinion="库存有"))

    def ids(query: str = "") -> list[int]:
        return [line["id"] for line in admin.get(f"/process-instances?{query}")["items"]]

    assert ids() == [second["id"], started["id"]]
    assert ids("order=started_at") == [started["id"], second["id"]]
    assert ids("state=rejected") == ids("business_key=paper-1") == ids("q=买纸") == [second["id"]]
    assert ids(f"starter={employee.person_id}") == ids("state=running") == [started["id"]]
    assert ids("definition=nothing") == ids("overdue=true") == []
    clock.advance(days=2)
    assert ids("overdue=true") == [started["id"]]
    assert admin.get("/process-instances?count=true&page_size=1")["total"] == 2
    refused(admin.call("GET", "/process-instances?state=odd"), 422)
    refused(admin.call("GET", "/process-instances?order=title"), 422)


def test_one_instance_shows_form_holders_and_what_may_be_done(people: House, started: dict[str, Any]) -> None:
    seen = people(EMPLOYEE).get(path_of(started))
    assert (seen["state"], seen["waits_for"], seen["definition_version"]) == ("running", "上级审批", 1)
    assert seen["values"]["title"] == "拜访上海客户"
    assert {field["right"] for field in seen["form"]["fields"]} == {"read"}
    (item,) = seen["items"]
    assert item["assignee"] == {"id": people(SUPERIOR).person_id, "name": "周明"}
    assert seen["actions"] == [
        {"action": "withdraw", "allowed": True, "reason": ""},
        {"action": "change_people", "allowed": True, "reason": ""},
        {"action": "urge", "allowed": True, "reason": ""},
    ]
    steered = {a["action"]: a["allowed"] for a in people(ADMIN).get(path_of(started))["actions"]}
    assert steered == {
        "change_people": True,
        "suspend": True,
        "resume": False,
        "jump": True,
        "terminate": True,
        "reopen": False,
        "void": False,
        "urge": True,
    }


def test_a_stale_version_says_who_was_faster_in_words(people: House, started: dict[str, Any]) -> None:
    seen = people(ADMIN).get(path_of(started))["version"]
    (item,) = people(SUPERIOR).inbox()
    good(people(SUPERIOR).act(item, "consult", to=[people(HEAD).person_id], reason="可以吗"))
    stale = {"reason": "审计", "version": seen}
    problem = refused(people(ADMIN).call("POST", path_of(started, "/actions/suspend"), stale), 409)
    assert re.search(r"周明.*asked a question.*\d{4}-\d\d-\d\d \d\d:\d\d\.", problem["detail"])
    assert people(ADMIN).get(path_of(started))["state"] == "running"


def test_the_history_tells_who_did_what(people: House, started: dict[str, Any]) -> None:
    (item,) = people(SUPERIOR).inbox()
    good(people(SUPERIOR).act(item, "return", opinion="请附行程"))
    (task,) = people(EMPLOYEE).inbox()
    good(people(EMPLOYEE).act(task, "submit", variables={"title": "拜访杭州客户"}))
    page = people(EMPLOYEE).get(path_of(started, "/history?count=true"))
    told = [(line["seq"], line["action"], line["actor"]["name"], line["text"]) for line in page["items"]]
    assert told == [(1, "start", "王磊", ""), (2, "return", "周明", "请附行程"), (3, "submit", "王磊", "")]
    assert page["items"][2]["changes"] == {"title": {"before": "拜访上海客户", "after": "拜访杭州客户"}}
    assert page["total"] == 3
    second = people(EMPLOYEE).get(path_of(started, "/history?page=2&page_size=2"))
    assert ([line["seq"] for line in second["items"]], second["has_more"]) == ([3], False)
    newest = people(EMPLOYEE).get(path_of(started, "/history?order=-seq&page_size=1"))
    assert [line["seq"] for line in newest["items"]] == [3]


def test_the_diagram_shows_where_the_token_is_was_and_how_long(
    people: House, started: dict[str, Any], clock: TestClock
) -> None:
    clock.advance(minutes=10)
    (item,) = people(SUPERIOR).inbox()
    good(people(SUPERIOR).act(item, "approve"))
    clock.advance(minutes=5)
    seen = people(EMPLOYEE).get(path_of(started, "/diagram"))
    assert "<bpmn:process" in seen["xml"]
    waiting = {token["element"]: token["seconds"] for token in seen["active"]}
    assert waiting["approve_department_head"] == 300
    assert {"start", "file_request", "approve_superior"} <= {passed["element"] for passed in seen["done"]}
    assert "to_file" in seen["flows"]
    assert seen["failed"] == []


# ------------------------------------------------------------------------------------------------- endings


def test_the_starter_withdraws_while_nobody_has_decided(people: House, started: dict[str, Any]) -> None:
    employee = people(EMPLOYEE)
    action = path_of(started, "/actions/withdraw")
    refused(employee.call("POST", action, {}), 422, "invalid_request")
    refused(employee.call("POST", action, {"reason": " "}), 422, "invalid_form")
    refused(people(SUPERIOR).call("POST", action, {"reason": "x"}), 403)
    refused(people(OTHER).call("POST", action, {"reason": "x"}), 404)
    version = employee.get(path_of(started))["version"]
    refused(employee.call("POST", action, {"reason": "x", "version": version + 1}), 409, "conflict")
    assert employee.post(action, {"reason": "行程取消", "version": version})["state"] == "withdrawn"
    refused(employee.call("POST", action, {"reason": "x"}), 403)
    assert people(SUPERIOR).inbox() == []


def test_nothing_is_withdrawn_that_somebody_decided(people: House, started: dict[str, Any]) -> None:
    (item,) = people(SUPERIOR).inbox()
    good(people(SUPERIOR).act(item, "approve"))
    problem = refused(people(EMPLOYEE).call("POST", path_of(started, "/actions/withdraw"), {"reason": "x"}), 403)
    assert "withdrawn" in problem["detail"]


def test_only_administrators_terminate(people: House, started: dict[str, Any]) -> None:
    action = path_of(started, "/actions/terminate")
    for username, status in ((EMPLOYEE, 403), (SUPERIOR, 403), (MANAGER, 403), (OTHER, 404)):
        refused(people(username).call("POST", action, {"reason": "x"}), status)
    assert people(ADMIN).post(action, {"reason": "重复"})["state"] == "terminated"
    refused(people(ADMIN).call("POST", action, {"reason": "x"}), 403)
    assert people(EMPLOYEE).get(path_of(started, "/history"))["items"][-2]["text"] == "重复"
