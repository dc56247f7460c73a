"""Files that people bring along: a draft when they are what they say, else refused before anything is read of them."""

from __future__ import annotations

import time

import pytest

from tests.webapp.modeler.conftest import Designer

HEAD = '<?xml version="1.0"?>'
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"


def process(key: str) -> str:
    return f'<definitions xmlns="{BPMN}"><process id="{key}" name="From elsewhere" isExecutable="true"/></definitions>'


def test_an_imported_process_is_a_draft_and_deployed_by_nobody(designer: Designer) -> None:
    answer = designer.import_files({"elsewhere.bpmn20.xml": process("elsewhere"), "a.form.json": "{}"})
    assert answer.status_code == 302
    assert answer.location == "/designer/elsewhere"
    assert 'id="elsewhere"' in designer.open("elsewhere")
    assert designer.revision == '"0.1"'
    page = designer.browser.get("/designer/elsewhere").text
    assert "From elsewhere" in page
    assert designer.browser.get("/designer/elsewhere/versions/1").status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("external.bpmn", f'{HEAD}<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'),
        ("bomb.bpmn", f'{HEAD}<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><d>&b;</d>'),
        ("deep.bpmn", "<a>" * 500 + "</a>" * 500),
        ("crowded.bpmn", "<a>" + "<b/>" * 60_001 + "</a>"),
        ("broken.bpmn", "<a><b></a>"),
        ("binary.bpmn", b"\xff\xfe\x00\x01"),
        ("page.html", "<script>alert(1)</script>"),
        ("empty.bpmn", f'<definitions xmlns="{BPMN}"/>'),
        ("spaced.bpmn", process("not a key")),
        ("only.dmn", "<definitions/>"),
    ],
)
def test_hostile_and_useless_files_are_refused_at_once(designer: Designer, name: str, content: str | bytes) -> None:
    began = time.monotonic()
    answer = designer.import_files({name: content})
    assert answer.status_code == 422
    assert time.monotonic() - began < 2
    assert 'role="alert"' in answer.text
    assert "root:" not in answer.text
    assert "<script>alert(1)" not in answer.text


def test_a_file_name_cannot_lead_out_of_its_folder(designer: Designer) -> None:
    designer.import_files({"..\\..\\etc/elsewhere.bpmn": process("elsewhere")})
    assert ">elsewhere.bpmn<" in designer.browser.get("/designer/elsewhere/files").text


def test_nobodys_draft_is_replaced_by_an_import(designer: Designer, second: Designer) -> None:
    designer.import_files({"elsewhere.bpmn": process("elsewhere")})
    refused = second.import_files({"elsewhere.bpmn": process("elsewhere").replace("From", "Back from")})
    assert refused.status_code == 422
    assert "郑凯 has a draft" in refused.text
    assert "From elsewhere" in designer.open("elsewhere")


def test_importing_over_a_deployed_process_drafts_its_next_version(designer: Designer) -> None:
    assert designer.import_files({"new.bpmn": process("expense_request")}).status_code == 302
    designer.open("expense_request")
    assert designer.revision == '"1.1"'
