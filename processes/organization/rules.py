"""What must hold in a department tree, a line of command, the company's calendar and the picture of a signature."""

from __future__ import annotations

import csv
import itertools
import json
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from io import StringIO
from typing import Any

from engine.errors import InvalidForm, Problem, RuleViolation
from engine.i18n import Sentence, _
from processes.kernel.working_time import Spans
from processes.organization.models import Department, Employee


def path_below(parent: Department | None, department_id: int) -> str:
    """The path of a department under this parent: "/1/4/"."""
    return f"{parent.path if parent else '/'}{department_id}/"


def check_parent(department: Department, parent: Department | None) -> None:
    """A department cannot stand below itself, nor below an archived one."""
    if parent is None:
        return
    if department.path and parent.path.startswith(department.path):
        raise RuleViolation(
            _(
                "{department} cannot be placed below {parent}: that would be a circle.",
                department=department.name,
                parent=parent.name,
            ),
            code="department_circle",
        )
    if parent.state != "active":
        raise RuleViolation(
            _("{parent} is archived and takes no further departments.", parent=parent.name), code="department_archived"
        )


def check_superior(employee: Employee, line_of_superior: Sequence[Employee]) -> None:
    """Nobody is their own superior, at any distance. `line_of_superior`: the new superior and everyone above."""
    if any(person.id == employee.id for person in line_of_superior):
        raise RuleViolation(
            _(
                "{superior} answers to {employee} and cannot be their superior: that would be a circle.",
                superior=line_of_superior[0].name,
                employee=employee.name,
            ),
            code="superior_circle",
        )


def nth_active(line: Sequence[Employee], levels: int) -> Employee | None:
    """The n-th person up the line who is still with us; the topmost when it is shorter, None when it is empty."""
    active = [person for person in line if person.is_active]
    return active[min(levels, len(active)) - 1] if active else None


# ------------------------------------------------------------------------------------------------- when people work

DAY_KINDS = ("holiday", "working", "short")
MOST_SPANS = 6
MOST_DAYS = 400
"""lines of one announcement: more than a year has days"""
LONGEST_ANNOUNCEMENT = 100_000
LONGEST_NAME = 100
YEARS = range(2000, 2101)

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~至到]\s*(\d{1,2}):(\d{2})")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９：－～，；、", "0123456789:-~,,,")
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\s*(?:\.\.|~|至|到)\s*(\d{4}-\d{2}-\d{2})")
_KIND_WORDS: Mapping[str, str] = {
    "holiday": "holiday", "off": "holiday", "放假": "holiday", "休": "holiday", "假日": "holiday", "假": "holiday",
    "working": "working", "work": "working", "上班": "working", "补班": "working", "班": "working",
    "调休上班": "working", "调休放假": "holiday",
    "short": "short", "缩短": "short", "半天": "short",
}  # fmt: skip
"""What an announcement may call a kind; 调休 alone is refused, for it names both the day off and the day worked."""
_COLUMN_WORDS: Mapping[str, str] = {
    "date": "date", "day": "date", "日期": "date", "kind": "kind", "type": "kind", "类型": "kind",
    "name": "name", "名称": "name", "hours": "hours", "时间": "hours",
}  # fmt: skip


def read_hours(text: str) -> Spans:
    """Spans of "09:00-12:00, 13:00-18:00"; "" is a day off. Full-width signs and 至 are read as well."""
    parts = [part.strip() for part in text.translate(_FULL_WIDTH).replace(";", ",").split(",") if part.strip()]
    if len(parts) > MOST_SPANS:
        raise RuleViolation(_("A day has at most {count} stretches of office hours.", count=MOST_SPANS))
    spans: list[tuple[time, time]] = []
    for part in parts:
        found = _SPAN.fullmatch(part)
        if found is None:
            raise RuleViolation(_("{text} are no office hours; write 09:00-12:00, 13:00-18:00.", text=part))
        spans.append((_clock(found[1], found[2]), _clock(found[3], found[4])))
    spans.sort()
    for opens, closes in spans:
        if opens >= closes:
            raise RuleViolation(
                _("{opens} to {closes} ends before it begins.", opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}"),
                remedy=_("Hours past midnight are not office hours here."),
            )
    for (_before, closes), (opens, _after) in itertools.pairwise(spans):
        if opens <= closes:
            raise RuleViolation(
                _("Two stretches of office hours overlap or touch at {time}.", time=f"{opens:%H:%M}"),
                remedy=_("Write them as one."),
            )
    return tuple(spans)


