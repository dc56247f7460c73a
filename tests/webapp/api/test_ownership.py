"""Whose customers are, through the interface: locked, refused, handed over, watched, shared; a repeat is done once."""

from __future__ import annotations

from typing import Any

import pytest

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.party import operations as party
from tests.webapp.callers import EMPLOYEE, SUPERIOR, House, refused

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def pooled(app: Any) -> int:
    with transaction() as session:
        made = party.create_customer(session, SYSTEM, values={"name": "晨光教育"}).id
    Sessions.remove()
    return made


def test_from_the_pool_to_a_seller_and_back(people: House, pooled: int) -> None:
    seller, superior = people(EMPLOYEE), people(SUPERIOR)
    assert pooled in [one["id"] for one in seller.get("/customers/pool?count=true")["items"]]
    refused(seller.call("POST", f"/customers/{pooled}/actions/lock", {}), 403)
    sent = seller.post(f"/customers/{pooled}/actions/apply", {"reason": "想跟进"}, key="a1")
    assert seller.post(f"/customers/{pooled}/actions/apply", {"reason": "想跟进"}, key="a1") == sent
    refused(seller.call("POST", f"/customers/{pooled}/actions/apply", {"reason": "再来"}), 422, "applied_already")
    usage = seller.get("/customers/lock-usage")
    assert usage["pending"] == 1
    given = superior.post(f"/customers/{pooled}/actions/assign", {"to": seller.person_id, "reason": "归你"})
    assert (given["kind"], given["count"]) == ("assigned", 1)
    detail = seller.get(f"/customers/{pooled}/ownership")
    assert (detail["state"], detail["owner"]["id"]) == ("locked", seller.person_id)
    assert {one["action"] for one in detail["actions"]} == {"release"}
    refused(superior.call("POST", f"/customers/{pooled}/actions/assign", {"to": superior.person_id}), 409)
    assert seller.post(f"/customers/{pooled}/actions/focus", {"note": "月底"})["in_focus"] is True
    assert [one["note"] for one in seller.get("/customers/focus")["items"]] == ["月底"]
    refused(seller.call("POST", f"/customers/{pooled}/actions/release", {}), 422)
    back = seller.post(f"/customers/{pooled}/actions/release", {"reason": "没有需求"})
    assert (back["state"], back["history"][0]["ended_reason"]) == ("open", "没有需求")
    refused(seller.call("POST", f"/customers/{pooled}/actions/apply", {"reason": "后悔"}), 422, "cooling_down")


def test_handed_over_with_a_preview_and_taken_back(people: House, pooled: int) -> None:
    seller, superior = people(EMPLOYEE), people(SUPERIOR)
    body = {"customers": [pooled], "to": seller.person_id}
    plan = superior.post("/customers/actions/preview-handover", body)
    assert (plan["customers"], plan["refusal"]) == (1, "")
    batch = superior.post("/customers/actions/handover", body, key="h1")
    assert superior.post("/customers/actions/handover", body, key="h1")["id"] == batch["id"]
    shared = seller.post(f"/customers/{pooled}/actions/share", {"person": superior.person_id, "level": "work"})
    share = shared["items"][0]
    assert [one["id"] for one in superior.get("/customers/shared")["items"]] == [share["id"]]
    assert seller.call("POST", f"/customer-shares/{share['id']}/actions/revoke", {}).status_code == 204
    assert seller.get(f"/customers/{pooled}/shares")["items"] == []
    watched = superior.post(f"/customers/{pooled}/actions/watch", {"note": "看着"})
    assert watched["watched"] is True
    assert superior.get("/customers/watched")["items"][0]["customer_id"] == pooled
    assert superior.post(f"/customers/{pooled}/actions/unwatch")["watched"] is False
    assert superior.post(f"/handovers/{batch['id']}/actions/undo") == {"count": 1}
    refused(superior.call("POST", f"/handovers/{batch['id']}/actions/undo", {}), 409)
    refused(seller.call("POST", f"/handovers/{batch['id']}/actions/undo", {}), 404)
