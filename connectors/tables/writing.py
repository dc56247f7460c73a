"""Writes an .xlsx row by row: numbers as numbers, dates as dates, phone numbers as text, formulas as mere words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal

# openpyxl is imported where it is used: every process of the house would pay a fifth of a second for it at its start.

Kind = Literal["text", "number", "money", "date", "datetime"]

MOST_ROWS = 1_048_575
"""As many as a sheet holds, the head aside."""
LONGEST_CELL = 32_767
_FORMATS: dict[Kind, str] = {
    "text": "@",
    "number": "General",
    "money": "#,##0.00",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
}
_WIDTHS: dict[Kind, float] = {"text": 20, "number": 12, "money": 16, "date": 12, "datetime": 18}
_DIGITS = 15
"""A spreadsheet program forgets what stands behind the fifteenth."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Head:
    title: str
    kind: Kind = "text"
    width: float = 0


@dataclass(frozen=True)
class Imprint:
    """What a file says of itself: a line at the foot of every printed page, and a sheet behind the rows."""

    title: str
    """of that sheet"""
    foot: str
    said: Sequence[tuple[str, str]]


def write(
    file: IO[bytes], title: str, heads: Sequence[Head], rows: Iterable[Sequence[Any]], imprint: Imprint | None = None
) -> int:
    """One sheet with a frozen head, and that of the imprint; returns how many rows the former has. Stops at MOST_ROWS.

    A value that does not fit its column's kind is written as text; datetimes are naive, as people read them.
    """
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(_sheet_name(title) or "1")
    sheet.freeze_panes = "A2"
    if imprint is not None:
        # Before the first row: what stands at the foot is written with the sheet's end, from this.
        sheet.oddFooter.center.text = imprint.foot.replace("&", "&&")
    for number, head in enumerate(heads, 1):
        sheet.column_dimensions[get_column_letter(number)].width = head.width or _width(head)
    sheet.append([_bold(sheet, head.title) for head in heads])
    count = 0
    for row in rows:
        if count >= MOST_ROWS:
            break
        sheet.append([_cell(sheet, head.kind, value) for head, value in zip(heads, row, strict=True)])
        count += 1
    if imprint is not None:
        _add_imprint(book, imprint)
    book.save(file)
    return count


def _add_imprint(book: Any, imprint: Imprint) -> None:
    sheet: Any = book.create_sheet(_sheet_name(imprint.title))
    for letter, width in (("A", 20), ("B", 80)):
        sheet.column_dimensions[letter].width = width
    for name, value in imprint.said:
        sheet.append([_bold(sheet, name), _cell(sheet, "text", value)])


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31]


def _width(head: Head) -> float:
    """Chinese signs are twice as wide."""
    return max(_WIDTHS[head.kind], sum(2 if ord(sign) > 0x2E7F else 1 for sign in head.title) + 4)


def _bold(sheet: Any, title: str) -> Any:
    from openpyxl.styles import Font

    cell = _cell(sheet, "text", title or " ")
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, kind: Kind, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if value is None or value == "":
        return None
    if kind in ("number", "money") and _is_number(value):
        cell: Any = WriteOnlyCell(sheet, value)
    elif kind in ("date", "datetime") and isinstance(value, date):
        day: Any = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        cell = WriteOnlyCell(sheet, day)
    else:
        kind = "text"
        text = _UNPRINTABLE.sub("", str(value))[:LONGEST_CELL]
        cell = WriteOnlyCell(sheet, text)
        cell.data_type = "s"  # also what begins like a formula: it is a word, and nothing computes it
        if text.startswith(_FORMULA):
            cell.quotePrefix = True  # and stays one when somebody edits it
    cell.number_format = _FORMATS[kind]
    return cell


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return False
    return len(Decimal(str(value)).as_tuple().digits) <= _DIGITS
