"""A diagram makes a document: the token waits for the paper, and goes on with the files' numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.word import printing
from connectors.word.faults import Refused
from engine import attachments, delivering, outbox, repository, runtime
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.errors import InvalidForm
from engine.models import Incident, Instance
from engine.runtime.cache import LIVE
from processes.document import operations
from processes.document.models import WordDocument
from tests.connectors.word_files import docx, texts
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import Company, actor_of
from webapp import bootstrap
from webapp.wires import Office, WordHandler


@pytest.fixture(autouse=True)
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.join_parts()
    LIVE.clear()
    repository.forget_all()
    attachments.install(tmp_path / "attachments")
    monkeypatch.setattr(printing, "pdf", lambda _docx: printing.Printed(b"%PDF-1.7 paper", 2))
    monkeypatch.setitem(outbox.HANDLERS, "word", WordHandler(Office()))


def begin(company: Company, data: dict[str, object]) -> int:
    inputs = (
        '<camunda:inputParameter name="template">${"deal"}</camunda:inputParameter>'
        '<camunda:inputParameter name="data">${about}</camunda:inputParameter>'
        '<camunda:inputParameter name="name">${"合同"}</camunda:inputParameter>'
    )
    d = Drawing("deal_process")
    d.start()
    inner = f"<extensionElements><camunda:inputOutput>{inputs}</camunda:inputOutput></extensionElements>"
    d.service("write", "document.make_document", inner, camunda_resultVariable="paper")
    d.end()
    d.chain("start", "write", "end")
    with transaction() as session:
        operations.upload_template(
            session,
            SYSTEM,
            code="deal",
            title="买卖",
            file_name="买卖.docx",
            content=docx("{{ 甲方 }}：{{ 价|capitals }}"),
        )
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
    starter = actor_of(company.li)
    started = runtime.perform(
        lambda session: runtime.start(session, starter, "deal_process", variables={"about": data})
    )
    Sessions.remove()
    return started.instance_id


def test_the_process_waits_for_the_paper(session: Session, company: Company) -> None:
    instance_id = begin(company, {"甲方": "A&B", "价": {"amount": "1409.50", "currency": "CNY"}})
    assert session.get_one(Instance, instance_id).state == "running"
    session.rollback()
    delivering.deliver_outbox()
    instance = session.get_one(Instance, instance_id, populate_existing=True)
    assert instance.state == "completed"
    (document,) = session.scalars(select(WordDocument)).all()
    assert (document.name, document.instance_id, document.pages) == ("合同", instance_id, 2)
    assert texts(attachments.path_of(document.docx.sha256).read_bytes()) == ["A&B：壹仟肆佰零玖元伍角整"]
    assert operations.document_of(session, actor_of(company.li), document.id).id == document.id


def test_a_value_that_is_missing_refuses_whoever_started_it(session: Session, company: Company) -> None:
    with pytest.raises(InvalidForm):
        begin(company, {"甲方": "A&B"})
    assert session.scalars(select(WordDocument)).all() == []


def test_a_paper_that_cannot_be_made_is_an_incident_and_comes_when_tried_again(
    session: Session, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_docx: bytes) -> printing.Printed:
        raise Refused("bomb")

    with monkeypatch.context() as patched:
        patched.setattr(printing, "pdf", broken)
        instance_id = begin(company, {"甲方": "A", "价": "1"})
        delivering.deliver_outbox()
    (incident,) = session.scalars(select(Incident)).all()
    assert incident.cause == "refused"
    incident_id = incident.id
    session.rollback()
    runtime.perform(lambda again: runtime.retry_incident(again, SYSTEM, incident_id))
    Sessions.remove()
    delivering.deliver_outbox()
    assert session.get_one(Instance, instance_id, populate_existing=True).state == "completed"
    (document,) = session.scalars(select(WordDocument)).all()
    assert (document.state, document.pdf_id is not None) == ("sent", True)
