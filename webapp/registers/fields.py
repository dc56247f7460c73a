"""The fields of a register's form: drawn from its columns, read from what was posted, judged by the operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Boolean, Text, inspect
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine.actor import Actor
from engine.catalog import CATALOG, Column, Register
from engine.i18n import Sentence, _
from processes.kernel.working_time import ZONE
from webapp.registers.interface import find_visible, primary_key, register_of
from webapp.skin import formats

INPUT_TYPES = {"date": "date", "datetime": "datetime-local", "number": "text", "money": "text"}


@dataclass(frozen=True)
class Option:
    value: str
    text: str
    chosen: bool = False


@dataclass
class Field:
    """One field as the form template draws it."""

    column: Column
    required: bool
    control: str
    """text | textarea | date | datetime-local | number | money | bool | select | remote"""
    value: str = ""
    options: tuple[Option, ...] = ()
    remote: str = ""
    """name of the register that a remote select searches"""
    many: bool = False
    longest: int | None = None
    errors: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.column.name


class Form:
    """A register's form, filled from a record, from an address, or from what was posted and refused."""

    def __init__(self, register: Register, *, is_new: bool) -> None:
        self.register = register
        self.is_new = is_new
        asked = [column for column in register.fields if is_new or not column.only_new]
        self.fields = [_field(register.model, column) for column in asked]
        self.errors: list[str] = []
        """what concerns the form as a whole"""
        self.opened = ""
        """what its reader knew of the record, sealed (webapp.registers.opened)"""

    def show(self, values: Mapping[str, Any]) -> None:
        """Fill in values as the record holds them."""
        for one in self.fields:
            _show(one, values.get(one.name))

    def show_record(self, record: Any) -> None:
        self.show({one.name: getattr(record, one.name) for one in self.fields})

    def prefill(self, session: Session, actor: Actor, args: Mapping[str, str]) -> None:
        """Values a link brings along ("new employee of this department"); what the person may not see stays empty."""
        values: dict[str, Any] = _defaults(self.register, self.fields)
        for one in self.fields:
            given = args.get(one.name)
            if given is None:
                continue
            model = related_model(self.register.model, one.column)
            values[one.name] = find_visible(session, actor, model, given) if model is not None else given
        self.show(values)

    def read(self, session: Session, actor: Actor, posted: MultiDict[str, str]) -> dict[str, Any]:
        """Typed values for the operation. Unreadable ones become errors here; the rest is the operation's to judge."""
        values = {}
        for one in self.fields:
            try:
                values[one.name] = _read(self.register.model, one, posted)
            except ValueError:
                one.errors.append(str(_("This cannot be read.")))
                one.value = posted.get(one.name, "")
                continue
            self._check_choice(session, actor, one, values)
        return values

    def _check_choice(self, session: Session, actor: Actor, one: Field, values: dict[str, Any]) -> None:
        """Row rights hold on the way in as well: a select takes only what its lookup would have offered."""
        model = related_model(self.register.model, one.column)
        value = values[one.name]
        if model is None:
            _show(one, value)
            return
        keys = value if isinstance(value, list) else [] if value is None else [value]
        found = [find_visible(session, actor, model, key) for key in keys]
        _show(one, [record for record in found if record is not None] if one.many else (found or [None])[0])
        if None in found:
            one.errors.append(str(_("Please choose from the list.")))

    def refuse(self, problems: Iterable[tuple[str, Sentence, Sentence | None]]) -> None:
        """Put each problem beside its field; those without one stand above the form."""
        by_name = {one.name: one for one in self.fields}
        for where, message, remedy in problems:
            target = by_name.get(where.split(".")[0])
            if target is None:
                self.errors.append(f"{message} {remedy or ''}".strip())
            else:
                target.errors.append(str(message))
                if remedy:
                    target.remedies.append(str(remedy))

    def say_only(self, message: Sentence, remedy: Sentence) -> None:
        """The record has gone from whoever types: his faults do not matter now."""
        for one in self.fields:
            one.errors.clear()
        self.refuse([("", message, remedy), ("", _("Nothing was saved; what you typed is still below."), None)])

    @property
    def refused(self) -> bool:
        return bool(self.errors) or any(one.errors for one in self.fields)


def related_model(model: type, column: Column) -> type | None:
    """The model whose records this column chooses from."""
    relations: Any = inspect(model).relationships
    if column.name in relations:
        found: type = relations[column.name].mapper.class_
        return found
    if column.kind == "person":
        people = CATALOG.registers.get("organization.employee")
        return people.model if people else None
    return None


def _field(model: type, column: Column) -> Field:
    mapper: Any = inspect(model)
    other = related_model(model, column)
    if other is not None:
        register = register_of(other)
        relation = mapper.relationships.get(column.name)
        return Field(
            column,
            required=_is_required(mapper, column.name),
            control="remote",
            remote=register.name if register else "",
            many=bool(relation is not None and relation.uselist),
        )
    kind = mapper.columns[column.name].type if column.name in mapper.columns else None
    if column.kind == "bool" or isinstance(kind, Boolean):
        control = "bool"
    elif column.choices:
        control = "select"
    elif column.kind == "long" or isinstance(kind, Text):
        control = "textarea"
    else:
        control = {"date": "date", "datetime": "datetime-local"}.get(column.kind, column.kind)
    return Field(
        column,
        required=_is_required(mapper, column.name),
        control=control
        if control in {"bool", "select", "textarea", "date", "datetime-local", "number", "money"}
        else "text",
        longest=getattr(kind, "length", None),
    )


def _is_required(mapper: Any, name: str) -> bool:
    """Marked with a star; the operation has the last word."""
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        return not relation.uselist and not any(column.nullable for column in relation.local_columns)
    if name not in mapper.columns:
        return False
    column = mapper.columns[name]
    return not column.nullable and column.default is None and column.server_default is None


def _defaults(register: Register, fields: list[Field]) -> dict[str, Any]:
    columns: Any = inspect(register.model).columns
    values = {}
    for one in fields:
        default = columns[one.name].default if one.name in columns else None
        if default is not None and default.is_scalar:
            values[one.name] = default.arg
    return values


def _show(one: Field, value: Any) -> None:
    match one.control:
        case "remote":
            chosen = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
            one.options = tuple(_option(record) for record in chosen)
        case "select":
            one.options = tuple(
                Option(key, str(title), chosen=str(value) == key) for key, title in one.column.choices.items()
            )
            one.value = "" if value is None else str(value)
        case "bool":
            one.value = "true" if value is True or value == "true" else ""
        case "datetime-local" if isinstance(value, datetime):
            one.value = (
                (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
            )
        case _:
            one.value = value.isoformat() if isinstance(value, date) else "" if value is None else str(value)


def _option(record: Any) -> Option:
    if isinstance(record, int):
        return Option(str(record), formats.person(record), chosen=True)
    return Option(str(getattr(record, primary_key(type(record)).key)), str(record), chosen=True)


def _read(model: type, one: Field, posted: MultiDict[str, str]) -> Any:
    if one.control == "bool":
        return posted.get(one.name) == "true"
    if one.many:
        return [int(text) for text in posted.getlist(one.name) if text.strip()]
    text = posted.get(one.name, "").strip()
    if not text:
        return None
    match one.control:
        case "remote":
            return int(text)
        case "date":
            return date.fromisoformat(text)
        case "datetime-local":
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
        case "number" | "money":
            return text.replace(",", "").replace("，", "")
        case _:
            return text
