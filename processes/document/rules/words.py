"""What a Word template may do with values, and how its faults read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from connectors.word.faults import Place
from connectors.word.inspecting import Fault
from engine.errors import Problem
from engine.i18n import Sentence, _
from processes.kernel.money import DEFAULT_CURRENCY, in_capitals

PAPER_LOCALE = "zh_CN"
"""Contracts of Chinese companies; a template in another language gives its pattern: {{ day|date("d MMMM yyyy") }}."""
LARGEST = Decimal(10) ** 16


def decimal_of(value: Any) -> Decimal:
    """A number as JSON and forms carry it: 12, "12.50", {"amount": "12.50", "currency": "CNY"}; else ValueError."""
    given = value.get("amount") if isinstance(value, Mapping) else value
    try:
        number = Decimal("x" if isinstance(given, bool) else str(given).strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(repr(value)[:40]) from None
    if not number.is_finite() or abs(number) >= LARGEST:
        raise ValueError(repr(value)[:40])
    return number


def amount(value: Any) -> str:
    """1234.5 -> 1,234.50"""
    return str(format_decimal(decimal_of(value), format="#,##0.00", locale=PAPER_LOCALE)) if _given(value) else ""


def capitals(value: Any) -> str:
    """人民币大写 of an amount in yuan; of another currency there is none."""
    if not _given(value):
        return ""
    if isinstance(value, Mapping) and value.get("currency", DEFAULT_CURRENCY) != DEFAULT_CURRENCY:
        raise ValueError(str(value.get("currency")))
    return in_capitals(decimal_of(value))


def number(value: Any) -> str:
    return str(format_decimal(decimal_of(value), locale=PAPER_LOCALE)) if _given(value) else ""


def day(value: Any, pattern: str = "yyyy年M月d日") -> str:
    """2026-11-27 -> 2026年11月27日"""
    if not _given(value):
        return ""
    on = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    return str(format_date(on, pattern, locale="en" if pattern.isascii() and "MMM" in pattern else PAPER_LOCALE))


def _given(value: Any) -> bool:
    return value not in (None, "") and not (isinstance(value, Mapping) and value.get("amount") in (None, ""))


FILTERS: Mapping[str, Callable[..., Any]] = {"amount": amount, "capitals": capitals, "number": number, "date": day}

_CHECKS: Mapping[str, tuple[Callable[[Any], Any], Sentence]] = {
    "money": (decimal_of, _("Please write an amount, for example 1200.50.")),
    "number": (decimal_of, _("Please write a number.")),
    "date": (day, _("Please write a date, for example 2026-05-04.")),
}
_SHAPES = {
    "missing": _("This is required."),
    "not_a_list": _("This is a list of lines."),
    "not_a_group": _("This is a group of named values."),
}


def shape_problem(path: str, code: str) -> Problem:
    return Problem(path, _SHAPES[code])


def wrong_values(fields: Sequence[Mapping[str, Any]], data: Any, before: str = "") -> Iterator[Problem]:
    """Values that are there and are not what their field takes."""
    for one in fields:
        value = data.get(one["name"]) if isinstance(data, Mapping) else None
        path = f"{before}{one['name']}"
        if value in (None, ""):
            continue
        if one["kind"] == "list" and isinstance(value, list):
            for place, line in enumerate(value):
                yield from wrong_values(one["fields"], line, f"{path}.{place}.")
        elif one["kind"] == "group":
            yield from wrong_values(one["fields"], value, f"{path}.")
        elif one["kind"] in _CHECKS:
            check, sentence = _CHECKS[one["kind"]]
            try:
                check(value)
            except (ValueError, AttributeError):
                yield Problem(path, sentence)
        elif one["kind"] == "text" and isinstance(value, (Mapping, list)):
            yield Problem(path, _("Please write text here."))


# ------------------------------------------------------------------------------------------------- faults in words

_PARTS = {"body": _("Body text"), "header": _("Header"), "footer": _("Footer"), "footnotes": _("Notes")}

_FAULTS: Mapping[str, tuple[Sentence, Sentence]] = {
    "loose_braces": (
        _("A brace is not closed, or closes nothing: {detail}"),
        _("Write each place as {example} within one paragraph.", example="{{ name }}"),
    ),
    "not_readable": (
        _("This place cannot be read: {detail}"),
        _("Names have no blanks and no full-width signs: {example}", example="{{ buyer.name }}"),
    ),
    "not_allowed": (
        _("A template may not say this: {detail}"),
        _("Only names, loops, conditions and the filters of the manual."),
    ),
    "unknown_filter": (
        _("There is no filter “{detail}”."),
        _("Choose from: {known}.", known="amount, capitals, date, number, picture, default, join, length, round"),
    ),
    "unknown_statement": (
        _("There is no statement “{detail}”."),
        _("Loops are {loop}, conditions {condition}.", loop="{%tr for line in lines %}", condition="{% if name %}"),
    ),
    "unknown_field": (_("Nobody gives the field “{detail}”."), _("Correct its name, or take it out.")),
    "unclear_field": (
        _("It cannot be told what “{detail}” is."),
        _("Use a field as one value, or as a group, not as both."),
    ),
    "not_closed": (_("The {detail} that begins here has no end."), _("Write its end: {ends}.", ends="endfor, endif")),
    "no_beginning": (_("{detail} ends what has not begun."), _("Write its beginning, or take it out.")),
    "ends_differ": (
        _("The beginning and the end are of different kinds: {detail}"),
        _("A loop that begins with {example} ends with the same letters.", example="{%tr"),
    ),
    "not_in_table": (
        _("“{detail}” repeats rows or cells of a table, and stands in none."),
        _("Put it into a row of its own."),
    ),
    "two_in_row": (
        _("Beginning and end of the loop stand in the same row; one of them would be lost."),
        _("Give each a row of its own, above and below the row that repeats."),
    ),
    "beside_tag": (
        _("What stands beside {detail} would be lost: its whole row or paragraph goes."),
        _("Move the words to another row or paragraph."),
    ),
    "too_deep": (_("Too many loops inside each other."), _("Use fewer.")),
    "tracked_changes": (
        _("The file has tracked changes."),
        _("Accept or reject them in Word, then upload it again."),
    ),
    "broken_structure": (
        _("A loop or condition cuts through a table or paragraph. {detail}"),
        _("Begin and end it at the same level: both in rows, or both in paragraphs."),
    ),
}


def fault_problem(fault: Fault) -> Problem:
    """A fault as people read it; `where` = the part and the words of the paragraph."""
    sentence, remedy = _FAULTS.get(fault.code, _FAULTS["not_readable"])
    return Problem(
        where=place_words(fault.place),
        message=Sentence(sentence.template, {"detail": fault.detail}),
        remedy=remedy,
        rule=fault.code,
    )


def place_words(place: Place | None) -> str:
    if place is None:
        return ""
    part = _("Row of a table") if place.in_row and place.part == "body" else _PARTS[place.part]
    return f"{part}: {place.text}" if place.text else str(part)


REFUSED: Mapping[str, Sentence] = {
    "not_word": _("This is no Word file (.docx), or it is damaged."),
    "too_large": _("The file is too large."),
    "bomb": _("The file unpacks to far more than a document needs."),
    "encrypted": _("The file is locked with a password."),
    "macros": _("The file contains macros."),
    "external": _("The file takes something from outside: {detail}"),
    "embedded": _("The file has an object of another program in it: {detail}"),
    "foreign_part": _("The file embeds a foreign page: {detail}"),
    "reaching_field": _("The file has a field that fetches from outside: {detail}"),
    "no_such_revision": _("There is no change {detail} in this file."),
    "not_compared": _("These two files cannot be compared."),
    "no_comparer": _("This machine has no program that compares Word files."),
}

NO_PDF: Mapping[str, Sentence] = {
    "no_office": _("This machine has no LibreOffice, which makes PDF files."),
    "timeout": _("LibreOffice did not finish in time."),
    "failed": _("LibreOffice could not print the file."),
    "no_pages": _("The PDF came out empty."),
    "refused": _("The Word file is not accepted for printing."),
    "lost": _("The Word file is not in its folder any more."),
}


def refusal(code: str, detail: str) -> Sentence:
    sentence = REFUSED.get(code, REFUSED["not_word"])
    return Sentence(sentence.template, {"detail": detail})
