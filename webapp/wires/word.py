"""Word: the outbox's documents put on paper by the LibreOffice of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.outcome import Health, LinkState, Trial
from connectors.word import printing
from connectors.word.faults import NotPrinted, Refused
from engine import attachments
from engine.db import transaction
from engine.wire import Delivery, Leased
from processes.document import operations
from processes.document.models import WordDocument

WORD = "word"

ATTEMPTS = 3
PAUSE = timedelta(minutes=1)


class Office:
    """LibreOffice; there or not when it is asked, for it may be installed later."""

    name = "libreoffice"

    def health(self) -> Health:
        return printing.health()

    def try_out(self) -> list[Trial]:
        """Whether it is there; it is started for a document only."""
        found = printing.health()
        return [
            Trial("program", found.state is LinkState.UP, self.name if found.state is LinkState.UP else found.reason)
        ]

    def pdf(self, docx: bytes) -> printing.Printed:
        return printing.pdf(docx)


@dataclass(frozen=True)
class WordHandler:
    """Payload: {"document": id, "docx": file id, "sha256"}; result: {"document", "docx", "pdf", "pages", "reason"}.

    Without LibreOffice it is done too: the Word file is there, and the result says why there is no PDF.
    """

    road: Office
    retry_unknown: bool = True
    """the same file printed twice is the same paper, and only the first is kept"""

    def deliver(self, message: Leased) -> Delivery:
        document_id = int(message.payload["document"])
        try:
            docx = attachments.path_of(str(message.payload["sha256"])).read_bytes()
            printed = self.road.pdf(docx)
        except FileNotFoundError:
            return self._none(message, "lost", final=True)
        except Refused:
            return self._none(message, "refused", final=True)
        except NotPrinted as fault:
            if fault.code == printing.NO_OFFICE:
                return self._none(message, fault.code, final=False)
            if message.attempts + 1 < ATTEMPTS:
                return Delivery("deferred", error=fault.code, retry_after=PAUSE)
            return self._none(message, fault.code, final=True)
        with transaction() as session:
            kept = operations.keep_pdf(session, document_id=document_id, pdf=printed.pdf, pages=printed.pages)
            detail = _detail(kept)
        return Delivery("accepted", detail)

    def _none(self, message: Leased, reason: str, *, final: bool) -> Delivery:
        document_id = int(message.payload["document"])
        with transaction() as session:
            detail = _detail(operations.note_no_pdf(session, document_id=document_id, reason=reason, final=final))
        return Delivery("rejected" if final else "accepted", detail, error=reason if final else "")


def _detail(document: WordDocument) -> dict[str, Any]:
    return {
        "document": document.id,
        "docx": document.docx_id,
        "pdf": document.pdf_id,
        "pages": document.pages,
        "reason": document.reason,
    }
