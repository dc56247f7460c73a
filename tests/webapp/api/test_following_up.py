"""Contact records and appointments through the interface."""

from __future__ import annotations

from typing import Any

import pytest

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.activity.permissions import POOL
from processes.party import operations as party
from tests.webapp.callers import EMPLOYEE, OTHER, SUPERIOR, House, refused

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def customer(people: House) -> dict[str, int]:
    owner = people(EMPLOYEE).person_id
    with transaction() as session:
        made = party.create_customer(session, SYSTEM, values={"name": "鼎信安防公司", "level": "A"})
        made.owner_id, made.state = owner, "locked"
        session.flush()
        contact = party.create_contact(session, SYSTEM, values={"name": "陈平", "customer": made.id})
        found = {"customer_id": made.id, "contact_id": contact.id}
    Sessions.remove()
    return found


def test_a_contact_from_noting_to_voiding(people: House, customer: dict[str, int]) -> None:
    seller, superior, other = people(EMPLOYEE), people(SUPERIOR), people(OTHER)
    body: dict[str, Any] = {**customer, "way": "call", "content": "谈了价格和交货时间", "origin": "app:1"}
    made = seller.post("/contact-records", body)
    assert seller.post("/contact-records", body)["id"] == made["id"]
    assert (made["qualified"], made["customer"]["name"], made["contact"]["name"]) == (True, "鼎信安防公司", "陈平")
    refused(other.call("POST", "/contact-records", body), 404)
    refused(other.call("GET", f"/contact-records/{made['id']}"), 404)
    assert other.get("/contact-records")["items"] == []
    assert [one["id"] for one in superior.get("/contact-records?q=交货&count=true")["items"]] == [made["id"]]
    told = superior.get("/contact-records/progress")
    (mine,) = [one for one in told["people"] if one["person"]["id"] == seller.person_id]
    assert (mine["written"], mine["read"]) == (1, 0)
    assert all(one["written"] >= one["read"] for one in told["superiors"])
    refused(seller.call("GET", "/contact-records/progress"), 403)
    mended = seller.call("PATCH", f"/contact-records/{made['id']}", {"version": made["version"], "content": "短"})
    assert mended.get_json()["qualified"] is False
    assert mended.get_json()["versions"][0]["values"]["content"] == "谈了价格和交货时间"
    path = f"/contact-records/{made['id']}/actions"
    refused(superior.call("POST", f"{path}/void", {"version": made["version"], "reason": "重复"}), 409)
    assert superior.post(f"{path}/comment", {"text": "写清楚些"})["id"]
    version = superior.get(f"/contact-records/{made['id']}")["version"]
    assert superior.post(f"{path}/void", {"version": version, "reason": "重复"})["state"] == "void"
    wrong = {**customer, "way": "call", "content": "谈了价格和交货时间", "at": "2027-01-01T00:00:00Z"}
    problem = refused(seller.call("POST", "/contact-records", wrong), 422, "invalid_form")
    assert [one["field"] for one in problem["errors"]] == ["at"]


def test_what_the_contacts_of_a_period_say_and_whom_they_were_with(people: House, customer: dict[str, int]) -> None:
    seller = people(EMPLOYEE)
    seller.post("/contact-records", {**customer, "way": "call", "content": "谈了价格和交货时间", "result": "reached"})
    said = seller.get("/reports/contacts")
    assert (said["customers"], said["contacts"], said["qualified"]) == (1, 1, 1)
    (cell,) = said["table"]
    assert (cell["result"], cell["customers"]) == ("reached", 1)
    address = f"/reports/contacts/customers?count=true&stage={cell['stage']}&result=reached"
    found = seller.get(address)
    assert (found["total"], found["items"][0]["customer"]["id"]) == (1, customer["customer_id"])
    assert seller.get("/reports/contacts/customers?result=refused")["items"] == []
    assert people(OTHER).get("/reports/contacts")["customers"] == 0
    assert people(OTHER).get(address)["items"] == []
    refused(seller.call("GET", "/reports/contacts/customers?stage=x"), 422)


def test_an_appointment_from_making_to_cancelling(people: House, customer: dict[str, int]) -> None:
    seller, superior = people(EMPLOYEE), people(SUPERIOR)
    made = seller.post("/appointments", {**customer, "at": "14:30", "purpose": "送方案"})
    assert (made["due_on"], made["at"], made["person"]["id"]) == ("2026-11-30", "14:30", seller.person_id)
    problem = refused(superior.call("POST", "/appointments", customer), 409, "appointment_taken")
    assert made["person"]["name"] in problem["detail"]
    assert [one["id"] for one in superior.get("/appointments?until=2026-11-30")["items"]] == [made["id"]]
    path = f"/appointments/{made['id']}/actions"
    joined = superior.post(f"{path}/join", {"version": made["version"]})
    assert [one["id"] for one in joined["joined"]] == [superior.person_id]
    body = {"version": joined["version"], "due_on": "2026-12-01", "reason": "客户出差"}
    moved = seller.post(f"{path}/reschedule", body)
    assert [(one["from_on"], one["to_on"], one["reason"]) for one in moved["moves"]] == [
        ("2026-11-30", "2026-12-01", "客户出差")
    ]
    refused(seller.call("POST", f"{path}/reschedule", body), 409)
    taken = superior.post(f"{path}/take-over", {"version": moved["version"]})
    assert taken["person"]["id"] == superior.person_id
    assert seller.get("/appointments/counts") == {"overdue": 0, "today": 0, "week": 0, "idle": 0, "never": 0}
    over = superior.post(f"{path}/cancel", {"version": taken["version"], "reason": "不需要了"})
    assert (over["state"], over["closing"]) == ("cancelled", "不需要了")
    assert seller.get("/appointments/counts")["never"] == 1
    refused(seller.call("GET", f"/appointments/counts?person_id={superior.person_id}"), 404)


def test_where_the_pool_is_closed_programs_are_told_by_a_code(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        pooled = party.create_customer(session, SYSTEM, values={"name": "晨光教育"}).id
    Sessions.remove()
    seller = people(EMPLOYEE)
    record = {"customer_id": pooled, "way": "call", "content": "谈了价格和交货时间"}
    seller.post("/contact-records", {**record, "plans": False})
    monkeypatch.setattr(POOL, "is_for_all", False)
    for path, body in (("/contact-records", record), ("/appointments", {"customer_id": pooled})):
        told = refused(seller.call("POST", path, body), 403, "pool_is_closed")
        assert "Apply for the lock" in told["detail"]
