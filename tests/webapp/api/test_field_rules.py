"""Rules on sensitive fields through the interface: kept, changed, removed; the next request obeys; who may."""

from __future__ import annotations

from typing import get_args

import pytest
from sqlalchemy import select

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import RecordAudit
from processes.party import operations, permissions
from processes.party.rules.sight import EXTENTS, FIELDS, SEES
from tests.webapp.callers import ADMIN, EMPLOYEE, MANAGER, SUPERIOR, House, refused
from webapp.api import field_rules

pytestmark = pytest.mark.databases("sqlite")

RULES = "/field-rules"


def test_the_words_of_the_interface_are_those_of_the_rules() -> None:
    for literal, known in ((field_rules.Field, FIELDS), (field_rules.Extent, EXTENTS), (field_rules.Sees, SEES)):
        assert get_args(literal) == tuple(known)


def test_a_rule_is_kept_obeyed_changed_and_removed(people: House) -> None:
    seller, admin = people(EMPLOYEE), people(ADMIN)
    with transaction() as session:
        values = {"name": "瑶光器具", "phone": "13855501234"}
        customer = operations.create_customer(session, SYSTEM, values=values)
        customer.owner_id, customer.state = seller.person_id, "locked"
        key = customer.id
    Sessions.remove()

    def seen() -> tuple[str | None, list[str], list[str]]:
        got = seller.get(f"/customers/{key}")
        return got["phone"], got["masked"], got["hidden"]

    assert seen() == ("+8613855501234", [], [])
    body = {"field": "customer.phone", "person": seller.person_id, "sees": "masked"}
    made = admin.post(RULES, body)
    assert (made["person"]["name"], made["extent"], made["reveals"]) == ("王磊", "everywhere", False)
    assert seen() == ("138****1234", ["phone"], [])
    refused(admin.call("POST", RULES, body), 422, "rule_exists")
    path = f"{RULES}/{made['id']}"
    changed = admin.call("PATCH", path, {"version": made["version"], "sees": "hidden"}).get_json()
    assert (changed["sees"], changed["field"], changed["version"]) == ("hidden", "customer.phone", made["version"] + 1)
    assert seen() == (None, [], ["phone"])
    refused(admin.call("PATCH", path, {"version": made["version"], "sees": "visible"}), 409)
    listed = admin.get(f"{RULES}?person={seller.person_id}&count=true")
    assert ([one["id"] for one in listed["items"]], listed["total"]) == ([made["id"]], 1)
    assert admin.get(f"{RULES}?sees=masked")["items"] == []
    assert admin.get(path)["id"] == made["id"]
    assert admin.call("DELETE", path).status_code == 204
    refused(admin.call("GET", path), 404)
    assert seen() == ("+8613855501234", [], [])
    with transaction() as session:
        noted = select(RecordAudit.action).where(RecordAudit.record_type == permissions.FIELD_RULE)
        assert list(session.scalars(noted.order_by(RecordAudit.seq))) == ["created", "changed", "removed"]


def test_a_rule_that_speaks_to_nobody_or_to_two_is_refused(people: House) -> None:
    admin = people(ADMIN)
    of_role = {"field": "contact.email", "role": "Sales", "sees": "hidden"}
    for wrong, where in (
        ({"role": None}, "person"),
        ({"person": people(EMPLOYEE).person_id}, "person"),
        ({"role": "Nobody"}, "role"),
        ({"narrows": True}, "narrows"),
        ({"sees": "half"}, "sees"),
        ({"field": "customer.name"}, "field"),
    ):
        problem = refused(admin.call("POST", RULES, {**of_role, **wrong}), 422)
        assert where in [error["field"].rpartition("/")[2] for error in problem["errors"]], (wrong, problem)


CALLS = (("GET", RULES), ("GET", "{rule}"), ("PATCH", "{rule}"), ("POST", RULES), ("DELETE", "{rule}"))


def test_nobody_gives_himself_a_wider_sight(people: House) -> None:
    made = people(ADMIN).post(RULES, {"field": "customer.phone", "role": "Sales", "sees": "masked"})
    bodies = {
        "PATCH": {"version": made["version"], "sees": "visible"},
        "POST": {"field": "customer.phone", "person": people(EMPLOYEE).person_id, "sees": "visible"},
    }
    for method, address in CALLS:
        for who in (EMPLOYEE, SUPERIOR, MANAGER):
            url = address.format(rule=f"{RULES}/{made['id']}")
            assert people(who).call(method, url, bodies.get(method)).status_code == 403, (who, method)
    assert people(ADMIN).get(f"{RULES}/{made['id']}")["sees"] == "masked"