def _clock(hour: str, minute: str) -> time:
    if int(hour) > 23 or int(minute) > 59:
        raise RuleViolation(_("There is no such time of day: {text}.", text=f"{hour}:{minute}"))
    return time(int(hour), int(minute))


def write_hours(spans: Spans) -> str:
    return ", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in spans)


def check_day(kind: str, spans: Spans) -> None:
    """A holiday has no hours, a short day needs some."""
    if kind == "holiday" and spans:
        raise RuleViolation(_("Nobody works on a holiday; leave its hours empty, or make it a shortened day."))
    if kind == "short" and not spans:
        raise RuleViolation(_("Say from when to when people work on the shortened day."))


def check_week(week: Mapping[int, Spans]) -> None:
    """Without any office hours no working time would ever pass, and no due date ever come."""
    if not any(week.values()):
        raise RuleViolation(
            _("At least one weekday needs office hours: otherwise no due date would ever come."), code="no_office_hours"
        )


@dataclass(frozen=True, slots=True)
class Announced:
    """One day of an announcement."""

    day: date
    kind: str
    name: str
    hours: str = ""


def read_announcement(text: str) -> list[Announced]:
    """A year's announcement: CSV (date, kind, name, hours) with or without a heading, or the same as a JSON list.

    A date may be a range, 2027-10-01..2027-10-07. Raises InvalidForm with every line that cannot be read.
    """
    if not text.strip():
        raise InvalidForm([Problem("text", _("Paste the days, one a line: date, kind, name."))])
    if len(text) > LONGEST_ANNOUNCEMENT:
        raise InvalidForm([Problem("text", _("This is too long for the days of a year."))])
    problems: list[Problem] = []
    found: dict[date, Announced] = {}
    for number, row in _announcement_rows(text.lstrip("\ufeff")):
        try:
            days = list(_announced(row))
        except RuleViolation as refusal:
            problems.append(
                Problem("text", _("Line {number}: {what}", number=number, what=refusal.message), refusal.remedy)
            )
            continue
        for one in days:
            if one.day in found:
                twice = _("{day} stands there twice.", day=one.day.isoformat())
                problems.append(Problem("text", _("Line {number}: {what}", number=number, what=twice)))
            found[one.day] = one
    if len(found) > MOST_DAYS:
        problems.append(Problem("text", _("At most {count} days can be imported at once.", count=MOST_DAYS)))
    if not found and not problems:
        problems.append(Problem("text", _("Paste the days, one a line: date, kind, name.")))
    if problems:
        raise InvalidForm(problems[:20])
    return [found[day] for day in sorted(found)]


def _announcement_rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    if text.lstrip().startswith(("[", "{")):
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError):
            rows = None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InvalidForm([Problem("text", _("This is no JSON list of days with date, kind and name."))])
        for number, row in enumerate(rows[: MOST_DAYS + 1], 1):
            yield number, _named(row.items())
        return
    sample = "\n".join(text.replace("\t", ",").replace("，", ",").splitlines())
    columns = ["date", "kind", "name", "hours"]
    for number, cells in enumerate(csv.reader(StringIO(sample)), 1):
        if number > 2 * MOST_DAYS:
            raise InvalidForm([Problem("text", _("At most {count} days can be imported at once.", count=MOST_DAYS))])
        if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
            continue
        named = [_COLUMN_WORDS.get(cell.strip().lower(), "") for cell in cells]
        if "date" in named:
            columns = named if "hours" in named else [*named, "hours"]
            continue
        last = len(columns) - 1  # hours of two stretches may be written without quotation marks
        joined = [*cells[:last], ",".join(cells[last:])] if columns[last] == "hours" else cells
        yield number, _named(zip(columns, joined, strict=False))


