"""Reads what callers send, strictly: what is unknown, missing or wrong is refused with every fault named at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from engine.errors import AppError, Problem
from engine.i18n import Sentence, _

Shape = TypeVar("Shape", bound=msgspec.Struct)

DEEPEST = 60
"""Levels of nesting in a body; forms and variables need a handful."""


class Unreadable(AppError):
    """The body is not what this address takes."""

    status = 400
    code = "unreadable"


class InvalidRequest(AppError):
    """Fields are unknown, missing or wrong; all are listed."""

    status = 422
    code = "invalid_request"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(_("Please correct the marked fields."), problems=tuple(problems))


def json_object(raw: bytes) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object."""
    if not raw.strip():
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(_("The body is not JSON: {reason}.", reason=str(error)[:200])) from error
    if not isinstance(body, dict):
        raise Unreadable(_("The body must be a JSON object."))
    _check_text(body, DEEPEST)
    return body


def _check_text(value: Any, levels: int) -> None:
    """No database stores the character NUL, and nobody means it."""
    if levels == 0:
        raise Unreadable(_("The body is nested too deeply."))
    if isinstance(value, str):
        check_printable(value)
    elif isinstance(value, dict):
        for name, member in value.items():
            check_printable(name)
            _check_text(member, levels - 1)
    elif isinstance(value, list):
        for member in value:
            _check_text(member, levels - 1)


def check_printable(text: str) -> None:
    if "\0" in text:
        raise Unreadable(_("The character NUL cannot be stored."))


def shape(given: Mapping[str, Any], wanted: type[Shape], *, words: bool = False) -> Shape:
    """`given` as a Struct. words: the values are text (a query string), so "2" is a number and "true" a yes.

    Raises InvalidRequest with one Problem for each field that is unknown, missing or wrong.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    problems = [Problem(name, _("There is no such field."), rule="unknown") for name in given if name not in fields]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in given:
            if field.required:
                problems.append(Problem(name, _("This is required."), rule="required"))
            continue
        try:
            values[field.name] = msgspec.convert(given[name], field.type, strict=not words)
        except msgspec.ValidationError as error:
            problems.append(_problem(name, str(error)))
    if problems:
        raise InvalidRequest(problems)
    return wanted(**values)


# ------------------------------------------------------------------------------------------------- msgspec's words

_WHERE = re.compile(r"^(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d*|\.\.\.)\]")


def _problem(name: str, said: str) -> Problem:
    found = _WHERE.match(said)
    message, path = (found["message"], found["path"] or "") if found else (said, "")
    return Problem(".".join([name, *_steps(path)]), _sentence(message), rule="invalid")


def _steps(path: str) -> Iterator[str]:
    for step in _STEP.finditer(path):
        index = step["index"]
        yield step["name"] or (index if index and index.isdigit() else "*")


_KINDS: dict[str, Sentence] = {
    "int": _("a whole number"),
    "float": _("a number"),
    "str": _("text"),
    "bool": _("true or false"),
    "array": _("a list"),
    "object": _("an object"),
    "null": _("nothing"),
    "datetime": _("an instant, for example 2026-05-04T09:00:00+08:00"),
    "duration": _("a duration, for example PT8H"),
}

_WRONG_KIND = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`$")
_BOUND = re.compile(r"^Expected `(?P<kind>[^`]+)`(?P<length> of length)? (?P<sign>[<>]=?) (?P<limit>[\d.e+-]+)$")
_PATTERN = re.compile(r"^Expected `str` matching regex ")
_MEMBER = re.compile(r"^Object (?:missing required|contains unknown) field `(?P<name>[^`]+)`$")


def _sentence(said: str) -> Sentence:
    """A complaint of msgspec's as a sentence of ours, so that it can be translated."""
    if found := _WRONG_KIND.match(said):
        return _("This must be {wanted}.", wanted=_kinds(found["wanted"]))
    if found := _BOUND.match(said):
        return _bound(found)
    if _PATTERN.match(said):
        return _("This does not have the expected form.")
    if said.startswith("Invalid enum value"):
        return _("This is not one of the possible values.")
    if found := _MEMBER.match(said):
        if "missing" in said:
            return _("The field “{name}” is missing in it.", name=found["name"])
        return _("There is no field “{name}” in it.", name=found["name"])
    return _("This cannot be read.")


def _kinds(names: str) -> str:
    return " / ".join(str(_KINDS.get(name.strip(), name.strip())) for name in names.split("|"))


def _bound(found: re.Match[str]) -> Sentence:
    upper, limit = found["sign"].startswith("<"), found["limit"]
    if found["length"] and found["kind"] == "str":
        if upper:
            return _("At most {count} characters fit here.", count=limit)
        return _("At least {count} characters are needed.", count=limit)
    if found["length"]:
        return (
            _("At most {count} are possible.", count=limit) if upper else _("At least {count} are needed.", count=limit)
        )
    return (
        _("This must be at most {limit}.", limit=limit) if upper else _("This must be at least {limit}.", limit=limit)
    )


def demand_one_of(ids: Sequence[int], conditions: Sequence[object]) -> None:
    """Many are named by their ids or by a filter that narrows: an empty one would mean everything there is."""
    if bool(ids) == bool(conditions):
        raise InvalidRequest([Problem("ids", _("Give ids, or a filter that is not empty."), rule="invalid")])
