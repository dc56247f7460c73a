"""Urging through the interface, and due dates in colour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import TestClock
from tests.webapp.callers import EMPLOYEE, OTHER, SUPERIOR, House, good, refused

pytestmark = pytest.mark.usefixtures("clock")


def test_the_starter_urges_an_item_and_reads_the_receipt(
    people: House, started: dict[str, Any], clock: TestClock
) -> None:
    employee = people(EMPLOYEE)
    (item,) = employee.get(f"/process-instances/{started['id']}")["items"]
    path = f"/work-items/{item['id']}/actions/urge"
    done = employee.post(path, {"text": "客户在等"})
    assert (done["count"], done["channel"]) == (1, "notice")
    assert done["messages"] == [], "the first time a word in the house is enough"
    clock.advance(minutes=3)
    refused(employee.call("POST", path, json={}), 422, "urged_lately")
    refused(people(OTHER).call("POST", path, json={}), 404, "not_found")
    refused(people(SUPERIOR).call("POST", path, json={}), 403, "forbidden")
    refused(employee.call("POST", path, json={"text": "x" * 201}), 422)
    clock.advance(minutes=118)
    louder = employee.post(path, {"text": "请今天处理"})
    assert louder["channel"] == "sms"
    receipt = employee.get(f"/connectors/sms/messages/{louder['messages'][0]}")
    assert "请今天处理" in receipt["text"]
    assert receipt["instance_id"] == started["id"]
    lines = employee.get(f"/process-instances/{started['id']}/history")["items"]
    assert [(line["action"], line["text"]) for line in lines[-2:]] == [("urge", "客户在等"), ("urge", "请今天处理")]


def test_a_whole_request_is_urged_and_says_whether_it_may_be(people: House, started: dict[str, Any]) -> None:
    employee, path = people(EMPLOYEE), f"/process-instances/{started['id']}"
    assert {"action": "urge", "allowed": True, "reason": ""} in employee.get(path)["actions"]
    (one,) = employee.post(f"{path}/actions/urge", {})["items"]
    assert one["told"]
    (action,) = [a for a in employee.get(path)["actions"] if a["action"] == "urge"]
    assert not action["allowed"]
    assert "already" in action["reason"]
    refused(people(OTHER).call("POST", f"{path}/actions/urge", json={}), 404, "not_found")


def test_due_dates_say_how_they_stand(people: House, started: dict[str, Any], clock: TestClock) -> None:
    superior = people(SUPERIOR)

    def stands() -> tuple[str, str]:
        (line,) = superior.get("/work-items")["items"]
        item = good(superior.call("GET", f"/work-items/{line['item_id']}"))
        (shown,) = superior.get(f"/process-instances/{started['id']}")["items"]
        told = {(one["due_state"], one["due_text"]) for one in (line, item, shown)}
        (found,) = told
        return found

    assert stands() == ("green", "1 working day left")
    clock.advance(hours=2)
    assert stands() == ("amber", "6 working hours left")
    clock.advance(hours=7 + 15)
    assert stands()[0] == "red"
    clock.advance(hours=1)
    assert stands() == ("red", "Overdue by 1 working hour")
