"""From the outbox to paper and back: a document's PDF, made by a worker, kept once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from connectors.word import printing
from connectors.word.faults import NotPrinted
from engine import attachments, delivering, outbox
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.document import operations
from processes.document.models import WordDocument
from tests.connectors.word_files import docx
from tests.databases import Database
from webapp import wires
from webapp.settings import Settings


@pytest.fixture(autouse=True)
def handlers(database: Database, tmp_path: Path) -> Iterator[None]:
    attachments.install(tmp_path / "attachments")
    kept, health = dict(outbox.HANDLERS), dict(CATALOG.health)
    outbox.HANDLERS.clear()
    wires.install(Settings())
    yield
    outbox.HANDLERS.clear()
    outbox.HANDLERS.update(kept)
    CATALOG.health.clear()
    CATALOG.health.update(health)


def made() -> int:
    with transaction() as session:
        operations.upload_template(session, SYSTEM, code="t", title="范本", file_name="t.docx", content=docx("{{ a }}"))
        document = operations.make_document(session, SYSTEM, template="t", data={"a": "正文"}, key="k")
        found = document.id
    Sessions.remove()
    return found


def look(session: Session, document_id: int) -> WordDocument:
    return session.get_one(WordDocument, document_id, populate_existing=True)


def deliver() -> OutboxMessage:
    delivering.deliver_outbox()
    with transaction() as session:
        message = session.query(OutboxMessage).order_by(OutboxMessage.id.desc()).first()
        assert message is not None
        session.expunge(message)
    Sessions.remove()
    return message


@pytest.mark.slow
def test_the_worker_brings_the_pdf(session: Session) -> None:
    if printing.office() is None or shutil.which("pdfinfo") is None:
        pytest.skip("install libreoffice-writer-nogui and poppler-utils")
    document_id = made()
    message = deliver()
    document = look(session, document_id)
    assert (message.state, message.result["pdf"], message.result["pages"]) == ("sent", document.pdf_id, 1)
    assert document.pdf is not None
    assert (document.state, document.pdf.name, document.pdf.media_type) == ("sent", "范本.pdf", "application/pdf")
    assert CATALOG.health["word"]() == ("up", "")


def test_without_an_office_the_word_file_is_there_and_the_reason_is_told(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "office", lambda: None)
    document_id = made()
    message = deliver()
    document = look(session, document_id)
    assert (message.state, message.result["pdf"], message.result["reason"]) == ("sent", None, "no_office")
    assert (document.state, document.reason, document.docx_id is not None) == ("sent", "no_office", True)
    assert CATALOG.health["word"]() == ("degraded", "no_office")


def test_an_office_that_hangs_is_asked_three_times(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def hang(_docx: bytes) -> printing.Printed:
        tried.append(1)
        raise NotPrinted("timeout")

    monkeypatch.setattr(printing, "pdf", hang)
    document_id = made()
    for state in ("queued", "queued", "failed", "failed"):
        assert deliver().state == state
        with transaction() as again:
            again.query(OutboxMessage).filter_by(state="queued").update({"available_at": OutboxMessage.created_at})
        Sessions.remove()
    document = look(session, document_id)
    assert (len(tried), document.state, document.reason) == (3, "failed", "timeout")


def test_a_word_file_that_is_lost_is_said(session: Session) -> None:
    document_id = made()
    sha256 = look(session, document_id).docx.sha256
    session.rollback()
    attachments.path_of(sha256).unlink()
    assert deliver().state == "failed"
    assert look(session, document_id).reason == "lost"


def test_delivered_twice_keeps_the_first_paper(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    papers = iter([b"%PDF-1 first", b"%PDF-1 second"])
    monkeypatch.setattr(printing, "pdf", lambda _docx: printing.Printed(next(papers), 1))
    document_id = made()
    first = deliver()
    with transaction() as again:
        again.get_one(OutboxMessage, first.id).state = "queued"
    Sessions.remove()
    assert deliver().result["pdf"] == first.result["pdf"]
    pdf = look(session, document_id).pdf
    assert attachments.path_of(pdf.sha256).read_bytes() == b"%PDF-1 first"
