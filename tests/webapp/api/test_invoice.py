"""A process nobody here drew, through the interface alone: refused with every remedy; repaired, run to its end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.service_tasks import TOPICS, StepFacts, service_task
from tests import foreign
from tests.webapp.api.test_definitions import deploy
from tests.webapp.callers import ADMIN, EMPLOYEE, FINANCE, HEAD, OTHER, SUPERIOR, House, good, refused

FOLDER = foreign.diagrams("camunda-invoice")
MAIN, REVIEW, TABLES = "invoice.v2.bpmn", "reviewInvoice.bpmn", "invoiceBusinessDecisions.dmn"
TOPIC = "tests.archive_invoice"


def original() -> dict[str, str]:
    return {name: (FOLDER / name).read_text() for name in (MAIN, REVIEW, TABLES)}


# ------------------------------------------------------------------------------------------------- repairing it

PEOPLE = {
    "approveInvoice": "department_head",
    "prepareBankTransfer": "position(finance)",
    "assignReviewer": "superior",
    "reviewInvoice": "field(reviewer)",
}
"""Instead of the groups and logins of another house."""


def repaired() -> dict[str, str]:
    """A topic for the Java class, forms for the HTML, durations for the Java dates, people for the groups."""
    files = original()
    for name in (MAIN, REVIEW):
        text = re.sub(r"<camunda:taskListener.*?</camunda:taskListener>", "", files[name], flags=re.DOTALL)
        text = re.sub(r"<dataStoreReference[^>]*/>", "", text)
        text = re.sub(r'camunda:class="[^"]*"', f'camunda:type="external" camunda:topic="{TOPIC}"', text)
        text = re.sub(r'camunda:formKey="embedded:app:forms/([a-z-]+).html"', r'camunda:formKey="\1"', text)
        text = re.sub(r'camunda:dueDate="[^"]*"', 'camunda:dueDate="P7D"', text)
        for task, rule in PEOPLE.items():
            candidates = r'(id="' + task + r'"[^>]*?)camunda:(candidateGroups|assignee)="[^"]*"'
            text = re.sub(candidates, rf'\1camunda:candidateUsers="{rule}"', text)
        files[name] = text
    return files | {f"{key}.form.json": json.dumps(form, ensure_ascii=False) for key, form in FORMS.items()}


def field(id: str, type: str = "text", **more: Any) -> dict[str, Any]:
    return {"id": id, "type": type, "label": id, "route": True, **more}


def choice(*values: str) -> list[dict[str, str]]:
    return [{"value": value, "label": value} for value in values]


FORMS: dict[str, dict[str, Any]] = {
    "start-form": {
        "title": "发票",
        "fields": [
            field("creditor", required=True, title=True, summary=True),
            field("amount", "number", required=True),
            field(
                "invoiceCategory",
                "select",
                required=True,
                options=choice("Travel Expenses", "Misc", "Software License Costs"),
            ),
            field("invoiceNumber", required=True),
            field("invoiceDocument"),
        ],
    },
    "approve-invoice": {
        "title": "审批",
        "fields": [field("approved", "switch")],
        "steps": {"approveInvoice": {"approved": "required"}},
    },
    "assign-reviewer": {
        "title": "指派",
        "fields": [field("reviewer", "person")],
        "steps": {"assignReviewer": {"reviewer": "required"}},
    },
    "review-invoice": {
        "title": "复核",
        "fields": [field("clarified", "switch")],
        "steps": {"ReviewInvoice:reviewInvoice": {"clarified": "required"}},
    },
    "prepare-bank-transfer": {
        "title": "付款",
        "fields": [field("bankReference")],
        "steps": {"prepareBankTransfer": {"bankReference": "edit"}},
    },
}

INVOICE = {
    "creditor": "大食品公司",
    "amount": "30.50",
    "invoiceCategory": "Misc",
    "invoiceNumber": "GPFE-23232323",
    "invoiceDocument": "invoice.pdf",
}


@pytest.fixture
def archived() -> Iterator[list[int]]:
    """The topic that archives invoices; the instances it was called for."""
    done: list[int] = []

    @service_task(TOPIC)
    def archive(_session: Session, _actor: Actor, facts: StepFacts) -> dict[str, bool]:
        done.append(facts.instance_id)
        return {"archived": True}

    yield done
    del TOPICS[TOPIC]


# ------------------------------------------------------------------------------------------------- seen to hold


def test_as_it_is_everything_that_cannot_run_is_named_with_a_remedy(people: House) -> None:
    problem = refused(deploy(people(ADMIN), original()), 422, "deployment_refused")
    found = {(error["file"], error["element"], error["rule"]) for error in problem["errors"]}
    assert found >= {
        (MAIN, "ServiceTask_1", "unsupported.class"),
        (MAIN, "StartEvent_1", "form"),
        (MAIN, "approveInvoice", "form"),
        (MAIN, "approveInvoice", "due"),
        (MAIN, "approveInvoice", "unsupported.taskListener"),
        (MAIN, "approveInvoice", "candidates"),
        (MAIN, "prepareBankTransfer", "candidates"),
        (MAIN, "DataStoreReference_1", "unsupported.dataStoreReference"),
        (REVIEW, "assignReviewer", "candidates"),
        (REVIEW, "reviewInvoice", "candidates"),
        (REVIEW, "reviewInvoice", "due"),
    }
    assert all(error["message"] and error["remedy"] for error in problem["errors"])
    refused(people(ADMIN).call("GET", "/process-definitions/invoice"), 404)


def test_repaired_it_runs_to_its_end(people: House, archived: list[int]) -> None:
    assert good(deploy(people(ADMIN), repaired()))["version"] == 1
    employee = people(EMPLOYEE)
    started = employee.post("/process-definitions/invoice/start", {"variables": INVOICE})
    assert started["title"].endswith("大食品公司")

    work(people, HEAD, "approveInvoice", approved=False)
    work(people, SUPERIOR, "assignReviewer", reviewer=people(OTHER).person_id)
    work(people, OTHER, "ReviewInvoice:reviewInvoice", clarified=True)
    work(people, HEAD, "approveInvoice", approved=True)
    assert archived == []
    work(people, FINANCE, "prepareBankTransfer", bankReference="2026-1123")

    ended = employee.get(f"/process-instances/{started['id']}")
    assert (ended["state"], archived) == ("completed", [started["id"]])
    assert ended["summary"] == {"creditor": "大食品公司"}
    said = {"approved": True, "reviewer": people(OTHER).person_id, "clarified": True, "bankReference": "2026-1123"}
    assert ended["values"] == {**INVOICE, "amount": "30.5", **said}, "what one form says outlives the next"


def work(people: House, username: str, node: str, **values: Any) -> None:
    """Do the one open item of this person, which must be this one."""
    person = people(username)
    (item,) = person.inbox()
    assert person.get(f"/work-items/{item['item_id']}")["node"] == node
    good(person.act(item, "submit", variables=values))
