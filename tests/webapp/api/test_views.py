"""Views of lists through the interface."""

from __future__ import annotations

import pytest

from engine.db import Sessions, transaction
from processes.views.models import SavedView
from tests.webapp.callers import EMPLOYEE, FINANCE, House, good, refused

pytestmark = [pytest.mark.usefixtures("clock"), pytest.mark.databases("sqlite")]


def test_a_view_is_kept_changed_by_version_and_given_up(people: House) -> None:
    seller = people(EMPLOYEE)
    question = {"view": "mine", "filters": [{"column": "level", "how": "is", "value": "A"}], "order": "-name"}
    body = {"register": "party.customer", "name": "我的A类", "question": question, "is_pinned": True}
    made = good(seller.call("POST", "/views", body, key="one"))
    assert good(seller.call("POST", "/views", body, key="one"))["id"] == made["id"]
    refused(seller.call("POST", "/views", body), 422, "invalid_form")
    assert (made["audience"], made["is_pinned"], made["is_default"], made["lost"]) == ("private", True, False, [])
    assert made["question"]["filters"] == question["filters"]
    refused(seller.call("POST", "/views", {**body, "name": "b", "audience": "everybody"}), 403)
    listed = seller.get("/views?register=party.customer&count=true")
    assert ([one["id"] for one in listed["items"]], listed["total"]) == ([made["id"]], 1)
    change = {"version": made["version"], "name": "重点客户", "is_default": True}
    changed = good(seller.call("PATCH", f"/views/{made['id']}", change))
    assert (changed["name"], changed["is_default"]) == ("重点客户", True)
    refused(seller.call("PATCH", f"/views/{made['id']}", change), 409, "conflict")
    refused(seller.call("DELETE", f"/views/{made['id']}?version={made['version']}"), 409, "conflict")
    refused(people(FINANCE).call("GET", f"/views/{made['id']}"), 404)
    refused(people(FINANCE).call("GET", "/views?register=party.customer"), 404)
    assert seller.call("DELETE", f"/views/{made['id']}?version={changed['version']}").status_code == 204
    refused(seller.call("GET", f"/views/{made['id']}"), 404)


def test_what_a_list_cannot_be_asked_is_refused_and_what_it_cannot_any_more_is_named(people: House) -> None:
    seller = people(EMPLOYEE)
    wrong = {
        "view": "nonsense",
        "filters": [
            {"column": "shoe_size", "how": "is", "value": "43"},
            {"column": "level", "how": "is", "value": "Z"},
        ],
        "order": "phone",
        "columns": ["name", "shoe_size"],
    }
    answer = seller.call("POST", "/views", {"register": "party.customer", "name": "x", "question": wrong})
    told = refused(answer, 422, "invalid_form")
    assert {one["field"] for one in told["errors"]} == {"filters.0", "filters.1", "columns.1", "order", "view"}
    made = seller.post("/views", {"register": "party.customer", "name": "x", "question": {"columns": ["name", "city"]}})
    with transaction() as session:
        session.get_one(SavedView, made["id"]).question = {"filters": [["level", "is", "A"], ["gone", "is", "1"]]}
    Sessions.remove()
    assert len(seller.get(f"/views/{made['id']}")["lost"]) == 1
