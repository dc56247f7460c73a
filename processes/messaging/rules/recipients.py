"""Who of those that were named is written to, who is not and why, and what each is told."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.kernel import phone_number
from processes.messaging.rules.quotas import segments_of

MOST_RECIPIENTS = 5000
LONGEST_TEXT = 1000

LEFT_OUT: Mapping[str, Sentence] = {
    "no_mobile": _("no mobile number"),
    "not_a_number": _("this is no phone number"),
    "duplicate": _("the same number stands above already"),
    "left": _("has left the company"),
    "opted_out": _("wants no more texts"),
    "no_consent": _("has not agreed to commercial texts"),
    "no_value": _("a place of the text has no value for them"),
    "too_long": _("the text is too long for them"),
    "over_quota": _("left out to stay within the quota"),
}

_NUMBER_HEADS = frozenset(
    {"number", "phone", "mobile", "tel", "号码", "手机", "手机号", "手机号码", "电话", "电话号码"}
)
_NAME_HEADS = frozenset({"name", "姓名", "名字", "称呼", "联系人"})
_PLACE = re.compile(r"\{([^{}\n]{1,30})\}")


@dataclass(slots=True)
class Candidate:
    """Somebody who was named, before and after the rules have looked."""

    number: str
    name: str = ""
    record: tuple[str, int] | None = None
    has_left: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    text: str = ""
    segments: int = 0
    left_out: str = ""


def places(text: str) -> list[str]:
    """The names in braces, each once."""
    return list(dict.fromkeys(one.strip() for one in _PLACE.findall(text)))


def filled(text: str, facts: Mapping[str, str]) -> str:
    """The text with its places filled. Places only: what people type here is never run as a template.

    Raises KeyError with the first place that has no value.
    """

    def value(found: re.Match[str]) -> str:
        given = facts.get(found[1].strip(), "").strip()
        if not given:
            raise KeyError(found[1].strip())
        return given

    return _PLACE.sub(value, text).strip()


# ------------------------------------------------------------------------------------------------- what is pasted


def read_lines(text: str) -> list[Candidate]:
    """Numbers as people paste them: one a line, or a table out of a spreadsheet, with or without a line of headings."""
    return read_table(_cells(text))


def _cells(text: str) -> list[list[str]]:
    tidy = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\t" in tidy:  # out of a table: what else stands in a cell is its own
        return list(csv.reader(StringIO(tidy), delimiter="\t"))
    tidy = tidy.replace("，", ",").replace("；", "\n").replace(";", "\n")
    return list(csv.reader(StringIO(tidy), skipinitialspace=True))


def read_table(rows: Sequence[Sequence[str]]) -> list[Candidate]:
    """Rows of number, name, further values. With headings the columns may stand in any order and name the places.

    Raises RuleViolation for too many.
    """
    lines = [[str(cell).strip() for cell in row] for row in rows]
    lines = [line for line in lines if any(line)]
    if not lines:
        return []
    heads = _heads(lines[0])
    if heads is not None:
        lines = lines[1:]
    else:
        heads = ["number", "name"]
    if len(lines) > MOST_RECIPIENTS:
        raise RuleViolation(
            _("{count} numbers are too many at once; {most} is the most.", count=len(lines), most=MOST_RECIPIENTS),
            code="too_many_recipients",
            remedy=_("Send them in several campaigns."),
        )
    return [_candidate(heads, line) for line in lines]


def _heads(line: Sequence[str]) -> list[str] | None:
    """The columns' names when the first line is one of headings: one of them must say where the numbers are."""
    names = [unicodedata.normalize("NFKC", cell).strip() for cell in line]
    if not any(name.casefold() in _NUMBER_HEADS for name in names):
        return None
    found = []
    for name in names:
        folded = name.casefold()
        if folded in _NUMBER_HEADS and "number" not in found:
            found.append("number")
        else:
            found.append("name" if folded in _NAME_HEADS and "name" not in found else name)
    return found


def _candidate(heads: Sequence[str], line: Sequence[str]) -> Candidate:
    values = {head: cell for head, cell in zip(heads, line, strict=False) if head}
    number, name = values.pop("number", ""), values.get("name", "")
    try:
        return Candidate(phone_number.parse(number), name[:100], facts=values)
    except RuleViolation:
        return Candidate(number[:40], name[:100], facts=values, left_out="not_a_number")


# ------------------------------------------------------------------------------------------------- who is written to


def look_over(
    candidates: Iterable[Candidate],
    text: str,
    *,
    opted_out: Collection[str],
    consenting: Collection[str] | None,
) -> list[Candidate]:
    """Decide on each, in the order they were named; the first reason counts.

    consenting: the numbers that have agreed; None when nothing commercial is sent. Whoever wants no more texts gets
    none of a campaign, but one's own employees are told what they must know.
    """
    seen: set[str] = set()
    looked = []
    for one in candidates:
        one.left_out = one.left_out or _reason(one, seen, opted_out, consenting)
        if not one.left_out:
            _write(one, text)
        if not one.left_out:
            seen.add(one.number)
        looked.append(one)
    return looked


def _reason(
    one: Candidate, seen: Collection[str], opted_out: Collection[str], consenting: Collection[str] | None
) -> str:
    if one.has_left:
        return "left"
    if not one.number or not phone_number.is_mobile(one.number):
        return "no_mobile"
    if one.number in seen:
        return "duplicate"
    if one.number in opted_out and (consenting is not None or one.record is None):
        return "opted_out"
    if consenting is not None and one.number not in consenting:
        return "no_consent"
    return ""


def _write(one: Candidate, text: str) -> None:
    facts = {**one.facts, "name": one.name, "姓名": one.name}
    try:
        one.text = filled(text, facts)
        one.segments = segments_of(one.text)
    except KeyError:
        one.left_out = "no_value"
    except RuleViolation:
        one.left_out = "too_long"
    if len(one.text) > LONGEST_TEXT:
        one.left_out = "too_long"
    if one.left_out:
        one.text, one.segments = "", 0
