"""A list as a spreadsheet: same filters, same rights, streamed, so that a million rows need no memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from flask import Response, request, send_file
from sqlalchemy.orm import Session

from connectors.tables.writing import Head, Kind, write
from engine.actor import Actor
from engine.catalog import CATALOG, Column, Register
from engine.db import Sessions
from engine.errors import RuleViolation
from engine.i18n import _, current_locale, reading_as
from webapp.registers import cells, imprint
from webapp.registers.interface import SafeInterface
from webapp.registers.listing import Asked, count_of, ordered, shown, statement
from webapp.skin import formats

CHUNK = 500
BOM = "\ufeff"
"""Without it spreadsheet programs read Chinese as noise."""

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_IN_EXCEL = 50_000
"""made whole before it is sent, at half a millisecond a row: it must be there before a proxy loses patience (60 s)"""
_KINDS: dict[str, Kind] = {"money": "money", "number": "number", "date": "date", "datetime": "datetime"}

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a cell a formula; spreadsheet programs of East Asia take the wide signs as well."""


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
    name = imprint.file_name(register, "csv")
    count = count_of(Sessions(), statement(Sessions(), interface, actor, asked), interface)
    imprint.note(str(register.title), imprint.address(asked), "csv", count)
    response = Response(_lines(interface, actor, asked, current_locale()), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename=export.csv; filename*=UTF-8''{quote(name)}"
    return response


def xlsx_response(interface: SafeInterface, actor: Actor, asked: Asked) -> Response:
    """The same as an Excel file. It is made whole before it is sent, so it has fewer rows than a CSV may have."""
    register = interface.register
    if _is_longer(interface, actor, asked):
        raise RuleViolation(
            _("An Excel file takes at most {count} rows from here.", count=MOST_IN_EXCEL),
            code="too_many_rows",
            remedy=_("Narrow the list, or take it as CSV."),
        )
    heads = [Head(str(column.title), _KINDS.get(column.kind, "text")) for column in shown(register, asked)]
    file = io.BytesIO()
    count = write(file, str(register.title), heads, _rows(interface, actor, asked), imprint.of_list(register, asked))
    imprint.note(str(register.title), imprint.address(asked), "xlsx", count)
    file.seek(0)
    return send_file(file, EXCEL, as_attachment=True, download_name=imprint.file_name(register, "xlsx"))


def report_response(title: str, heads: Sequence[Head], rows: Iterable[Sequence[Any]]) -> Response:
    """The table of a report as an Excel file, with the same numbers."""
    file = io.BytesIO()
    said = imprint.of_report(title)
    count = write(file, title, heads, rows, said)
    imprint.note(title, request.query_string.decode(errors="replace"), "xlsx", count)
    file.seek(0)
    return send_file(file, EXCEL, as_attachment=True, download_name=f"{title}.xlsx")


def _is_longer(interface: SafeInterface, actor: Actor, asked: Asked) -> bool:
    beyond = statement(Sessions(), interface, actor, asked).offset(MOST_IN_EXCEL).limit(1)
    return Sessions().execute(beyond).first() is not None


def _rows(interface: SafeInterface, actor: Actor, asked: Asked) -> Iterator[list[Any]]:
    register = interface.register
    columns = shown(register, asked)
    with Session(Sessions().get_bind()) as session:
        session.connection(execution_options={"read_only": True})
        query = ordered(interface, statement(session, interface, actor, asked), asked)
        for chunk in session.execute(query.execution_options(yield_per=CHUNK)).scalars().partitions(CHUNK):
            names, look = _names(session, columns, chunk), cells.look(session, register, actor, chunk)
            for row in chunk:
                yield [_value(one, look(row, one.name, getattr(row, one.name)), names) for one in columns]


def _value(column: Column, value: Any, names: Mapping[int, str]) -> Any:
    """As a spreadsheet keeps it: amounts and counts as numbers, days and instants as such, all else as words."""
    if column.kind in {"money", "number"} and value is not None:
        return getattr(value, "amount", value)
    if isinstance(value, datetime):
        return formats.local(value).replace(tzinfo=None)
    return value if isinstance(value, date) else _text(column, value, names)


def _lines(interface: SafeInterface, actor: Actor, asked: Asked, locale: str) -> Iterator[str]:
    """The request is over when this runs, so it has a session of its own and says in which language it writes."""
    register = interface.register
    columns = shown(register, asked)
    with Session(Sessions().get_bind()) as session:
        session.connection(execution_options={"read_only": True})
        query = ordered(interface, statement(session, interface, actor, asked), asked)
        with reading_as(locale):
            head = BOM + _line([str(column.title) for column in columns])
        yield head
        rows = session.execute(query.execution_options(yield_per=CHUNK)).scalars()
        for chunk in rows.partitions(CHUNK):
            with reading_as(locale):
                text = _chunk(session, register, columns, actor, chunk)
            yield text


def _chunk(session: Session, register: Register, columns: Sequence[Column], actor: Actor, rows: Sequence[Any]) -> str:
    names, look = _names(session, columns, rows), cells.look(session, register, actor, rows)
    return "".join(
        _line([harmless(_text(one, look(row, one.name, getattr(row, one.name)), names)) for one in columns])
        for row in rows
    )


def _text(column: Column, value: Any, names: Mapping[int, str]) -> str:
    if column.kind == "person" and isinstance(value, int):
        return names.get(value, "")
    return cells.plain(column, value)


def _names(session: Session, columns: Sequence[Column], rows: Sequence[Any]) -> dict[int, str]:
    """One query for the people of a chunk instead of one per cell."""
    people = [column.name for column in columns if column.kind == "person"]
    ids = {value for row in rows for name in people if isinstance(value := getattr(row, name), int)}
    return CATALOG.directory.names(session, sorted(ids)) if ids and CATALOG.directory is not None else {}


def _line(values: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
