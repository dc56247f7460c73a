"""What a step hides is hidden on every road: values, history, files, downloads, pages and the print."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from engine import repository
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from tests.engine.workflow.drawing import Drawing
from tests.webapp.callers import ADMIN, EMPLOYEE, FINANCE, SUPERIOR, Caller, House, good, refused

PDF = b"%PDF-1.7\n%"

HIRE = {
    "title": "录用",
    "fields": [
        {"id": "subject", "type": "text", "label": "岗位", "title": True},
        {"id": "resume", "type": "attachment", "label": "简历"},
        {"id": "contract", "type": "attachment", "label": "合同"},
    ],
    "steps": {"look": {"contract": "hide"}},
}
PAY = {
    "title": "定薪",
    "fields": [{"id": "salary", "type": "text", "label": "工资"}],
    "steps": {"fix_pay": {"salary": "required"}, "look": {"salary": "hide"}},
}


def sent(caller: Caller, name: str) -> int:
    answer = good(caller.call("POST", "/attachments", data={"file": (io.BytesIO(PDF + name.encode()), name)}))
    return int(answer["id"])


@pytest.fixture
def hired(people: House) -> dict[str, Any]:
    """Asked for with two files; the pay is fixed in a form of its own; then the superior looks at it."""
    d = Drawing("hire")
    d.start()
    d.user("fix_pay", camunda_assignee=f"person({people(FINANCE).person_id})", camunda_formKey="pay")
    d.user("look", camunda_assignee=f"person({people(SUPERIOR).person_id})")
    d.end()
    d.chain("start", "fix_pay", "look", "end")
    with transaction() as session:
        files = {"hire.bpmn": d.xml(), "hire.form.json": json.dumps(HIRE), "pay.form.json": json.dumps(PAY)}
        repository.deploy(session, SYSTEM, files)
    Sessions.remove()
    employee = people(EMPLOYEE)
    values = {"subject": "工程师", "resume": [sent(employee, "简历.pdf")], "contract": [sent(employee, "合同.pdf")]}
    started: dict[str, Any] = employee.post("/process-definitions/hire/start", {"variables": values})
    (item,) = people(FINANCE).inbox()
    good(people(FINANCE).act(item, "submit", variables={"salary": "30000"}))
    return {"id": started["id"], **values}


def test_a_hidden_field_is_hidden_on_every_road(people: House, hired: dict[str, Any]) -> None:
    superior, path = people(SUPERIOR), f"/process-instances/{hired['id']}"
    seen = superior.get(path)
    assert seen["values"] == {"subject": "工程师", "resume": hired["resume"]}
    assert [file["name"] for file in seen["files"]] == ["简历.pdf"]
    (item,) = superior.inbox()
    shown = superior.get(f"/work-items/{item['item_id']}")
    assert (set(shown["values"]), [file["name"] for file in shown["files"]]) == ({"subject", "resume"}, ["简历.pdf"])
    assert superior.call("GET", f"/attachments/{hired['resume'][0]}").status_code == 200
    refused(superior.call("GET", f"/attachments/{hired['contract'][0]}"), 404)
    for text in (json.dumps(superior.get(f"{path}/history"), ensure_ascii=False), printed(superior, hired["id"])):
        assert "30000" not in text
        assert "合同.pdf" not in text


@pytest.mark.parametrize("username", [EMPLOYEE, ADMIN])
def test_who_asked_and_who_administers_see_everything(people: House, hired: dict[str, Any], username: str) -> None:
    caller = people(username)
    seen = caller.get(f"/process-instances/{hired['id']}")
    assert seen["values"]["salary"] == "30000"
    assert {file["name"] for file in seen["files"]} == {"简历.pdf", "合同.pdf"}
    assert caller.call("GET", f"/attachments/{hired['contract'][0]}").status_code == 200
    assert "30000" in json.dumps(caller.get(f"/process-instances/{hired['id']}/history"))


def printed(caller: Caller, instance_id: int) -> str:
    answer = caller.call("GET", f"/process-instances/{instance_id}/print?format=html")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)
