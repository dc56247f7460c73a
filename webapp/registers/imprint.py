"""Who took a file out of the house, when, and asked what of which list: in the file, and in that person's history."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request
from sqlalchemy.orm import Session

from connectors.tables.writing import Imprint
from engine import clock, journal, runtime
from engine.catalog import Register
from engine.db import Sessions
from engine.i18n import _
from webapp.registers import words
from webapp.registers.listing import COUNT_CAP, Asked
from webapp.security import viewing
from webapp.security.access import current_actor
from webapp.skin import formats, watermark

ACTION = "exported"


def of_list(register: Register, asked: Asked) -> Imprint:
    """What a file made of a list says of itself."""
    return _imprint(str(register.title), words.of_question(register, asked))


def address(asked: Asked) -> str:
    """A list's question without names."""
    return urlencode([pair for pair in asked.pairs if pair != ("view", "")])


def of_report(title: str) -> Imprint:
    """The same of a report, whose address says what it was asked."""
    return _imprint(title, request.query_string.decode(errors="replace"))


def file_name(register: Register, ending: str) -> str:
    """A CSV has no room for more than its rows, so its name says who took it and when, like that of every file."""
    actor = current_actor()
    taken = watermark.who(actor).replace(" ", "-")
    return f"{register.title}-{taken}-{formats.local(clock.now()):%Y%m%d-%H%M}.{ending}"


def note(title: str, question: str, kind: str, rows: int) -> None:
    """Part of the history of whoever takes it; what cannot be noted is not handed out.

    question: as an address, with keys for names: who reads histories need not see customers. rows: of a CSV, counted to
    COUNT_CAP + 1.
    """
    actor = current_actor()
    facts = {"list": title, "question": question, "format": kind}
    facts["rows"] = f"{COUNT_CAP}+" if kind == "csv" and rows > COUNT_CAP else str(rows)
    Sessions().rollback()  # a page is read in a transaction that does not expect to write

    def write(session: Session) -> None:
        viewing.lock(session, actor.person_id)
        journal.audit(session, actor, viewing.PERSON, actor.person_id, ACTION, None, facts)

    runtime.perform(write)


def _imprint(title: str, question: str) -> Imprint:
    actor = current_actor()
    who, when = watermark.who(actor), formats.instant(clock.now())
    said = (
        (_("Exported by"), who),
        (_("Exported at"), when),
        (_("List"), title),
        (_("Filter"), question or _("none")),
        (_("Rights"), _("Made with the rights of whoever exported it. Do not pass it on to those who may not see it.")),
    )
    return Imprint(str(_("Export")), f"{who}  {when}", tuple((str(name), str(value)) for name, value in said))
