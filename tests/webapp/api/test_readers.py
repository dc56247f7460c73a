"""Circulating that blocks a node, by the interface."""

from __future__ import annotations

import pytest

from engine import repository
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from tests.engine.approvals.play import approval
from tests.engine.workflow.drawing import Drawing
from tests.webapp.callers import EMPLOYEE, FINANCE, HEAD, SUPERIOR, House, good, refused


@pytest.fixture
def item(people: House) -> int:
    """An approval of the superior that waits for its readers."""
    d = Drawing("rules")
    d.start()
    approval(d, "approve", f"person({people(SUPERIOR).person_id})", circulate="wait")
    d.end()
    d.chain("start", "approve", "end")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"rules.bpmn": d.xml()})
    Sessions.remove()
    people(EMPLOYEE).post("/process-definitions/rules/start", {"variables": {}})
    (found,) = people(SUPERIOR).inbox()
    return int(found["item_id"])


def test_the_item_names_who_has_to_read_and_waits_for_them(people: House, item: int) -> None:
    superior, path = people(SUPERIOR), f"/work-items/{item}"
    readers = [people(HEAD).person_id, people(FINANCE).person_id]
    assert superior.get(path)["unread"] == []
    shown = superior.get(path)
    good(superior.call("POST", f"{path}/actions/circulate", json={"version": shown["version"], "to": readers}))
    shown = superior.get(path)
    assert {one["id"] for one in shown["unread"]} == set(readers)
    assert {"recall", "reject", "return"} <= {one["action"] for one in shown["actions"] if one["allowed"]}
    body = {"version": shown["version"]}
    problem = refused(superior.call("POST", f"{path}/actions/approve", json=body), 422, "not_acknowledged")
    assert shown["unread"][0]["name"] in problem["detail"]
    good(people(HEAD).call("POST", f"{path}/actions/acknowledge", json={}))
    assert [one["id"] for one in superior.get(path)["unread"]] == readers[1:]
    refused(people(FINANCE).call("POST", f"{path}/actions/recall", json={**body, "to": readers}), 403, "forbidden")
    good(superior.call("POST", f"{path}/actions/recall", json={**body, "to": readers}))
    assert superior.get(path)["unread"] == []
    assert good(superior.call("POST", f"{path}/actions/approve", json=body))["instance"]["state"] == "completed"
