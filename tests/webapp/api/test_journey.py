"""The whole life of an expense request, through the interface alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webapp.callers import APPROVERS, EMPLOYEE, SUPERIOR, House, request_of

pytestmark = pytest.mark.usefixtures("clock")


def test_a_request_goes_through_every_approver_to_its_end(people: House, started: dict[str, Any]) -> None:
    employee = people(EMPLOYEE)
    assert started["state"] == "running"
    for username in APPROVERS:
        approver = people(username)
        (item,) = approver.inbox()
        seen = approver.get(f"/work-items/{item['item_id']}")
        assert {"approve", "reject", "return"} <= {a["action"] for a in seen["actions"] if a["allowed"]}
        approver.act(item, "approve", opinion="同意")
    ended = employee.get(f"/process-instances/{started['id']}")
    assert ended["state"] == "completed"
    history = employee.get(f"/process-instances/{started['id']}/history")["items"]
    assert [line["action"] for line in history if line["action"] == "approve"] == ["approve"] * 4


def test_a_returned_request_is_mended_and_sent_again(people: House) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    started = employee.post("/process-definitions/expense_request/start", request_of("80.00"))
    (item,) = superior.inbox()
    assert superior.act(item, "return", opinion="请附发票").status_code == 200
    (task,) = employee.inbox()
    detail = employee.get(f"/work-items/{task['item_id']}")
    granted = {a["action"] for a in detail["actions"] if a["allowed"]}
    assert granted == {"submit", "transfer", "delegate", "consult", "cc", "circulate"}
    changed = request_of("70.00", title="拜访杭州客户")["variables"]
    assert employee.act(task, "resubmit", variables=changed).status_code == 200
    (item,) = superior.inbox()
    assert superior.get(f"/work-items/{item['item_id']}")["values"]["title"] == "拜访杭州客户"
    superior.act(item, "approve")
    assert employee.get(f"/process-instances/{started['id']}")["state"] == "completed"
