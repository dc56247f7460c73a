"""Patterns of numbers: what may stand in one, when it would repeat itself, and how a number is written.

GB/T 9704-2012, 7.2.5: 代字, the full year in 〔〕, the number without leading zeros and without 第: 云启〔2026〕12号.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from engine.errors import RuleViolation
from engine.i18n import Sentence, _

OFFICIAL = "云启〔{year}〕{n}号"

PLACES = ("year", "month", "day", "department", "department_code", "n")
RESETS = ("yearly", "monthly", "never")
SCOPES = ("none", "department")
MODES = ("gap_free", "fast")

WIDEST = 12
"""digits a number may be filled up to"""
MOST_RESERVED = 100

_PLACE = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"n(?::(\d{1,2}))?")
_OF_DEPARTMENT = {"department", "department_code"}
_NEEDED = {"yearly": ("year",), "monthly": ("year", "month"), "never": ()}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a pattern: words (`place` is "") or a place; `width` digits at least."""

    text: str = ""
    place: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Office:
    """What of a department a number may show."""

    name: str
    code: str | None


def read(pattern: str) -> tuple[Token, ...]:
    """The pattern in pieces; raises RuleViolation at what is no place."""
    tokens, end = [], 0
    for found in _PLACE.finditer(pattern):
        tokens += _words(pattern[end : found.start()])
        tokens.append(_place(found[1].strip()))
        end = found.end()
    return (*tokens, *_words(pattern[end:]))


def _words(text: str) -> list[Token]:
    if "{" in text or "}" in text:
        raise _refused(_("A brace stands alone in “{text}”.", text=text), _("Write a place like {year}."))
    return [Token(text=text)] if text else []


def _place(name: str) -> Token:
    number = _NUMBER.fullmatch(name)
    if number is not None:
        width = int(number[1] or 0)
        if width > WIDEST:
            raise _refused(_("A number is filled up to {count} digits at most.", count=WIDEST))
        return Token(place="n", width=width)
    if name not in PLACES:
        raise _refused(
            _("There is no place “{name}”.", name=name),
            _("Choose from: {known}.", known=", ".join(f"{{{place}}}" for place in PLACES)),
        )
    return Token(place=name, width={"month": 2, "day": 2}.get(name, 0))


def check_pattern(pattern: str, *, reset: str, scope: str) -> None:
    """A pattern whose numbers can never repeat: told apart by period, by department and by the number itself."""
    tokens = read(pattern)
    places = [token.place for token in tokens if token.place]
    if places.count("n") != 1:
        raise _refused(_("A pattern needs the number {n} exactly once."))
    for place in places:
        if places.count(place) > 1:
            raise _refused(_("{{{place}}} stands in the pattern twice.", place=place))
    missing = [place for place in _NEEDED[reset] if place not in places]
    if missing:
        raise _refused(
            _("Counting starts again, but the numbers of two periods would be the same."),
            _("Add {{{place}}} to the pattern, or never start again.", place=missing[0]),
        )
    if scope == "department" and not _OF_DEPARTMENT & set(places):
        raise _refused(
            _("Each department counts for itself, but their numbers would be the same."),
            _("Add {department_code} or {department} to the pattern, or let all share one series."),
        )
    _check_apart(tokens)


def _check_apart(tokens: tuple[Token, ...]) -> None:
    """Department “A1”, number 1 must not read like department “A”, number 11."""
    at = {token.place: index for index, token in enumerate(tokens) if token.place}
    for place in _OF_DEPARTMENT & at.keys():
        first, last = sorted((at[place], at["n"]))
        if not re.search(r"[^0-9]", "".join(token.text for token in tokens[first:last])):
            raise _refused(
                _("Between the department and the number the pattern needs a sign that is no digit."),
                _("Write {example}, for instance.", example="{department_code}-{n}"),
            )
    if at.keys() >= _OF_DEPARTMENT:
        raise _refused(_("The pattern takes the department's name or its code, not both."))


def needs_department(pattern: str, scope: str) -> bool:
    return scope == "department" or any(token.place in _OF_DEPARTMENT for token in read(pattern))


def period_of(reset: str, day: date) -> str:
    """The period a day counts to: 2026, 2026-11 or none."""
    return {"yearly": f"{day:%Y}", "monthly": f"{day:%Y-%m}", "never": ""}[reset]


def write(pattern: str, *, value: int, day: date, office: Office | None) -> str:
    """The number as it is printed."""
    parts = {"year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}"}
    if office is not None:
        parts["department"] = office.name
        if office.code:
            parts["department_code"] = office.code
    written = []
    for token in read(pattern):
        if not token.place:
            written.append(token.text)
        elif token.place == "n":
            written.append(f"{value:0{token.width}d}")
        elif token.place in parts:
            written.append(parts[token.place])
        elif office is None:
            raise RuleViolation(_("This number needs a department."), code="department_missing")
        else:
            raise RuleViolation(
                _("The department {name} has no code for its numbers.", name=office.name),
                code="department_code_missing",
                remedy=_("Enter it with the department, then try again."),
            )
    return "".join(written)


def missing(values: Iterable[int], start: int, next_value: int) -> Iterator[tuple[int, int]]:
    """The stretches (first, last) between `start` and the next number that are nobody's; `values` ascend."""
    for before, after in pairwise((start - 1, *values, next_value)):
        if after - before > 1:
            yield before + 1, after - 1


def check_active(name: str, state: str) -> None:
    if state != "active":
        raise RuleViolation(
            _("The numbering rule {name} is archived and gives no further numbers.", name=name),
            code="rule_archived",
            remedy=_("Use another rule."),
        )


def check_move(text: str, state: str, to: str) -> None:
    """What is void stays void; only what is reserved can be used."""
    if state == "void":
        raise RuleViolation(_("The number {text} is void and stays so.", text=text), code="wrong_state")
    if to == "issued" and state != "reserved":
        raise RuleViolation(_("The number {text} is not reserved.", text=text), code="wrong_state")


def _refused(message: Sentence, remedy: Sentence | None = None) -> RuleViolation:
    return RuleViolation(message, code="bad_pattern", remedy=remedy)
