"""Serial numbers through the interface: issued once, reserved, used, voided, accounted for."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.db import Sessions, transaction
from processes.numbering.operations import make_official_rule
from processes.spending.models import ExpenseRequest
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, Caller, House, refused

RULE = "/serial-rules/official_document"


@pytest.fixture
def admin(people: House) -> Caller:
    with transaction() as session:
        make_official_rule(session)
    Sessions.remove()
    return people(ADMIN)


@pytest.fixture
def someone(people: House) -> int:
    """A record to be numbered: an employee."""
    return people(EMPLOYEE).person_id


def employee(person_id: int) -> dict[str, Any]:
    return {"record": {"type": "organization.employee", "id": person_id}}


def test_a_record_gets_one_number(admin: Caller, someone: int) -> None:
    first = admin.post(f"{RULE}/actions/issue", employee(someone))
    assert first["text"].startswith("云启〔20")
    assert first["text"].endswith("〕1号")
    assert (first["value"], first["state"]) == (1, "issued")
    assert admin.post(f"{RULE}/actions/issue", employee(someone))["id"] == first["id"]
    assert admin.get(f"/serial-numbers/{first['id']}") == first
    assert first["taken_by"]["id"] == first["changed_by"]["id"]


def test_numbers_are_reserved_used_and_voided(admin: Caller, someone: int) -> None:
    kept = admin.post(f"{RULE}/actions/reserve", {"count": 3, "reason": "年终"})["items"]
    assert [one["value"] for one in kept] == [1, 2, 3]
    used = admin.post(f"/serial-numbers/{kept[1]['id']}/actions/use", employee(someone))
    assert (used["state"], used["record_type"], used["text"]) == ("issued", "organization.employee", kept[1]["text"])
    gone = admin.post(
        f"/serial-numbers/{kept[0]['id']}/actions/void", {"reason": "写错", "version": kept[0]["version"]}
    )
    assert (gone["state"], gone["reason"]) == ("void", "写错")
    stale = {"reason": "x", "version": used["version"] + 5}
    refused(admin.call("POST", f"/serial-numbers/{used['id']}/actions/void", stale), 409, "conflict")
    again = {"reason": "x"}
    refused(admin.call("POST", f"/serial-numbers/{gone['id']}/actions/void", again), 422, "wrong_state")
    refused(admin.call("POST", f"/serial-numbers/{gone['id']}/actions/use", employee(someone)), 422, "wrong_state")
    (series,) = admin.get(f"{RULE}/gaps")["items"]
    assert (series["first"], series["last"], series["issued"], series["missing"]) == (1, 3, 1, [])
    assert [one["state"] for one in series["set_aside"]] == ["void", "reserved"]
    assert admin.get(f"{RULE}/gaps?period=1999")["items"] == []


def test_numbers_are_found_by_what_is_asked(admin: Caller, someone: int) -> None:
    admin.post(f"{RULE}/actions/reserve", {"count": 3, "reason": "年终"})
    issued = admin.post(f"{RULE}/actions/issue", employee(someone))

    def ids(query: str) -> list[int]:
        return [one["value"] for one in admin.get(f"/serial-numbers?{query}")["items"]]

    assert ids("order=value") == [1, 2, 3, 4]
    assert ids("state=issued&rule=official_document") == [4]
    assert ids(f"record_type=organization.employee&record_id={someone}") == [4]
    assert ids(f"q={issued['text']}") == [4]
    assert ids("period=1999") == ids("rule=nothing") == ids("q=%25") == []
    assert admin.get("/serial-numbers?count=true&page_size=1")["total"] == 4


def test_an_employee_sees_the_numbers_taken_for_what_they_sent_and_touches_none(
    admin: Caller, people: House, started: dict[str, Any]
) -> None:
    (mine,) = people(EMPLOYEE).get("/serial-numbers")["items"]
    with transaction() as session:
        assert session.scalars(select(ExpenseRequest.number)).all() == [mine["text"]] == ["EXP-000001"]
    assert people(OTHER).get("/serial-numbers")["items"] == []
    stranger, own = people(OTHER), people(EMPLOYEE)
    refused(stranger.call("GET", f"/serial-numbers/{mine['id']}"), 404)
    refused(stranger.call("POST", f"/serial-numbers/{mine['id']}/actions/void", {"reason": "x"}), 404)
    refused(own.call("POST", f"/serial-numbers/{mine['id']}/actions/void", {"reason": "x"}), 403)
    refused(own.call("POST", f"{RULE}/actions/issue", employee(own.person_id)), 403)
    refused(own.call("POST", f"{RULE}/actions/reserve", {"reason": "x"}), 403)
    refused(own.call("GET", f"{RULE}/gaps"), 404)


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("reserve", {"reason": "x", "count": 101}, "count"),
        ("reserve", {"reason": "", "count": 1}, "reason"),
        ("reserve", {"count": 1}, "reason"),
        ("reserve", {"reason": "x", "department": 10**9}, "department"),
        ("issue", {}, "record"),
        ("issue", {"record": {"type": "organization.employee"}}, "record"),
        ("issue", {"record": {"type": "x", "id": 1}, "at": "2020-01-01"}, "at"),
    ],
)
def test_what_is_wrong_is_named(admin: Caller, action: str, body: dict[str, Any], field: str) -> None:
    problem = refused(admin.call("POST", f"{RULE}/actions/{action}", body), 422)
    assert field in {error["field"].split(".")[0] for error in problem["errors"]}


def test_what_is_not_there_is_not_found(admin: Caller) -> None:
    refused(admin.call("POST", "/serial-rules/nothing/actions/issue", employee(1)), 404)
    refused(admin.call("POST", "/serial-rules/nothing/actions/reserve", {"reason": "x"}), 404)
    refused(admin.call("GET", "/serial-rules/nothing/gaps"), 404)
    refused(admin.call("GET", "/serial-numbers/999999"), 404)
    refused(admin.call("POST", f"{RULE}/actions/issue", employee(10**9)), 404)


def test_a_reservation_repeated_under_its_key_is_made_once(admin: Caller) -> None:
    first = admin.post(f"{RULE}/actions/reserve", {"count": 2, "reason": "年终"}, key="r-1")
    assert admin.post(f"{RULE}/actions/reserve", {"count": 2, "reason": "年终"}, key="r-1") == first
    assert admin.get("/serial-numbers?count=true")["total"] == 2
