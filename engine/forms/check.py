"""Reads a form file: its shape by JSON Schema, its sense by hand; every problem at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from babel.numbers import list_currencies
from jsonschema import Draft202012Validator

from engine.errors import DeploymentRefused, Problem
from engine.expressions import Expression, ExpressionError, compile_expression
from engine.forms.fields import Condition, Field, Words
from engine.forms.lookups import OPTION_SOURCES, REFERENCES
from engine.forms.schema import ALL_FIELDS, FormSchema
from engine.forms.values import pattern_problem
from engine.i18n import DEFAULT_LOCALE, Sentence, _

LARGEST_FILE = 200_000

PERSON, DEPARTMENT = "organization.employee", "organization.department"
"""The record types behind fields of type person and department."""

_TABLE_CELLS = {"text", "textarea", "number", "money", "date", "select", "multi", "switch", "person", "department",
                "reference"}  # fmt: skip
_KNOWS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"min_length", "max_length", "pattern", "computed", "title"}),
    "textarea": frozenset({"min_length", "max_length"}),
    "number": frozenset({"min", "max", "decimals", "computed"}),
    "money": frozenset({"min", "max", "currency", "computed"}),
    "date": frozenset({"min", "max"}),
    "datetime": frozenset(),
    "select": frozenset({"options"}),
    "multi": frozenset({"options", "min_items", "max_items"}),
    "switch": frozenset(),
    "person": frozenset({"multiple", "min_items", "max_items"}),
    "department": frozenset({"multiple", "min_items", "max_items"}),
    "reference": frozenset({"reference", "multiple", "min_items", "max_items"}),
    "attachment": frozenset({"min_items", "max_items"}),
    "table": frozenset({"columns", "min_items", "max_items"}),
    "section": frozenset(),
}
_EVERY_INPUT = frozenset({"id", "type", "label", "help", "required", "when", "route", "summary", "wide"})
_SECTION = frozenset({"id", "type", "label", "help", "when"})
_COLUMN = frozenset({"id", "type", "label", "help", "required"})


def check_schema(text: str) -> FormSchema:
    """The form in this text; DeploymentRefused lists all that is wrong with it, by path ("fields.2.columns.0")."""
    if len(text) > LARGEST_FILE:
        raise DeploymentRefused([Problem("", _("A form file has at most {count} characters.", count=LARGEST_FILE))])
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DeploymentRefused([Problem("", _("This is no JSON: {reason}.", reason=str(error)))]) from None
    problems = [Problem(where, message, rule="form_shape") for where, message in _shape_problems(raw)]
    if not problems:
        problems = [Problem(where, message, rule="form_sense") for where, message in _sense_problems(raw)]
    if problems:
        raise DeploymentRefused(problems)
    return FormSchema(
        title_words=_words(raw["title"]),
        fields=tuple(_field(one) for one in raw["fields"]),
        steps=raw.get("steps", {}),
    )


# ------------------------------------------------------------------------------------------------- shape


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(Path(__file__).with_name("form.schema.json").read_text("utf-8")))


def _shape_problems(raw: Any) -> Iterator[tuple[str, Sentence]]:
    for error in _validator().iter_errors(raw):
        where = ".".join(str(part) for part in error.absolute_path)
        yield where, _("This does not belong in a form file: {reason}", reason=error.message[:300])


# ------------------------------------------------------------------------------------------------- sense


def _sense_problems(raw: dict[str, Any]) -> Iterator[tuple[str, Sentence]]:
    yield from _ids(raw["fields"], "fields")
    inputs = {one["id"]: one for one in raw["fields"] if one["type"] != "section"}
    for number, one in enumerate(raw["fields"]):
        where = f"fields.{number}"
        yield from _field_problems(one, where, _SECTION if one["type"] == "section" else _EVERY_INPUT)
        yield from _computed_problems(one, where, raw["fields"])
        condition = one.get("when")
        if condition is not None:
            yield from _condition_problems(condition, f"{where}.when", inputs.get(condition["field"]), one["id"])
    ids = {one["id"] for one in raw["fields"]} | {ALL_FIELDS}
    for step, rights in raw.get("steps", {}).items():
        for name in rights.keys() - ids:
            yield f"steps.{step}.{name}", _("There is no field {field}.", field=name)


def _ids(fields: list[dict[str, Any]], where: str) -> Iterator[tuple[str, Sentence]]:
    seen: set[str] = set()
    for number, one in enumerate(fields):
        if one["id"] in seen:
            yield f"{where}.{number}", _("There are two fields {field}.", field=one["id"])
        seen.add(one["id"])


def _field_problems(one: dict[str, Any], where: str, common: frozenset[str]) -> Iterator[tuple[str, Sentence]]:
    kind = one["type"]
    for name in sorted(one.keys() - common - _KNOWS[kind]):
        yield f"{where}.{name}", _("A field of type {type} has no “{name}”.", type=kind, name=name)
    if kind in ("select", "multi"):
        yield from _options_problems(one, where)
    if kind == "reference" and one.get("reference") not in REFERENCES:
        yield (
            f"{where}.reference",
            _(
                "There is no record type “{name}”; known are: {known}.",
                name=one.get("reference", ""),
                known=", ".join(sorted(REFERENCES)) or "-",
            ),
        )
    if "pattern" in one and (problem := pattern_problem(one["pattern"])) is not None:
        yield f"{where}.pattern", problem
    if one.get("currency", "CNY") not in list_currencies():
        yield f"{where}.currency", _("{currency} is not a currency code.", currency=one["currency"])
    for limit in ("min", "max"):
        if limit in one and _is_day(one[limit]) != (kind == "date"):
            yield (
                f"{where}.{limit}",
                _("“{value}” is no limit for a field of type {type}.", value=one[limit], type=kind),
            )
    if kind == "table":
        if not one.get("columns"):
            yield where, _("A table needs columns.")
        yield from _ids(one.get("columns", []), f"{where}.columns")
        for number, column in enumerate(one.get("columns", [])):
            place = f"{where}.columns.{number}"
            if column["type"] not in _TABLE_CELLS:
                yield place, _("A field of type {type} cannot be a column.", type=column["type"])
            else:
                yield from _field_problems(column, place, _COLUMN)
                yield from _computed_problems(column, place, one["columns"])


def _options_problems(one: dict[str, Any], where: str) -> Iterator[tuple[str, Sentence]]:
    options = one.get("options")
    if options is None:
        yield where, _("A choice needs options.")
    elif isinstance(options, dict):
        if options["source"] not in OPTION_SOURCES:
            yield (
                f"{where}.options",
                _(
                    "There is no source of options “{name}”; known are: {known}.",
                    name=options["source"],
                    known=", ".join(sorted(OPTION_SOURCES)) or "-",
                ),
            )
    elif len({option["value"] for option in options}) < len(options):
        yield f"{where}.options", _("Two options have the same value.")


def _computed_problems(
    one: dict[str, Any], where: str, siblings: list[dict[str, Any]]
) -> Iterator[tuple[str, Sentence]]:
    if "computed" not in one:
        return
    try:
        expression = compile_expression(one["computed"])
    except ExpressionError as error:
        yield f"{where}.computed", _("This formula cannot be read: {reason}", reason=str(error))
        return
    # A formula sees entered values and the formulas above it, so no circle is possible.
    above = siblings[: siblings.index(one)]
    known = {other["id"] for other in siblings if "computed" not in other and other["type"] != "section"}
    known |= {other["id"] for other in above}
    for name in sorted(expression.names - known):
        yield f"{where}.computed", _("The formula names {field}, which is not known before it.", field=name)


def _condition_problems(
    condition: dict[str, Any], where: str, of: dict[str, Any] | None, own: str
) -> Iterator[tuple[str, Sentence]]:
    if of is None or condition["field"] == own:
        yield where, _("There is no other field {field}.", field=condition["field"])
    elif of["type"] in ("table", "attachment") and condition["op"] != "set":
        yield where, _("A field of type {type} can only be asked whether it is set.", type=of["type"])
    if condition["op"] != "set" and "value" not in condition:
        yield where, _("The condition needs a value to compare with.")
    if (condition["op"] == "in") != isinstance(condition.get("value"), list) and condition["op"] != "set":
        yield where, _("“in” compares with a list, everything else with one value.")
    if condition["op"] in ("gt", "lt") and of is not None and of["type"] not in ("number", "money", "date"):
        yield where, _("A field of type {type} is neither larger nor smaller than anything.", type=of["type"])


def _is_day(value: Any) -> bool:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


# ------------------------------------------------------------------------------------------------- reading


def _words(raw: str | dict[str, str]) -> Words:
    return {DEFAULT_LOCALE: raw} if isinstance(raw, str) else raw


def _field(raw: dict[str, Any]) -> Field:
    options = raw.get("options", [])
    is_source = isinstance(options, dict)
    plain = ("id", "type", "required", "route", "title", "summary", "wide", "min_length", "max_length", "pattern",
             "decimals", "currency", "multiple", "min_items", "max_items")  # fmt: skip
    return Field(
        **{name: raw[name] for name in plain if name in raw},
        min=str(raw["min"]) if "min" in raw else None,
        max=str(raw["max"]) if "max" in raw else None,
        label_words=_words(raw["label"]),
        help_words=_words(raw["help"]) if "help" in raw else None,
        when=Condition(**raw["when"]) if "when" in raw else None,
        choices=() if is_source else tuple((option["value"], _words(option["label"])) for option in options),
        source=options["source"] if is_source else None,
        reference={"person": PERSON, "department": DEPARTMENT}.get(raw["type"], raw.get("reference")),
        columns=tuple(_field(column) for column in raw.get("columns", [])),
        computed=_formula(raw.get("computed")),
    )


def _formula(text: str | None) -> Expression | None:
    return compile_expression(text) if text else None
