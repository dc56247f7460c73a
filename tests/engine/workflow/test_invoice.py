"""A foreign process in its foreign dialect: everything that cannot run is named; repaired, it runs to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from engine import workflow
from engine.errors import DeploymentRefused
from tests import foreign
from tests.engine.workflow.kit import KNOWN, Play

FOLDER = foreign.diagrams("camunda-invoice")
FILES = ("invoice.v2.bpmn", "reviewInvoice.bpmn", "invoiceBusinessDecisions.dmn")


def files() -> dict[str, str]:
    return {name: (FOLDER / name).read_text() for name in FILES}


def repaired(given: Mapping[str, str]) -> dict[str, str]:
    """A topic for the Java class, forms for the HTML, durations for the Java dates, people for the groups."""
    out = dict(given)
    for name in FILES[:2]:
        text = re.sub(r"<camunda:taskListener.*?</camunda:taskListener>", "", out[name], flags=re.DOTALL)
        text = re.sub(r"<dataStoreReference[^>]*/>", "", text)
        text = re.sub(r'camunda:class="[^"]*"', 'camunda:type="external" camunda:topic="test.notify"', text)
        text = re.sub(r'camunda:formKey="embedded:app:forms/([a-z-]+).html"', r'camunda:formKey="\1"', text)
        text = re.sub(r'camunda:dueDate="[^"]*"', 'camunda:dueDate="P7D"', text)
        text = re.sub(r'camunda:(candidateGroups|assignee)="[^"]*"', 'camunda:assignee="person(3)"', text)
        out[name] = text
    keys = re.findall(r'formKey="([a-z-]+)"', "".join(out.values()))
    return out | {f"{key}.form.json": "{}" for key in keys}


def test_everything_that_cannot_run_is_named_with_a_remedy() -> None:
    with pytest.raises(DeploymentRefused) as refused:
        workflow.compile_definition(files(), known=KNOWN)
    found = {(one.file, one.where, one.rule) for one in refused.value.problems}
    main, review = FILES[0], FILES[1]
    assert found == {
        (main, "DataStoreReference_1", "unsupported.dataStoreReference"),
        (main, "StartEvent_1", "form"),
        (main, "approveInvoice", "unsupported.taskListener"),
        (main, "approveInvoice", "form"),
        (main, "approveInvoice", "due"),
        (main, "approveInvoice", "candidates"),
        (main, "prepareBankTransfer", "form"),
        (main, "prepareBankTransfer", "due"),
        (main, "prepareBankTransfer", "candidates"),
        (main, "ServiceTask_1", "unsupported.class"),
        (review, "assignReviewer", "form"),
        (review, "assignReviewer", "candidates"),
        (review, "reviewInvoice", "form"),
        (review, "reviewInvoice", "due"),
        (review, "reviewInvoice", "candidates"),
    }
    assert all(one.remedy for one in refused.value.problems)


def test_repaired_it_runs_to_its_end() -> None:
    process = workflow.compile_definition(repaired(files()), known=KNOWN)
    assert process.key == "invoice"
    play = Play(
        process,
        {"amount": 30, "invoiceCategory": "Misc", "creditor": "x", "invoiceNumber": "1", "invoiceDocument": "d"},
    )
    assert play.data["approverGroups"] == ["accounting", "sales"]
    play.complete("approveInvoice", approved=False)
    play.complete("assignReviewer", reviewer="demo")
    play.complete("ReviewInvoice:reviewInvoice", clarified=True)
    assert play.nodes == ["approveInvoice"]
    play.complete("approveInvoice", approved=True)
    play.complete("prepareBankTransfer")
    assert play.ended == "completed"
    assert [call.topic for call in play.house.calls] == ["test.notify"]


def test_not_clarified_it_ends_unprocessed() -> None:
    play = Play(
        workflow.compile_definition(repaired(files()), known=KNOWN),
        dict.fromkeys(("amount", "invoiceCategory", "creditor", "invoiceNumber", "invoiceDocument")),
    )
    play.complete("approveInvoice", approved=False)
    play.complete("assignReviewer")
    play.complete("ReviewInvoice:reviewInvoice", clarified=False)
    assert play.ended == "completed"
    assert "invoiceNotProcessed" in play.visited()
