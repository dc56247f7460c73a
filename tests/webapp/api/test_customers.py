"""Customers and contacts through the interface: made once, changed by version, found, closed."""

from __future__ import annotations

import pytest

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.party import operations
from processes.party.models import Customer
from tests.webapp.callers import EMPLOYEE, FINANCE, Caller, House, good, refused

pytestmark = pytest.mark.usefixtures("clock")


def owned(caller: Caller, name: str, **more: str) -> int:
    with transaction() as session:
        made = operations.create_customer(session, SYSTEM, values={"name": name, "phone": "13800138000", **more})
        made.owner_id, made.state = caller.person_id, "locked"
        key = made.id
    Sessions.remove()
    return key


def test_a_customer_is_made_once_found_changed_and_closed(people: House) -> None:
    seller = people(EMPLOYEE)
    body = {"name": "云启智联科技有限公司", "level": "A", "phone": "021-5555 0001", "city": "上海"}
    made = good(seller.call("POST", "/customers", body, key="one"))
    assert good(seller.call("POST", "/customers", body, key="one"))["id"] == made["id"]
    refused(seller.call("POST", "/customers", body), 422, "invalid_form")
    assert (made["kind"], made["level"]) == ("organization", "A")
    key = owned(seller, "鹏讯电子")
    for text in ("鹏讯", "pxdz", "pengxun", "8000"):
        found = seller.get(f"/customers?q={text}&count=true&state=locked")
        assert ([one["id"] for one in found["items"]], found["total"]) == ([key], 1), text
    assert seller.get("/customers?view=mine&order=name")["items"][0]["masked"] == []
    refused(seller.call("GET", "/customers?order=phone"), 422)
    one = seller.get(f"/customers/{key}")
    change = {"version": one["version"], "level": "B", "phone": None, "note": "两行\n字"}
    changed = good(seller.call("PATCH", f"/customers/{key}", change))
    assert (changed["level"], changed["phone"], changed["note"], changed["city"]) == ("B", None, "两行\n字", "")
    refused(seller.call("PATCH", f"/customers/{key}", change), 409, "conflict")
    refused(seller.call("PATCH", f"/customers/{key}", {"version": changed["version"], "kind": "person"}), 422)
    close = f"/customers/{key}/actions/close"
    refused(seller.call("POST", close, {}), 422)
    refused(seller.call("POST", close, {"version": one["version"]}), 409, "conflict")
    assert good(seller.call("POST", close, {"version": changed["version"]}))["state"] == "closed"
    refused(people(FINANCE).call("GET", "/customers"), 403)
    refused(people(FINANCE).call("GET", f"/customers/{key}"), 403)


def test_customers_are_asked_by_how_often_and_through_how_many_people_they_are_spoken_to(people: House) -> None:
    seller = people(EMPLOYEE)
    often, never = owned(seller, "常联系"), owned(seller, "没联系", duplicate_reason="x")
    seller.post("/contacts", {"name": "陈平", "customer_id": often})
    with transaction() as session:
        session.get_one(Customer, often).contacts_made = 4
    Sessions.remove()
    for asked, found in (
        ("contacts_made_from=4", [often]),
        ("contacts_made_to=0", [never]),
        ("people_from=1&people_to=1", [often]),
        ("people_to=0", [never]),
        ("order=-contacts_made", [often, never]),
    ):
        assert [one["id"] for one in seller.get(f"/customers?view=mine&{asked}")["items"]] == found, asked
    refused(seller.call("GET", "/customers?people_from=-1"), 422)


def test_contacts_of_a_customer(people: House) -> None:
    seller = people(EMPLOYEE)
    key = owned(seller, "云启智联")
    body = {"name": "陈平", "customer_id": key, "role": "decides", "phone": "13900139001", "is_main": True}
    made = good(seller.call("POST", "/contacts", body, key="two"))
    assert (made["customer_id"], made["employer"], made["phone"]) == (key, "云启智联", "+8613900139001")
    outside = seller.post("/contacts", {"name": "林一", "employer": "别处"})
    assert outside["customer_id"] is None
    assert [one["id"] for one in seller.get(f"/contacts?customer_id={key}")["items"]] == [made["id"]]
    assert [one["id"] for one in seller.get("/contacts?view=key_people")["items"]] == [made["id"]]
    assert [one["id"] for one in seller.get("/contacts?q=yunqi")["items"]] == [made["id"]]
    changed = good(seller.call("PATCH", f"/contacts/{made['id']}", {"version": made["version"], "title": "总经理"}))
    assert changed["title"] == "总经理"
    leave = f"/contacts/{made['id']}/actions/leave"
    refused(seller.call("POST", leave, {"version": made["version"]}), 409, "conflict")
    assert good(seller.call("POST", leave, {"version": changed["version"]}))["state"] == "left"
    with transaction() as session:
        session.get_one(Customer, key).owner_id = None
    Sessions.remove()
    seen = seller.get(f"/contacts/{made['id']}")
    assert (seen["phone"], seen["masked"]) == ("139****9001", ["phone"])


def test_a_merged_customer_leads_to_the_one_it_became(people: House) -> None:
    seller = people(EMPLOYEE)
    kept, gone = owned(seller, "云启智联"), owned(seller, "云启智联上海", duplicate_reason="x")
    with transaction() as session:
        operations.merge(session, SYSTEM, kept_id=kept, gone_id=gone, owner="kept", reason="同一家")
    Sessions.remove()
    told = refused(seller.call("GET", f"/customers/{gone}"), 308, "merged")
    assert told["errors"][0]["field"] == "customer_id"
    assert str(kept) in told["detail"]
    assert seller.call("GET", f"/customers/{gone}").headers["Location"] == f"/api/v1/customers/{kept}"
    refused(people(FINANCE).call("GET", f"/customers/{gone}"), 403)
