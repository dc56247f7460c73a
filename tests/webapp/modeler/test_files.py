"""Forms and decision tables beside the diagram: written, checked and given rights without files on disk."""

from __future__ import annotations

import io
import json
import re

import pytest

from tests.webapp.modeler.conftest import Designer

KEY = "expense_request"
FORM = "expense_request.form.json"
NEW = "time_off"


def text_of(designer: Designer, file: str, key: str = KEY) -> str:
    page = designer.browser.get(f"/designer/{key}/files?file={file}").text
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    return found[1].replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def save(designer: Designer, file: str, text: str, token: str = "1.0", key: str = KEY) -> int:
    return designer.browser.post(f"/designer/{key}/files", {"file": file, "text": text, "token": token}).status_code


def test_a_form_is_changed_as_text_and_deployed_with_the_diagram(designer: Designer) -> None:
    text = text_of(designer, FORM).replace('"revise": {"*": "edit"}', '"revise": {"*": "edit", "remark": "required"}')
    assert save(designer, FORM, text.replace("\n", "\r\n")) == 302
    assert text_of(designer, FORM) == text
    assert designer.deploy(KEY, designer.open(KEY)).get_json()["version"] == 2
    assert '"remark": "required"' in text_of(designer, FORM)


def test_a_draft_may_hold_a_form_that_is_not_finished_and_says_so(designer: Designer) -> None:
    assert save(designer, FORM, '{"title": ') == 302
    page = designer.browser.get(f"/designer/{KEY}/files?file={FORM}").text
    assert "yl-dz-error" in page
    problems = designer.deploy(KEY, designer.open(KEY)).get_json()["problems"]
    assert any(FORM in one["message"] for one in problems)


def test_what_was_typed_over_a_newer_draft_is_kept_on_the_page(designer: Designer, second: Designer) -> None:
    assert save(second, FORM, text_of(second, FORM) + "\n") == 302
    answer = designer.browser.post(f"/designer/{KEY}/files", {"file": FORM, "text": '{"mine": true}', "token": "1.0"})
    assert answer.status_code == 412
    assert "吴婷" in answer.text
    assert "mine" in answer.text
    assert 'name="token" value="1.0"' in answer.text
    assert "mine" not in text_of(second, FORM)


def test_the_check_names_rights_for_every_step_that_shows_the_form(designer: Designer) -> None:
    form = json.loads(text_of(designer, FORM))
    form["steps"]["approve_superior"] = {"total": "hide"}
    data = {"file": FORM, "text": json.dumps(form)}
    fragment = designer.browser.post(f"/designer/{KEY}/files/check", data, partial=True).text
    steps = set(re.findall(r'data-yl-step="(\w+)"', fragment))
    assert {"revise", "approve_superior", "approve_finance", "approve_general_manager"} <= steps
    chosen = re.search(r'data-yl-step="approve_superior" data-yl-field="total".*?</select>', fragment, re.DOTALL)
    assert chosen is not None
    assert 'value="hide" selected' in chosen[0]
    assert "hide" not in text_of(designer, FORM), "a check keeps nothing"


def test_a_right_on_a_field_that_is_not_there_is_found(designer: Designer) -> None:
    form = json.loads(text_of(designer, FORM))
    form["steps"]["revise"] = {"no_such": "edit"}
    data = {"file": FORM, "text": json.dumps(form)}
    fragment = designer.browser.post(f"/designer/{KEY}/files/check", data, partial=True).text
    assert "steps.revise.no_such" in fragment


@pytest.mark.parametrize(("kind", "file"), [("form", "extra.form.json"), ("table", "extra.dmn")])
def test_a_new_file_can_be_deployed_as_it_is(designer: Designer, kind: str, file: str) -> None:
    designer.new(NEW, "请假")
    answer = designer.browser.post(f"/designer/{NEW}/files/add", {"kind": kind, "name": "extra", "token": "0.1"})
    assert answer.status_code == 302
    assert "yl-dz-error" not in designer.browser.get(answer.location).text
    xml = designer.open(NEW)
    assert designer.lint(NEW, xml) == []
    assert designer.deploy(NEW, xml).status_code == 200
    assert text_of(designer, file, NEW)


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "form", "name": "Bad Name"},
        {"kind": "form", "name": "../up"},
        {"kind": "form", "name": KEY},
        {"kind": "upload"},
        {"kind": "table", "name": "fine", "token": "9.9"},
    ],
)
def test_a_file_that_cannot_be_added_is_refused_on_the_page(designer: Designer, data: dict[str, str]) -> None:
    answer = designer.browser.post(f"/designer/{KEY}/files/add", {"token": "1.0", **data})
    assert answer.status_code in (412, 422)
    assert 'class="yl-dz-banner' in answer.text
    assert designer.open(KEY)
    assert designer.revision == '"1.0"'


def test_an_uploaded_table_replaces_the_one_of_its_name_in_the_draft(designer: Designer) -> None:
    table = text_of(designer, "expense_limits.dmn").replace("1000.00", "2000.00")
    data = {"kind": "upload", "token": "1.0", "files": (io.BytesIO(table.encode()), "expense_limits.dmn")}
    answer = designer.browser.post(f"/designer/{KEY}/files/add", data, content_type="multipart/form-data")
    assert answer.status_code == 302
    assert "2000.00" in text_of(designer, "expense_limits.dmn")


def test_files_can_be_removed_but_not_the_diagram_itself(designer: Designer) -> None:
    def remove(file: str, token: str) -> int:
        return designer.browser.post(f"/designer/{KEY}/files/remove", {"file": file, "token": token}).status_code

    assert remove(f"{KEY}.bpmn", "1.0") == 422
    assert remove("no_such.dmn", "1.0") == 404
    assert remove("expense_limits.dmn", "1.0") == 302
    assert {one["rule"] for one in designer.lint(KEY, designer.open(KEY))} == {"decision"}
