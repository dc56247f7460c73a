"""Reads the first table of an .xlsx, or a CSV, into rows of text; what is too large or no table is refused before."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from connectors.outcome import ConnectorError

MOST_BYTES = 5 * 1024 * 1024
MOST_UNPACKED = 60 * 1024 * 1024
MOST_RATIO = 200
"""A sheet packs well, a bomb better."""
MOST_PARTS = 500
MOST_ROWS = 5000
MOST_COLUMNS = 60
LONGEST_CELL = 4000
_BROKEN: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the library's parts raise at a broken file."""
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT = 20
"""Rows of a sheet that say whether a table stands there."""
_MOST_TITLES = 3
"""Lines above the head: what the table is called, of which day it is."""


class BadTable(ConnectorError):
    """It cannot be read. `code` says why; `row` and `column` where (from 1; 0 = the whole)."""

    code = "bad_table"

    def __init__(self, message: str, *, code: str, row: int = 0, column: int = 0) -> None:
        super().__init__(message, code=code)
        self.row = row
        self.column = column


Lines = Iterator[tuple[int, tuple[str, ...]]]
"""Number as the spreadsheet program counts it, cells."""


@dataclass(frozen=True)
class Row:
    number: int
    """as the spreadsheet program counts it"""
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    sheet: str = ""
    """which of several it was; "" = there is but one"""


def read(content: bytes) -> Table:
    """The first row is the head, but for titles above it; empty rows are left out. Raises BadTable."""
    head: tuple[str, ...] = ()
    rows: list[Row] = []
    sheet, lines = _lines(content, columns=2)
    for number, cells in _untitled(lines):
        if not any(cells):
            continue
        if len(cells) > MOST_COLUMNS:
            raise BadTable("There are too many columns.", code="too_many_columns", row=number)
        for position, cell in enumerate(cells, 1):
            if len(cell) > LONGEST_CELL:
                raise BadTable("A cell is too long.", code="cell_too_long", row=number, column=position)
        if not head:
            head = cells
            continue
        if len(rows) >= MOST_ROWS:
            raise BadTable("There are too many rows.", code="too_many_rows", row=number)
        rows.append(Row(number, (*cells, *[""] * (len(head) - len(cells)))))
    if not head:
        raise BadTable("There is nothing in it.", code="empty")
    return Table(head, tuple(rows), sheet)


def rows(content: bytes) -> Iterator[tuple[str, ...]]:
    """All that stands in it, line by line, whatever it means; at most a hundred more than MOST_ROWS of Excel's.

    Raises BadTable, on the way too.
    """
    return (cells for _number, cells in _lines(content, columns=1)[1])


def _lines(content: bytes, *, columns: int) -> tuple[str, Lines]:
    """The name of the sheet, where there are several, and what stands there."""
    if len(content) > MOST_BYTES:
        raise BadTable("The file is too large.", code="too_large")
    if content.startswith(_OLD_EXCEL):
        raise BadTable("This is the format of Excel before 2007.", code="old_excel")
    return _xlsx(content, columns) if content.startswith(_ZIP) else ("", _csv(content))


def _untitled(lines: Lines) -> Lines:
    """Without what stands above the head: single cells, followed by a line of several words."""
    above: list[tuple[int, tuple[str, ...]]] = []
    for number, cells in lines:
        if not any(cells):
            continue
        if sum(map(bool, cells)) > 1 or len(above) == _MOST_TITLES:
            if len(cells) > 1 and all(_is_word(cell) for cell in cells if cell):
                above.clear()
            yield from above
            yield number, cells
            yield from lines
            return
        above.append((number, cells))
    yield from above


def _is_word(cell: str) -> bool:
    """A head is made of words; numbers and days stand below it."""
    return sum(map(str.isdigit, cell)) * 2 < len(cell)


# ------------------------------------------------------------------------------------------------- CSV


def decoded(content: bytes) -> str:
    """UTF-8 with or without a mark, else gb18030, as Chinese Excel writes it; UTF-16 for its “Unicode text”."""
    if content.startswith(_UTF_16):
        text = content.decode("utf-16", "replace")
        if all(sign.isprintable() or sign in "\t\r\n" for sign in text) and "\ufffd" not in text:
            return text
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable("The file is neither UTF-8 nor GB18030.", code="unknown_encoding")


def _csv(content: bytes) -> Lines:
    text = decoded(content)
    if "\0" in text:
        raise BadTable("This is no table.", code="no_table")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)  # spreadsheet programs write what their country reads
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in lines:
            yield lines.line_num, _trimmed(cell.strip() for cell in cells)
    except csv.Error as error:
        raise BadTable(f"This is no table: {error}.", code="no_table", row=lines.line_num) from None


def _trimmed(cells: Iterator[str]) -> tuple[str, ...]:
    """Without what is empty at the end."""
    found = list(cells)
    while found and not found[-1]:
        found.pop()
    return tuple(found)


# ------------------------------------------------------------------------------------------------- Excel


def _xlsx(content: bytes, columns: int) -> tuple[str, Lines]:
    from openpyxl import load_workbook  # here: every process would pay a fifth of a second for it at its start

    _check_zip(content)
    with _whole():
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        shown = [one for one in book.worksheets if one.sheet_state == "visible"] or book.worksheets
        found = next((one for one in shown if _holds_table(one, columns)), shown[0])
        return found.title if len(shown) > 1 else "", _of_sheet(found, MOST_ROWS + 100)


def _holds_table(sheet: Any, columns: int) -> bool:
    """Before it often stands a sheet with notes, or an empty one."""
    return any(sum(map(bool, cells)) >= columns for _number, cells in _of_sheet(sheet, _LOOKED_AT))


def _of_sheet(sheet: Any, most: int) -> Lines:
    limits = {"max_row": most, "max_col": MOST_COLUMNS + 1}  # a sheet may claim to have a million
    with _whole():
        for number, cells in enumerate(sheet.iter_rows(values_only=True, **limits), 1):
            yield number, _trimmed(_text(cell).strip() for cell in cells)


@contextmanager
def _whole() -> Iterator[None]:
    from openpyxl.utils.exceptions import InvalidFileException

    broken: tuple[type[Exception], ...] = (*_BROKEN, InvalidFileException)
    try:
        yield
    except broken as error:
        raise BadTable(f"This is no Excel file: {type(error).__name__}.", code="no_table") from None


def _check_zip(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = file.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * len(content):
                raise BadTable("What is in it is too large.", code="too_large")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    _check_xml(file, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        raise BadTable("This is no Excel file.", code="no_table") from None


def _check_xml(file: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """No document type: entities are no part of a spreadsheet, and can grow without end."""
    with file.open(part) as opened:
        if b"<!DOCTYPE" in opened.read(4096):
            raise BadTable("This is no Excel file.", code="no_table")


def _text(value: Any) -> str:
    """A cell as a person reads it: a phone number that was taken for a number keeps its digits."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(Decimal(repr(value)), "f")
        case datetime():
            return str(value.date()) if value.time() == time() else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
    return str(value)
