"""A list as a spreadsheet: same filters, same rights, streamed, so that a million rows need no memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from flask import Response
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.catalog import CATALOG, Column, Register
from engine.db import Sessions
from engine.i18n import current_locale, reading_as
from processes.kernel.working_time import business_date
from webapp.registers import cells
from webapp.registers.interface import SafeInterface
from webapp.registers.listing import Asked, ordered, statement

CHUNK = 500
BOM = "\ufeff"
"""Without it spreadsheet programs read Chinese as noise."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """A spreadsheet must not run what somebody typed as a name; numbers stay numbers."""
    if text.startswith(_FORMULA) and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def csv_response(interface: SafeInterface, actor: Actor, asked: Asked) -> Response:
    register = interface.register
    name = f"{register.title}-{business_date(clock.now()):%Y%m%d}.csv"
    response = Response(_lines(interface, actor, asked, current_locale()), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename=export.csv; filename*=UTF-8''{quote(name)}"
    return response


def _lines(interface: SafeInterface, actor: Actor, asked: Asked, locale: str) -> Iterator[str]:
    """The request is over when this runs, so it has a session of its own and says in which language it writes."""
    register = interface.register
    with Session(Sessions().get_bind()) as session:
        session.connection(execution_options={"read_only": True})
        query = ordered(interface, statement(interface, actor, asked), asked)
        with reading_as(locale):
            head = BOM + _line([str(column.title) for column in register.columns])
        yield head
        rows = session.execute(query.execution_options(yield_per=CHUNK)).scalars()
        for chunk in rows.partitions(CHUNK):
            with reading_as(locale):
                text = _chunk(session, register, chunk)
            yield text
            session.expunge_all()


def _chunk(session: Session, register: Register, rows: Sequence[Any]) -> str:
    names = _names(session, register, rows)
    return "".join(
        _line([harmless(_text(column, getattr(row, column.name), names)) for column in register.columns])
        for row in rows
    )


def _text(column: Column, value: Any, names: Mapping[int, str]) -> str:
    if column.kind == "person" and isinstance(value, int):
        return names.get(value, "")
    return cells.plain(column, value)


def _names(session: Session, register: Register, rows: Sequence[Any]) -> dict[int, str]:
    """One query for the people of a chunk instead of one per cell."""
    columns = [column.name for column in register.columns if column.kind == "person"]
    ids = {value for row in rows for name in columns if isinstance(value := getattr(row, name), int)}
    return CATALOG.directory.names(session, sorted(ids)) if ids and CATALOG.directory is not None else {}


def _line(values: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
