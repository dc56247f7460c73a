"""Many at once by the interface: instances and incidents, by ids or by a filter, each for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine.db import Sessions, transaction
from engine.models import Incident
from engine.service_tasks import TOPICS
from tests.webapp.callers import ADMIN, EMPLOYEE, MANAGER, SUPERIOR, House, refused, request_of

BATCH = "/process-instances/batch"


@pytest.fixture
def two(people: House, started: dict[str, Any]) -> tuple[int, int]:
    other = people(EMPLOYEE).post("/process-definitions/expense_request/start", request_of("80.00"))
    return started["id"], other["id"]


def by_id(answer: dict[str, Any]) -> dict[int, tuple[bool, str]]:
    return {one["id"]: (one["done"], one["code"]) for one in answer["items"]}


def test_a_dry_run_says_what_could_be_done_and_changes_nothing(people: House, two: tuple[int, int]) -> None:
    one, other = two
    root = people(ADMIN)
    root.post(f"/process-instances/{one}/actions/suspend", {"reason": "盘点"})
    body = {"action": "suspend", "filter": {"definition": "expense_request", "q": "上海"}, "dry_run": True}
    assert by_id(root.post(BATCH, body)) == {one: (False, "forbidden"), other: (True, "")}
    assert root.get(f"/process-instances/{other}")["state"] == "running"


def test_one_refused_leaves_the_others_done(people: House, two: tuple[int, int]) -> None:
    one, other = two
    root = people(ADMIN)
    body = {"action": "suspend", "ids": [one, other, 987654, one], "reason": "盘点"}
    answer = root.post(BATCH, body)
    assert answer["done"] == 2
    assert by_id(answer) == {one: (True, ""), other: (True, ""), 987654: (False, "not_found")}
    assert [one["state"] for one in answer["items"]] == ["suspended", "suspended", ""]
    again = root.post(BATCH, body)
    assert again["done"] == 0
    assert "suspended" in again["items"][0]["reason"]
    assert root.post(BATCH, {"action": "resume", "filter": {"state": "suspended"}})["done"] == 2
    assert root.post(BATCH, {"action": "urge", "ids": [one, other], "reason": "请尽快"})["done"] == 2
    assert by_id(root.post(BATCH, {"action": "urge", "ids": [one], "dry_run": True})) == {one: (False, "urged_lately")}
    assert root.post(BATCH, {"action": "terminate", "ids": [one, other], "reason": "取消"})["done"] == 2
    assert root.post(BATCH, {"action": "void", "ids": [one], "reason": "x"})["done"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"action": "suspend", "reason": "x"},
        {"action": "suspend", "filter": {}, "reason": "x"},
        {"action": "suspend", "filter": {"state": "running"}, "ids": [1], "reason": "x"},
        {"action": "suspend", "ids": [1]},
        {"action": "withdraw", "ids": [1], "reason": "x"},
        {"action": "suspend", "ids": list(range(1, 300)), "reason": "x"},
    ],
    ids=["nothing named", "empty filter", "both", "no reason", "no such action", "too many"],
)
def test_what_is_not_clear_is_refused_before_anything_is_done(
    people: House, two: tuple[int, int], body: dict[str, Any]
) -> None:
    refused(people(ADMIN).call("POST", BATCH, body), 422)
    assert {people(ADMIN).get(f"/process-instances/{one}")["state"] for one in two} == {"running"}


def test_a_filter_that_finds_too_many_wants_to_be_narrowed(
    people: House, two: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.work_items.many.MOST", 1)
    monkeypatch.setattr("webapp.api.instances.MOST", 1)
    body = {"action": "suspend", "filter": {"state": "running"}, "reason": "x"}
    refused(people(ADMIN).call("POST", BATCH, body), 422, "too_many")
    assert people(ADMIN).get(f"/process-instances/{two[0]}")["state"] == "running"


def test_it_is_for_process_administrators(people: House, two: tuple[int, int]) -> None:
    body = {"action": "suspend", "ids": list(two), "reason": "x"}
    for other in (EMPLOYEE, SUPERIOR, MANAGER):
        for dry_run in (True, False):
            refused(people(other).call("POST", BATCH, {**body, "dry_run": dry_run}), 403, "permission_missing")
    assert people(ADMIN).get(f"/process-instances/{two[0]}")["state"] == "running"


# ------------------------------------------------------------------------------------------------- incidents


@pytest.fixture
def stranded(people: House, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two incidents: the last approval went through, the SMS behind it did not."""

    def away(*_args: object, **_named: object) -> None:
        raise ValueError("the template is broken")

    topic = TOPICS["messaging.notify_sms"]
    broken = replace(topic, function=away)
    monkeypatch.setitem(TOPICS, topic.name, broken)
    for _each in range(2):
        people(EMPLOYEE).post("/process-definitions/expense_request/start", request_of("80.00"))
    for item in people(SUPERIOR).inbox():
        assert people(SUPERIOR).act(item, "approve").status_code == 200
    with transaction() as session:
        found = list(session.scalars(select(Incident.id).order_by(Incident.id)))
    Sessions.remove()
    assert len(found) == 2
    monkeypatch.setitem(TOPICS, topic.name, topic)
    return found


def test_incidents_are_tried_again_when_what_they_met_has_passed(
    people: House, stranded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, (one, other) = people(ADMIN), stranded
    body = {"action": "retry", "filter": {"definition": "expense_request", "q": "broken"}}
    assert by_id(root.post("/incidents/batch", {**body, "dry_run": True})) == {one: (True, ""), other: (True, "")}
    assert root.get("/incidents?state=open&count=true")["total"] == 2
    assert root.post("/incidents/batch", {"action": "retry", "ids": [one]})["done"] == 1
    answer = root.post("/incidents/batch", {"action": "retry", "ids": [one, other, 987654]})
    assert by_id(answer) == {one: (False, "conflict"), other: (True, ""), 987654: (False, "not_found")}
    assert {line["state"] for line in root.get("/incidents")["items"]} == {"resolved"}
    refused(people(SUPERIOR).call("POST", "/incidents/batch", body), 403, "permission_missing")
    refused(root.call("POST", "/incidents/batch", {"action": "retry"}), 422)


def test_what_fails_again_says_so(people: House, stranded: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_named: object) -> None:
        raise ValueError("still broken")

    topic = TOPICS["messaging.notify_sms"]
    monkeypatch.setitem(TOPICS, topic.name, replace(topic, function=away))
    answer = people(ADMIN).post("/incidents/batch", {"action": "retry", "ids": stranded})
    assert answer["done"] == 0
    assert [(one["code"], one["state"]) for one in answer["items"]] == [("failed_again", "open")] * 2
    assert "still broken" in answer["items"][0]["reason"]
