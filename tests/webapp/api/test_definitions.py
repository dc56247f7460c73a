"""Definitions through the interface: known, deployed, previewed, started, drafted, checked."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.webapp.api.drawings import BROKEN, POOL, WAITS_FOR_MESSAGE
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, Caller, House, good, refused, request_of


def deploy(caller: Caller, files: dict[str, str | bytes], key: str | None = None) -> TestResponse:
    parts = [
        (io.BytesIO(text.encode() if isinstance(text, str) else text), name, "application/octet-stream")
        for name, text in files.items()
    ]
    return caller.call("POST", "/process-definitions", data={"files": parts}, key=key)


# ------------------------------------------------------------------------------------------------- reading


def test_people_see_what_they_may_start(people: House) -> None:
    page = people(EMPLOYEE).get("/process-definitions?count=true")
    (line,) = [one for one in page["items"] if one["key"] == "expense_request"]
    assert (line["key"], line["name"], line["version"], line["startable"]) == ("expense_request", "费用申请", 1, True)
    assert page["total"] == len(page["items"]) == 5
    assert people(EMPLOYEE).get("/process-definitions?q=费用")["items"] == [line]
    assert people(EMPLOYEE).get("/process-definitions?q=nothing")["items"] == []
    assert people(EMPLOYEE).get("/process-definitions?page=2")["items"] == []


def test_a_definition_shows_its_form_and_versions(people: House) -> None:
    seen = people(EMPLOYEE).get("/process-definitions/expense_request")
    fields = {field["id"]: field for field in seen["form"]["fields"]}
    assert fields["lines"]["right"] == "edit"
    assert fields["title"]["required"] is True
    (category,) = (c for c in fields["lines"]["columns"] if c["id"] == "category")
    assert "travel" in {option["value"] for option in category["options"]}
    assert [version["state"] for version in seen["versions"]] == ["active"]
    assert "expense_limits.dmn" in seen["files"]
    refused(people(EMPLOYEE).call("GET", "/process-definitions/nothing"), 404)


def test_the_diagram_is_given_out_but_never_rendered(people: House) -> None:
    answer = people(EMPLOYEE).call("GET", "/process-definitions/expense_request/xml?version=1")
    assert answer.status_code == 200
    assert answer.mimetype == "application/xml"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"<bpmn:process" in answer.data
    refused(people(EMPLOYEE).call("GET", "/process-definitions/expense_request/xml?version=7"), 404)


# ------------------------------------------------------------------------------------------------- deploying


def test_a_new_version_is_taken_by_new_starts_only(people: House) -> None:
    admin, employee = people(ADMIN), people(EMPLOYEE)
    answer = deploy(admin, {"waits.bpmn": WAITS_FOR_MESSAGE})
    assert good(answer)["version"] == 1
    assert answer.headers["Location"] == "/api/v1/process-definitions/waits"
    old = employee.post("/process-definitions/waits/start", {})
    assert good(deploy(admin, {"waits.bpmn": WAITS_FOR_MESSAGE}))["version"] == 1, "the same content is no new version"
    changed = WAITS_FOR_MESSAGE.replace('name="waits"', 'name="等待付款"')
    assert good(deploy(admin, {"waits.bpmn": changed}))["version"] == 2
    new = employee.post("/process-definitions/waits/start", {})
    versions = {i["id"]: employee.get(f"/process-instances/{i['id']}")["definition_version"] for i in (old, new)}
    assert versions == {old["id"]: 1, new["id"]: 2}
    assert [v["state"] for v in admin.get("/process-definitions/waits")["versions"]] == ["active", "superseded"]


def test_what_cannot_run_is_refused_with_every_problem(people: House) -> None:
    problem = refused(deploy(people(ADMIN), {"broken.bpmn": BROKEN}), 422, "deployment_refused")
    elements = {error["element"] for error in problem["errors"]}
    assert {"nobody", "java"} <= elements
    assert all(error["message"] and error["rule"] for error in problem["errors"])
    refused(people(ADMIN).call("GET", "/process-definitions/broken"), 404)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + ']><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL">&j;</bpmn:definitions>'
)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"a.bpmn": BOMB}, 422),
        ({"a.bpmn": "<" * 10_000}, 422),
        ({"a.bpmn": "<a>" * 100_000}, 422),
        ({"a.bpmn": ""}, 422),
        ({"a.bpmn": b"\xff\xfe\x00"}, 400),
        ({"a.bpmn": "a\0b"}, 400),
        ({"a.exe": "MZ"}, 400),
        ({"a.dmn": "<x/>"}, 400),
        ({"": WAITS_FOR_MESSAGE}, 400),
        ({"w.bpmn": WAITS_FOR_MESSAGE, "w.form.json": "{"}, 422),
    ],
)
def test_hostile_files_are_refused_at_once(people: House, files: dict[str, str | bytes], status: int) -> None:
    admin = people(ADMIN)
    began = time.monotonic()
    refused(deploy(admin, files), status)
    assert time.monotonic() - began < 2


@pytest.mark.databases("sqlite")
def test_a_deployment_is_bounded(people: House) -> None:
    body = b"x" * (13 * 1024 * 1024)
    refused(people(ADMIN).call("POST", "/process-definitions", data=body, content_type="multipart/form-data"), 413)


def test_only_designers_deploy_draft_and_lint(people: House) -> None:
    employee = people(EMPLOYEE)
    refused(deploy(employee, {"waits.bpmn": WAITS_FOR_MESSAGE}), 403)
    refused(employee.call("POST", "/process-definitions/lint", {"files": {"a.bpmn": "x"}}), 403)
    draft = "/process-definitions/waits/draft"
    refused(employee.call("GET", draft), 403)
    refused(employee.call("PUT", draft, {"name": "x", "files": {}}), 403)
    refused(employee.call("DELETE", draft), 403)


def test_linting_says_what_deploying_would_and_deploys_nothing(people: House) -> None:
    admin = people(ADMIN)
    report = admin.post("/process-definitions/lint", {"files": {"broken.bpmn": BROKEN}})
    assert report["deployable"] is False
    assert {"nobody", "java"} <= {problem["where"] for problem in report["problems"]}
    report = admin.post("/process-definitions/lint", {"files": {"waits.bpmn": WAITS_FOR_MESSAGE}})
    assert report["deployable"] is True
    refused(admin.call("GET", "/process-definitions/waits"), 404)


# ------------------------------------------------------------------------------------------------- drafts


def test_nobody_saves_over_somebody_elses_draft(people: House) -> None:
    admin = people(ADMIN)
    path = "/process-definitions/waits/draft"
    refused(admin.call("GET", path), 404)
    body = {"name": "等待付款", "files": {"waits.bpmn": WAITS_FOR_MESSAGE}}

    def save(etag: str | None) -> TestResponse:
        return admin.call("PUT", path, body, headers={"If-Match": etag} if etag else {})

    first = save(None)
    assert good(first)["revision"] == 1
    etag = first.headers["ETag"]
    second = save(etag)
    assert good(second)["revision"] == 2
    for stale in (etag, None, '"7"', "nonsense"):
        problem = refused(save(stale), 412, "stale")
    assert problem["detail"]
    seen = admin.call("GET", path)
    assert seen.headers["ETag"] == second.headers["ETag"]
    assert good(seen)["files"] == body["files"]
    refused(admin.call("PUT", path, {"name": "x", "files": {"a.txt": "x"}}, headers={"If-Match": '"2"'}), 400)
    refused(admin.call("DELETE", path, headers={"If-Match": etag}), 412)
    assert admin.call("DELETE", path, headers={"If-Match": '"2"'}).status_code == 204
    refused(admin.call("GET", path), 404)


# ------------------------------------------------------------------------------------------------- preview, start


def test_a_preview_names_the_way_and_changes_nothing(people: House) -> None:
    employee = people(EMPLOYEE)

    def way(amount: str) -> list[tuple[str, list[str]]]:
        route = employee.post("/process-definitions/expense_request/preview", request_of(amount))
        return [(step["node"], step["people"]) for step in route["steps"]]

    small, large = way("999.99"), way("10000.00")
    assert small == [("approve_superior", ["周明"])]
    assert large == [
        ("approve_superior", ["周明"]),
        ("approve_department_head", ["林晓燕"]),
        ("approve_finance", ["赵敏", "钱丽"]),
        ("approve_general_manager", ["陈国强"]),
    ]
    assert employee.get("/process-instances")["items"] == []


def test_a_preview_says_which_conditions_held_and_until_when(people: House) -> None:
    route = people(EMPLOYEE).post("/process-definitions/expense_request/preview", request_of("2000.00"))
    superior, head = route["steps"]
    (table,) = superior["choices"]
    assert (table["question"], table["answer"]) == ("费用审批层级", "中额：部门负责人也要审批")
    assert (table["conditions"], table["values"]) == (["合计金额（元） [1000.00..10000.00)"], {"total": "2000.00"})
    (needed,) = head["choices"]
    assert needed == {
        "node": "needs_department_head",
        "question": "需部门负责人？",
        "answer": "需要",
        "conditions": ["limits.department_head"],
        "values": {"limits.department_head": True},
        "otherwise": False,
    }
    assert superior["expected_from"] == "due_date"
    assert superior["expected_at"] < head["expected_at"]
    assert ([one["answer"] for one in route["choices"]], route["ends"]) == (["不需要"], True)


@pytest.mark.parametrize(
    ("variables", "fields"),
    [
        ({}, {"title", "lines"}),
        ({"title": "x", "lines": []}, {"lines"}),
        ({"title": 1, "lines": "x"}, {"title", "lines"}),
        ({"title": "x", "lines": [{"category": "travel", "amount": 12.5}]}, {"lines.0.amount"}),
        ({"title": "x", "lines": [{"category": "travel", "amount": "1.005"}]}, {"lines.0.amount"}),
        ({"title": "x", "lines": [{"category": "travel", "amount": "1"}], "extra": 1}, {"extra"}),
        ({"title": "x", "lines": [{"category": "travel", "amount": "1"}], "attachments": [99]}, {"attachments"}),
    ],
)
def test_a_faulty_request_starts_nothing(people: House, variables: dict[str, Any], fields: set[str]) -> None:
    employee = people(EMPLOYEE)
    for call in ("start", "preview"):
        answer = employee.call("POST", f"/process-definitions/expense_request/{call}", {"variables": variables})
        problem = refused(answer, 422, "invalid_form")
        assert {error["field"] for error in problem["errors"]} == fields
    assert employee.get("/process-instances")["items"] == []


def test_a_process_without_a_form_takes_variables(people: House) -> None:
    admin, employee, other = people(ADMIN), people(EMPLOYEE), people(OTHER)
    good(deploy(admin, {"pool.bpmn": POOL.format(people=other.person_id)}))
    answer = employee.call("POST", "/process-definitions/pool/start", {"variables": {"a": 1}, "business_key": "k-1"})
    assert good(answer)["business_key"] == "k-1"
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/process-instances/{answer.get_json()['id']}"
    (item,) = other.inbox()
    seen = other.get(f"/work-items/{item['item_id']}")
    assert (seen["form"], seen["values"]) == (None, {})
    assert good(other.act(item, "submit", variables={}))["instance"]["state"] == "completed"
    refused(employee.call("POST", "/process-definitions/nothing/start", {}), 404)
