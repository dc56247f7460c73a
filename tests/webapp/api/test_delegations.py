"""Delegations through the interface: asked for, answered, ended; refused, stale, doubled, hostile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import runtime
from engine.db import Sessions, transaction
from engine.models import Timer
from tests.conftest import MONDAY_MORNING, TestClock
from tests.webapp.callers import ADMIN, EMPLOYEE, HEAD, MANAGER, OTHER, SUPERIOR, House, good, refused, request_of

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def wish(people: House) -> dict[str, Any]:
    """The superior asks the general manager, for five days from this afternoon on."""
    return {
        "delegate": people(MANAGER).person_id,
        "starts": (MONDAY_MORNING + timedelta(hours=4)).isoformat(),
        "ends": (MONDAY_MORNING + timedelta(days=5)).isoformat(),
        "reason": "出差",
        "include_waiting": True,
    }


@pytest.fixture
def asked(people: House, wish: dict[str, Any]) -> dict[str, Any]:
    return dict(people(SUPERIOR).post("/delegations", wish))


def act(people: House, who: str, one: dict[str, Any], action: str, **body: Any) -> Any:
    version = body.pop("version", one["version"])
    return people(who).call("POST", f"/delegations/{one['id']}/actions/{action}", {"version": version, **body})


def begin(one: dict[str, Any]) -> None:
    with transaction() as session:
        timer = select(Timer).where(Timer.instance_id == one["instance_id"], Timer.node == "at_start")
        runtime.fire_timer(session, session.scalars(timer).one())
    Sessions.remove()


def test_from_the_wish_to_the_end(people: House, asked: dict[str, Any], started: dict[str, Any]) -> None:
    assert (asked["state"], asked["scope"], asked["delegator"]["id"]) == (
        "requested",
        "all",
        people(SUPERIOR).person_id,
    )
    accepted = good(act(people, MANAGER, asked, "accept"))
    assert accepted["state"] == "accepted"
    begin(asked)
    (item,) = [one for one in people(MANAGER).inbox() if one["instance_id"] == started["id"]]
    assert people(SUPERIOR).inbox() == []
    good(people(MANAGER).act(item, "approve", opinion="同意"))
    history = people(EMPLOYEE).get(f"/process-instances/{started['id']}/history")["items"]
    (line,) = [line for line in history if line["action"] == "approve"]
    assert line["on_behalf_of"]["id"] == people(SUPERIOR).person_id
    again = people(EMPLOYEE).post("/process-definitions/expense_request/start", request_of("10.00"))
    (active,) = people(SUPERIOR).get("/delegations?role=given&state=active")["items"]
    ended = good(act(people, SUPERIOR, active, "end"))
    assert (ended["state"], ended["ended_at"] is not None) == ("ended", True)
    assert [one["instance_id"] for one in people(SUPERIOR).inbox()] == [again["id"]]


def test_each_sees_his_own(people: House, asked: dict[str, Any]) -> None:
    for who, role, count in (
        (SUPERIOR, "given", 1),
        (SUPERIOR, "received", 0),
        (MANAGER, "received", 1),
        (OTHER, "", 0),
        (ADMIN, "", 1),
    ):
        found = people(who).get(f"/delegations?role={role}&count=true")
        assert (len(found["items"]), found["total"]) == (count, count), who


def test_who_may_answer_and_end(people: House, asked: dict[str, Any]) -> None:
    refused(act(people, OTHER, asked, "accept"), 404)
    refused(act(people, OTHER, asked, "end"), 404)
    refused(act(people, SUPERIOR, asked, "accept"), 403)
    refused(act(people, MANAGER, asked, "decline"), 422)
    refused(act(people, MANAGER, asked, "accept", version=asked["version"] + 7), 409)
    good(act(people, MANAGER, asked, "decline", opinion="我也不在"))
    refused(act(people, MANAGER, asked, "accept"), 409)


def test_the_same_wish_again_under_its_key_is_one(people: House, wish: dict[str, Any]) -> None:
    first = people(SUPERIOR).post("/delegations", wish, key="away")
    assert people(SUPERIOR).post("/delegations", wish, key="away")["id"] == first["id"]
    refused(people(SUPERIOR).call("POST", "/delegations", wish, key="once more"), 422, "delegation_overlaps")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ends": "2026-11-20T09:00:00+08:00"}, "period_reversed"),
        ({"starts": "2026-11-23T09:00:00"}, None),
        ({"scope": "amount"}, "invalid_form"),
        ({"scope": "processes", "processes": ["delegation"]}, "invalid_form"),
        ({"scope": "amount", "limit": "12.345"}, "invalid_form"),
        ({"delegate": 999_999_999}, "invalid_form"),
        ({"reason": "x" * 101}, "invalid_request"),
        ({"nonsense": 1}, "invalid_request"),
    ],
)
def test_what_cannot_be_is_refused(
    people: House, wish: dict[str, Any], change: dict[str, Any], code: str | None
) -> None:
    refused(people(SUPERIOR).call("POST", "/delegations", {**wish, **change}), 422, code)
    assert people(SUPERIOR).get("/delegations")["items"] == []


def test_only_human_resources_delegate_for_others(people: House, wish: dict[str, Any]) -> None:
    for_other = {**wish, "delegator": people(HEAD).person_id}
    refused(people(SUPERIOR).call("POST", "/delegations", for_other), 403)
    made = people("wu.ting").post("/delegations", for_other)
    assert made["delegator"]["id"] == people(HEAD).person_id


def test_it_ends_in_the_middle_of_a_decision(
    people: House, asked: dict[str, Any], started: dict[str, Any], clock: TestClock
) -> None:
    good(act(people, MANAGER, asked, "accept"))
    begin(asked)
    (item,) = [one for one in people(MANAGER).inbox() if one["instance_id"] == started["id"]]
    (active,) = people(MANAGER).get("/delegations?role=received&state=active")["items"]
    good(act(people, MANAGER, active, "end"))
    assert people(MANAGER).act(item, "approve").status_code in (403, 404, 409)
    assert [one["instance_id"] for one in people(SUPERIOR).inbox()] == [started["id"]]