def _named(pairs: Iterable[tuple[Any, Any]]) -> Mapping[str, str]:
    return {_COLUMN_WORDS.get(str(name).strip().lower(), ""): str(value or "").strip() for name, value in pairs}


def _announced(row: Mapping[str, str]) -> Iterator[Announced]:
    kind = _KIND_WORDS.get(row.get("kind", "").lower())
    if kind is None:
        raise RuleViolation(
            _("“{kind}” is no kind of day; write holiday, working or short.", kind=row.get("kind", "")[:40])
        )
    if len(row.get("name", "")) > LONGEST_NAME:
        raise RuleViolation(_("At most {count} characters fit here.", count=LONGEST_NAME))
    spans = read_hours(row.get("hours", ""))
    check_day(kind, spans)
    between = _RANGE.fullmatch(row.get("date", ""))
    first = _date(between[1] if between else row.get("date", ""))
    last = _date(between[2]) if between else first
    if not first <= last <= first + timedelta(days=60):
        raise RuleViolation(_("A range of days runs forward and has at most 60 days."))
    for offset in range((last - first).days + 1):
        yield Announced(first + timedelta(days=offset), kind, row.get("name", ""), write_hours(spans))


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise RuleViolation(_("“{text}” is no date; write it as 2027-01-01.", text=text[:40])) from None
    check_year(day)
    return day


def check_year(day: date) -> None:
    if day.year not in YEARS:
        raise RuleViolation(
            _("The calendar goes from {first} to {last}.", first=YEARS.start, last=YEARS.stop - 1), code="year_too_far"
        )


# ------------------------------------------------------------------------------------------------- signatures

SIGNATURE_BYTES = 200 * 1024
SIGNATURE_SIZES = ((60, 1200), (20, 600))
"""(narrowest, widest), (lowest, highest), in dots"""

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST = 1200 * 600 * 8 + 4096
"""Bytes of the largest allowed picture once unpacked: 16 bits for each of four colours, with room for its lines."""


def check_signature(content: bytes) -> None:
    """A signature is a whole, small PNG: it goes into every print and package, and must be readable for decades."""
    if not content:
        raise _no_signature(_("Please choose a picture."))
    if len(content) > SIGNATURE_BYTES:
        raise _no_signature(_("The picture is larger than {limit} KB.", limit=SIGNATURE_BYTES // 1024))
    if not content.startswith(_PNG):
        raise _no_signature(_("The picture is not a PNG."))
    chunks = list(_chunks(content))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1][0] != b"IEND":
        raise _no_signature(_("The picture is damaged."))
    (narrow, wide), (low, high) = SIGNATURE_SIZES
    width, height = struct.unpack(">II", chunks[0][1][:8])
    if not (narrow <= width <= wide and low <= height <= high):
        raise _no_signature(
            _(
                "The picture has {width} × {height} dots; between {narrow} × {low} and {wide} × {high} fit.",
                width=width, height=height, narrow=narrow, low=low, wide=wide, high=high,
            )
        )  # fmt: skip
    unpacker = zlib.decompressobj()
    try:
        dots = unpacker.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"), _MOST)
    except zlib.error:
        dots = b""
    if not dots or not unpacker.eof:
        raise _no_signature(_("The picture is damaged."))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a PNG, (kind, data); it ends early where a checksum does not hold."""
    at = len(_PNG)
    while at + 12 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        checksum = png[at + 8 + length : at + 12 + length]
        if len(checksum) != 4 or struct.unpack(">I", checksum)[0] != zlib.crc32(kind + data):
            return
        yield kind, data
        at += 12 + length


def _no_signature(reason: Sentence) -> RuleViolation:
    return RuleViolation(
        _("This cannot serve as a signature."), code="signature_refused", problems=(Problem("signature", reason),)
    )


# ------------------------------------------------------------------------------------------------- how far people see

SCOPED_MODULES: Mapping[str, Sentence] = {"customer": _("Customers, contacts and contact records")}
"""Parts of the house that know data scopes."""

SCOPE_LEVELS: Mapping[str, Sentence] = {
    "own": _("Own records"),
    "department": _("Own department"),
    "below": _("Own department and all below it"),
    "chosen": _("Chosen departments and all below them"),
    "all": _("All records"),
}
