"""Tasks through the interface: given, moved, refused, handed over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webapp.callers import ADMIN, EMPLOYEE, FINANCE, OTHER, SUPERIOR, Caller, House, good, refused

pytestmark = pytest.mark.usefixtures("clock")


def act(caller: Caller, task: dict[str, Any], action: str, **body: Any) -> Any:
    return caller.call("POST", f"/tasks/{task['id']}/actions/{action}", {"version": task["version"], **body})


def test_a_task_from_asking_to_confirming(people: House) -> None:
    employee, other = people(EMPLOYEE), people(OTHER)
    body = {"title": "核对名单", "assignee": other.person_id, "due_at": "2026-11-24T10:00:00Z"}
    task = employee.post("/tasks", body, key="one")
    assert good(employee.call("POST", "/tasks", body, key="one"))["id"] == task["id"]
    assert (task["state"], task["assignee"]["name"]) == ("assigned", "李娜")
    assert other.get("/tasks/counts") == {"mine": 1}
    assert [one["id"] for one in other.get("/tasks")["items"]] == [task["id"]]
    assert [one["id"] for one in employee.get("/tasks?view=given&count=true")["items"]] == [task["id"]]
    refused(people(FINANCE).call("GET", f"/tasks/{task['id']}"), 404)
    refused(act(employee, task, "accept"), 403)
    refused(act(other, task, "decline"), 422)
    accepted = good(act(other, task, "accept"))
    refused(act(other, task, "accept"), 409, "conflict")
    handed_in = good(act(other, accepted, "submit", text="见附件"))
    returned = good(act(employee, handed_in, "return", text="缺一页"))
    handed_in = good(act(other, returned, "submit"))
    over = good(act(employee, handed_in, "confirm"))
    assert over["state"] == "confirmed"
    assert [move["action"] for move in over["moves"]] == ["assign", "accept", "submit", "return", "submit", "confirm"]
    assert {action["action"]: action["allowed"] for action in over["actions"]} == {
        "confirm": False,
        "return": False,
        "cancel": False,
        "reassign": False,
    }
    assert other.get("/tasks?view=done")["items"][0]["id"] == task["id"]


def test_a_superior_tells_and_everything_wrong_is_named(people: House) -> None:
    superior, employee = people(SUPERIOR), people(EMPLOYEE)
    assert superior.post("/tasks", {"title": "写周报", "assignee": employee.person_id})["state"] == "accepted"
    body = {"title": "x", "assignee": 999, "record_type": "process.instance", "record_id": 99}
    problem = refused(employee.call("POST", "/tasks", body), 422, "invalid_form")
    assert {error["field"] for error in problem["errors"]} == {"assignee", "record"}
    assert [one["title"] for one in superior.get("/tasks?view=team")["items"]] == []


def test_tasks_are_handed_over_by_whoever_may(people: House) -> None:
    employee, other, superior = people(EMPLOYEE), people(OTHER), people(SUPERIOR)
    task = superior.post("/tasks", {"title": "拜访", "assignee": employee.person_id})
    passed = good(act(superior, task, "reassign", assignee=other.person_id, text="请接手"))
    assert passed["moves"][-1]["to_person"]["name"] == "李娜"
    refused(act(employee, passed, "submit"), 404)
    body = {"from_person": other.person_id, "to_person": employee.person_id}
    refused(employee.call("POST", "/tasks/actions/hand-over", body), 403)
    assert people(ADMIN).post("/tasks/actions/hand-over", body) == {"moved": 1}
    assert employee.get("/tasks/counts") == {"mine": 1}
