"""An instance on paper and its package, by the interface."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
from docx import Document

from engine.db import Sessions
from processes.document import jobs
from tests.webapp.callers import EMPLOYEE, OTHER, SUPERIOR, House, good, refused, request_of


def test_an_instance_as_word_and_as_html(people: House, started: dict[str, Any]) -> None:
    employee, path = people(EMPLOYEE), f"/process-instances/{started['id']}/print"
    as_word = employee.call("GET", path)
    assert as_word.mimetype.endswith("wordprocessingml.document")
    assert as_word.headers["Content-Disposition"].endswith(f"%20{started['id']}.docx")
    assert any(
        "壹万贰仟叁佰肆拾伍元陆角整" in c.text
        for t in Document(io.BytesIO(as_word.data)).tables
        for r in t.rows
        for c in r.cells
    )
    page = employee.call("GET", f"{path}?format=html")
    assert page.mimetype == "text/html"
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert "壹万贰仟叁佰肆拾伍元陆角整" in page.text
    assert "<script" not in page.text
    refused(people(OTHER).call("GET", path), 404)
    refused(employee.call("GET", f"{path}?format=pdf"), 422)
    refused(employee.call("GET", "/process-instances/999999/print"), 404)


def test_the_package_of_an_ended_instance(people: House) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    instance = employee.post("/process-definitions/expense_request/start", request_of("12.00"))
    path = f"/process-instances/{instance['id']}/package"
    refused(employee.call("GET", path), 404)
    good(superior.act(superior.inbox()[0], "approve"))
    refused(employee.call("GET", path), 404)
    assert jobs.file_packages() == 1
    Sessions.remove()
    given = employee.call("GET", path)
    assert given.mimetype == "application/zip"
    assert int(given.headers["Content-Length"]) == len(given.data)
    with zipfile.ZipFile(io.BytesIO(given.data)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        for part in manifest["parts"]:
            assert hashlib.sha256(archive.read(part["name"])).hexdigest() == part["sha256"]
    assert manifest["record"]["id"] == instance["id"]
    refused(people(OTHER).call("GET", path), 404)


def test_a_package_is_whole_or_refused(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    instance = employee.post("/process-definitions/expense_request/start", request_of("12.00"))
    good(superior.act(superior.inbox()[0], "approve"))
    jobs.file_packages()
    Sessions.remove()
    monkeypatch.setattr("engine.work_items.hidden_fields", lambda *_args: {"lines"})
    problem = refused(superior.call("GET", f"/process-instances/{instance['id']}/package"), 403)
    assert "hidden from you" in problem["detail"]
