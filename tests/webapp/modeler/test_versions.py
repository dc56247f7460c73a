"""Versions: listed with their authors, compared in words, downloaded, taken up again."""

from __future__ import annotations

import io
import json
import re
import zipfile

from engine import repository
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from tests.webapp.modeler.conftest import Designer
from webapp.modeler import differences, workspace

KEY = "expense_request"
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"


def second_version(designer: Designer) -> str:
    xml = (
        designer.open(KEY)
        .replace('camunda:assignee="superior"', 'camunda:assignee="superior(2)"')
        .replace('name="上级审批"', 'name="上上级审批"')
    )
    assert designer.deploy(KEY, xml).get_json()["version"] == 2
    return xml


def test_versions_are_listed_with_their_author_and_what_runs_on_each(designer: Designer) -> None:
    second_version(designer)
    page = designer.browser.get(f"/designer/{KEY}/versions").text
    newest, first = re.findall(r"<tr data-yl-href.*?</tr>", page, re.DOTALL)
    assert "第 2 版" in newest
    assert "郑凯" in newest
    assert ">0</td>" in newest
    assert "系统" in first
    assert ">5</td>" in first, "the demo's requests go on with the version they began with"


def test_what_changed_between_two_versions_is_said_in_words(designer: Designer) -> None:
    second_version(designer)
    page = designer.browser.get(f"/designer/{KEY}/compare?_l_=en").text
    assert "<del>The starter&#39;s superior</del>" in page
    assert "<ins>The starter&#39;s superior (2)</ins>" in page
    assert "<ins>上上级审批</ins>" in page
    assert page.count("approve_superior") == 1
    assert "approve_finance" not in page


def test_a_drawing_moved_about_runs_alike(designer: Designer) -> None:
    xml = designer.open(KEY)
    assert differences.of_diagrams({f"{KEY}.bpmn": xml}, {f"{KEY}.bpmn": xml.replace('x="', 'x="1')}, KEY) == []


def test_elements_and_flows_that_came_and_went() -> None:
    def drawing(inner: str) -> dict[str, str]:
        return {
            "p.bpmn": f'<definitions xmlns="{BPMN}"><process id="p" isExecutable="true">{inner}</process></definitions>'
        }

    flow = '<sequenceFlow id="f" sourceRef="a" targetRef="b"{}>{}</sequenceFlow>'
    condition = "<conditionExpression>${x &gt; 1}</conditionExpression>"
    before = drawing('<startEvent id="a"/><endEvent id="b"/>' + flow.format("", ""))
    after = drawing('<startEvent id="a"/><userTask id="b"/><endEvent id="c"/>' + flow.format(' name="yes"', condition))
    found = {(one.kind, one.element): one for one in differences.of_diagrams(before, after, "p")}
    assert found.keys() == {("added", "c"), ("changed", "b"), ("changed", "f")}
    assert [(c.before, c.after) for c in found["changed", "f"].changes] == [("", "yes"), ("", "${x > 1}")]
    back = {(one.kind, one.element) for one in differences.of_diagrams(after, before, "p")}
    assert ("removed", "c") in back


def test_forms_and_tables_are_compared_by_their_parts(designer: Designer) -> None:
    designer.open(KEY)
    with transaction() as session:
        files = {file.name: file.content for file in workspace.version(session, KEY, 1).files}
    Sessions.remove()
    form = json.loads(files["expense_request.form.json"])
    form["fields"][0]["max_length"] = 50
    form["steps"]["revise"]["remark"] = "hide"
    changed = {
        "expense_request.form.json": json.dumps(form),
        "expense_limits.dmn": files["expense_limits.dmn"].replace("1000.00", "2000.00"),
        "more.dmn": "not even XML",
    }
    found = {one.name: one for one in differences.of_files(files, changed)}
    assert found["more.dmn"].kind == "added"
    assert {change.what.template for change in found["expense_request.form.json"].changes} == {
        "Field {name}",
        "Right of step {step} on {field}",
    }
    assert any("2000.00" in change.after for change in found["expense_limits.dmn"].changes)


def test_a_form_written_in_another_layout_is_no_difference(designer: Designer) -> None:
    one = '{"title": "T", "fields": [{"id": "a", "type": "text", "label": "A"}]}'
    assert differences.of_files({"f.form.json": one}, {"f.form.json": json.dumps(json.loads(one), indent=4)}) == []


def test_a_version_is_downloaded_as_it_was_deployed(designer: Designer) -> None:
    answer = designer.browser.get(f"/designer/{KEY}/versions/1/download")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert set(archive.namelist()) == {"expense_request.bpmn", "expense_limits.dmn", "expense_request.form.json"}
        assert archive.read("expense_request.bpmn").decode() == designer.open(KEY)


def test_an_old_version_is_taken_up_again(designer: Designer) -> None:
    first = designer.open(KEY)
    second_version(designer)
    assert designer.browser.post(f"/designer/{KEY}/versions/1/load", {"token": "2.0"}).status_code == 302
    assert designer.open(KEY) == first
    assert designer.deploy(KEY, first).get_json()["version"] == 3


def test_taking_up_a_version_never_replaces_somebody_elses_draft(designer: Designer, second: Designer) -> None:
    second.save(KEY, second.open(KEY).replace('name="上级审批"', 'name="第二人的"'))
    assert designer.browser.post(f"/designer/{KEY}/versions/1/load", {"token": "1.1"}).status_code == 422
    assert "第二人的" in second.open(KEY)


def test_versions_and_drafts_that_are_not_there(designer: Designer) -> None:
    for url in ("versions/9", "compare?after=draft", "compare?before=x", "files?file=no.dmn"):
        assert designer.browser.get(f"/designer/{KEY}/{url}").status_code == 404, url
    for url in ("nothing", f"{KEY}?file=no.bpmn", "pick/thing"):
        assert designer.browser.get(f"/designer/{url}").status_code == 404, url


def test_a_called_process_deployed_by_itself_is_not_edited_with_its_caller(designer: Designer) -> None:
    def drawing(key: str, middle: str) -> str:
        flows = '<sequenceFlow id="x" sourceRef="s" targetRef="m"/><sequenceFlow id="y" sourceRef="m" targetRef="e"/>'
        inner = f'<startEvent id="s"/>{middle}<endEvent id="e"/>{flows}'
        return f'<definitions xmlns="{BPMN}"><process id="{key}" isExecutable="true">{inner}</process></definitions>'

    with transaction() as session:
        repository.deploy(session, SYSTEM, {"child.bpmn": drawing("child", '<task id="m"/>')})
        caller = drawing("caller", '<callActivity id="m" calledElement="child"/>')
        repository.deploy(session, SYSTEM, {"caller.bpmn": caller})
        repository.deploy(session, SYSTEM, {"child.bpmn": drawing("child", '<manualTask id="m"/>')})
    Sessions.remove()
    assert designer.deploy("caller", designer.open("caller").replace("<startEvent", "<startEvent ")).status_code == 200
    with transaction() as session:
        newest = {file.name: file.content for file in workspace.version(session, "caller", 2).files}
    Sessions.remove()
    assert newest.keys() == {"caller.bpmn", "child.bpmn"}
    assert "manualTask" in newest["child.bpmn"], "deploying the caller pins the newest child"
