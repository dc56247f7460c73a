"""Word through the interface: templates, documents, comparing, and everything hostile refused in words."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from connectors.word import printing
from engine import delivering, outbox
from engine.db import Sessions
from tests.connectors.word_files import changed, docx, texts
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, SUPERIOR, Caller, House, good, refused, request_of
from webapp.wires import Office, WordHandler

TEMPLATE = docx("甲方：{{ 甲方.名称 }}，价款{{ 价款|capitals }}")
DATA = {"甲方": {"名称": "A&B <C>"}, "价款": {"amount": "6007.14", "currency": "CNY"}}


def upload(caller: Caller, content: bytes = TEMPLATE, query: str = "code=sale&title=买卖合同") -> TestResponse:
    data = {"file": (io.BytesIO(content), "买卖合同.docx")}
    return caller.call("POST", f"/connectors/word/templates?{query}", data=data)


def send(caller: Caller, content: bytes, name: str = "a.docx") -> int:
    return good(caller.call("POST", "/attachments", data={"file": (io.BytesIO(content), name)}))["id"]


def fetch(caller: Caller, link: str) -> bytes:
    return caller.call("GET", link.removeprefix("/api/v1")).data


@pytest.fixture
def printer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "pdf", lambda _docx: printing.Printed(b"%PDF-1.7 paper", 2))
    monkeypatch.setitem(outbox.HANDLERS, "word", WordHandler(Office()))


def deliver() -> None:
    delivering.deliver_outbox()
    Sessions.remove()


def test_a_document_from_upload_to_pdf(people: House, printer: None) -> None:
    admin, clerk, other = people(ADMIN), people(EMPLOYEE), people(OTHER)
    template = good(upload(admin))
    assert (template["code"], template["version"], [one["name"] for one in template["fields"]]) == (
        "sale", 1, ["甲方", "价款"],
    )  # fmt: skip
    assert [one["code"] for one in clerk.get("/connectors/word/templates")["items"]] == ["sale"]
    body = {"template": "sale", "data": DATA, "name": "买卖合同-明远"}
    answer = clerk.call("POST", "/connectors/word/documents", body, key="wish-1")
    made = good(answer)
    assert answer.headers["Location"] == f"/api/v1/connectors/word/documents/{made['id']}"
    assert (made["state"], made["links"]["pdf"], made["template_version"]) == ("queued", None, 1)
    assert texts(fetch(clerk, made["links"]["docx"])) == ["甲方：A&B <C>，价款陆仟零柒元壹角肆分"]
    assert good(clerk.call("POST", "/connectors/word/documents", body, key="wish-1"))["id"] == made["id"]
    deliver()
    done = clerk.get(f"/connectors/word/documents/{made['id']}")
    assert (done["state"], done["pages"], done["reason"]) == ("sent", 2, "")
    assert fetch(clerk, done["links"]["pdf"]) == b"%PDF-1.7 paper"
    refused(other.call("GET", f"/connectors/word/documents/{made['id']}"), 404)
    refused(other.call("GET", done["links"]["docx"].removeprefix("/api/v1")), 404)
    refused(clerk.call("POST", f"/connectors/word/documents/{made['id']}/actions/print", {}), 422, "nothing_to_print")


@pytest.mark.databases("sqlite")
def test_wrong_values_and_wrong_templates_are_all_named(people: House) -> None:
    admin, clerk = people(ADMIN), people(EMPLOYEE)
    good(upload(admin))
    wrong = {"template": "sale", "data": {"甲方": {}, "价款": "viel"}}
    problem = refused(clerk.call("POST", "/connectors/word/documents", wrong), 422)
    assert {one["field"] for one in problem["errors"]} == {"data.甲方.名称", "data.价款"}
    unknown = {"template": "none", "data": {}, "record": {"type": "no.such", "id": 1}}
    refused(clerk.call("POST", "/connectors/word/documents", unknown), 422)
    bad = refused(
        upload(admin, docx("第一条 {{ ''.__class__.__mro__ }}", "第二条 {% for a in b %}")), 422, "bad_template"
    )
    assert [one["field"].partition(": ")[2][:3] for one in bad["errors"]] == ["第一条", "第一条", "第二条"]
    refused(upload(clerk), 403)
    refused(upload(admin, query="code=A B"), 422)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    "content",
    [
        "只是文字".encode(),
        changed(TEMPLATE, {"word/vbaProject.bin": b"x"}),
        changed(TEMPLATE, {"word/media/bomb.bin": b"\0" * 5_000_000}),
        b"PK\x03\x04" + b"\0" * 30,
    ],
)
def test_hostile_files_are_refused_in_words(people: House, content: bytes) -> None:
    problem = refused(upload(people(ADMIN), content), 422, "file_refused")
    assert len(problem["errors"]) == 1
    if content.startswith(b"PK"):
        caller = people(EMPLOYEE)
        file = send(caller, content)
        refused(caller.call("GET", f"/connectors/word/revisions/{file}"), 422, "file_refused")


def test_files_are_compared_and_their_changes_settled(people: House) -> None:
    clerk, other = people(EMPLOYEE), people(OTHER)
    old, new = send(clerk, docx("十日内付款")), send(clerk, docx("三十日内付款"))
    refused(other.call("POST", "/connectors/word/compare", {"old": old, "new": new}), 422)
    redlined = clerk.post("/connectors/word/compare", {"old": old, "new": new})
    ((change),) = (redlined["revisions"],)
    assert [(one["kind"], one["text"], one["part"]) for one in change] == [("insertion", "三", "body")]
    path = f"/connectors/word/revisions/{redlined['file']['id']}"
    refused(other.call("GET", path), 404)
    assert clerk.get(path) == redlined
    accepted = clerk.post(f"{path}/actions/accept", {"ids": [change[0]["id"]]})
    assert accepted["revisions"] == []
    assert texts(fetch(clerk, accepted["file"]["url"])) == ["三十日内付款"]
    rejected = clerk.post(f"{path}/actions/reject", {})
    assert texts(fetch(clerk, rejected["file"]["url"])) == ["十日内付款"]
    refused(clerk.call("POST", f"{path}/actions/accept", {"ids": ["document:99"]}), 422, "file_refused")
    refused(clerk.call("POST", f"{path}/actions/burn", {}), 404)


@pytest.mark.databases("sqlite")
def test_a_process_is_put_on_paper_for_whoever_asks_alone(people: House, printer: None) -> None:
    clerk, superior, other = people(EMPLOYEE), people(SUPERIOR), people(OTHER)
    started = clerk.post("/process-definitions/expense_request/start", request_of("1.00"))
    path = f"/process-instances/{started['id']}/actions/print"
    refused(other.call("POST", path, {}), 404)
    made = superior.post(path)
    deliver()
    done = superior.get(f"/connectors/word/documents/{made['id']}")
    assert (done["state"], done["template"], done["record"]) == (
        "sent", None, {"type": "process.instance", "id": started["id"]},
    )  # fmt: skip
    assert fetch(superior, done["links"]["pdf"]).startswith(b"%PDF")
    refused(clerk.call("GET", f"/connectors/word/documents/{made['id']}"), 404)


@pytest.mark.databases("sqlite")
def test_the_connector_says_what_it_takes(people: House) -> None:
    offered: dict[str, Any] = {one["name"]: one for one in people(EMPLOYEE).get("/connectors")["items"]}
    (operation,) = offered["word"]["operations"]
    assert (operation["name"], operation["path"]) == ("make_document", "/api/v1/connectors/word/documents")
