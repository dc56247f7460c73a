"""A form as its page draws it: fields with their right at this step, their value as input and as text, their error."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field as slot
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.forms import REFERENCES, Field, FormSchema, Right, ScopedLookups
from engine.i18n import _, listed
from engine.models import Attachment
from webapp.registers.addresses import address_in_register
from webapp.skin import formats

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    chosen: bool
    url: str = ""
    """of the record's page, for who may see the record"""


@dataclass
class FieldView:
    """One field, one cell of a table, or (with rows) a table."""

    field: Field
    name: str
    """of its control: "purpose", "lines.0.amount" """
    right: Right
    text: str
    """as people read it; "" = nothing there"""
    input: str = ""
    """as its control holds it"""
    options: list[Option] = slot(default_factory=list)
    files: list[Attachment] = slot(default_factory=list)
    rows: list[list[FieldView]] = slot(default_factory=list)
    blank: list[FieldView] = slot(default_factory=list)
    """a table's empty line, for its template"""
    totals: list[str] = slot(default_factory=list)
    """a table's last line when read: sums of its amounts, "" elsewhere"""
    error: str = ""
    shown: bool = True

    @property
    def editable(self) -> bool:
        return self.right in ("edit", "required") and self.field.computed is None

    @property
    def required(self) -> bool:
        return self.field.required or self.right == "required"

    @property
    def checked(self) -> bool:
        return self.input == "true"

    @property
    def when(self) -> dict[str, Any] | None:
        """The show condition, for the page to follow while people type."""
        condition = self.field.when
        return {"field": condition.field, "op": condition.op, "value": condition.value} if condition else None


@dataclass
class Section:
    title: str = ""
    help: str = ""
    fields: list[FieldView] = slot(default_factory=list)
    when: dict[str, Any] | None = None
    shown: bool = True


@dataclass
class FormView:
    sections: list[Section]
    errors: list[str]
    """what concerns no field the page shows"""

    @property
    def fields(self) -> Iterator[FieldView]:
        return (one for section in self.sections for one in section.fields)

    @property
    def editable(self) -> bool:
        return any(one.editable for one in self.fields)

    @property
    def refused(self) -> bool:
        return bool(self.errors) or any(_faulty(one) for one in self.fields)


def _faulty(one: FieldView) -> bool:
    return bool(one.error) or any(cell.error for row in one.rows for cell in row)


def view(
    session: Session,
    actor: Actor,
    schema: FormSchema,
    values: Mapping[str, Any],
    *,
    rights: Mapping[str, Right],
    errors: Mapping[str, str] | None = None,
    instance_id: int | None = None,
) -> FormView:
    """The form for a page. `values` may be unchecked (a draft, a refused submission): nothing here trusts them."""
    return _Drawing(session, actor, schema, values, rights, errors or {}, instance_id).view()


def reading(schema: FormSchema, hidden: Iterable[str] = ()) -> dict[str, Right]:
    """Rights of somebody who only looks."""
    gone = set(hidden)
    return {one.id: "hide" if one.id in gone else "read" for one in schema.fields}


class _Drawing:
    def __init__(
        self,
        session: Session,
        actor: Actor,
        schema: FormSchema,
        values: Mapping[str, Any],
        rights: Mapping[str, Right],
        errors: Mapping[str, str],
        instance_id: int | None,
    ) -> None:
        self.session = session
        self.schema = schema
        self.values = values
        self.rights = rights
        self.errors = dict(errors)
        self.actor = actor
        self.lookups = ScopedLookups(session, actor, instance_id=instance_id)
        self._labels: dict[str, dict[int, str]] = {}
        self._files: dict[int, Attachment] = {}
        self._choices: dict[str, list[tuple[str, str]]] = {}

    def view(self) -> FormView:
        self._look_up()
        shown = self._shown()
        sections = [Section()]
        for one in self.schema.fields:
            right = self.rights.get(one.id, "hide")
            if one.type == "section":
                when = one.when
                sections.append(
                    Section(
                        one.label,
                        one.help,
                        when={"field": when.field, "op": when.op, "value": when.value} if when else None,
                        shown=one.id in shown,
                    )
                )
            elif right != "hide":
                drawn = self._field(one, one.id, right, self.values.get(one.id))
                drawn.shown = one.id in shown
                if drawn.shown or drawn.editable:
                    sections[-1].fields.append(drawn)
        form = FormView([section for section in sections if section.fields], [])
        form.errors = list(self.errors.values())  # what no field has taken
        return form

    def _shown(self) -> set[str]:
        try:
            return self.schema.shown(self.values)
        except (ValueError, TypeError, ArithmeticError, AttributeError, KeyError):
            return {one.id for one in self.schema.fields}  # unchecked values no condition can read: show all

    def _field(self, one: Field, name: str, right: Right, value: Any) -> FieldView:
        drawn = FieldView(one, name, right, self._text(one, value), error=self.errors.pop(name, ""))
        if one.type == "table":
            self._table(drawn, value)
            return drawn
        drawn.input = _input(one, value)
        if one.type in ("select", "multi"):
            chosen = {str(v) for v in _members(value)}
            drawn.options = [Option(key, label, key in chosen) for key, label in self._choices_of(one)]
        elif one.type in ("person", "department", "reference"):
            drawn.options = [Option(str(i), self._label(one, i), True, self._page(one, i)) for i in _ids(value)]
        elif one.type == "attachment":
            drawn.files = [self._files[i] for i in _ids(value) if i in self._files]
        return drawn

    def _table(self, drawn: FieldView, value: Any) -> None:
        table, right = drawn.field, drawn.right
        rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
        if drawn.editable and not rows:
            rows = [{}]
        drawn.rows = [
            [
                self._field(column, f"{table.id}.{number}.{column.id}", right, row.get(column.id))
                for column in table.columns
            ]
            for number, row in enumerate(rows)
        ]
        drawn.blank = [self._field(column, f"{table.id}.#.{column.id}", right, None) for column in table.columns]
        if not self._is_summed(table):
            drawn.totals = [_total(column, [row.get(column.id) for row in rows]) for column in table.columns]

    def _is_summed(self, table: Field) -> bool:
        """A field of the form reckons with this table already; its sum need not be said twice."""
        return any(one.computed is not None and table.id in one.computed.names for one in self.schema.fields)

    # --------------------------------------------------------------------------------------------- the world

    def _look_up(self) -> None:
        """One question per record type for all fields and cells."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for one, value in self._pairs():
            if one.type in ("person", "department", "reference"):
                wanted[one.reference or ""] |= set(_ids(value))
            elif one.type == "attachment":
                wanted["attachment"] |= set(_ids(value))
        for kind, ids in wanted.items():
            if kind == "attachment":
                allowed = self.lookups.attachments(ids)
                found = self.session.scalars(select(Attachment).where(Attachment.id.in_(allowed)))
                self._files = {row.id: row for row in found}
            elif kind in REFERENCES and ids:
                self._labels[kind] = REFERENCES[kind].labels(self.session, self.actor, ids)

    def _pairs(self) -> Iterator[tuple[Field, Any]]:
        for one in self.schema.fields:
            value = self.values.get(one.id)
            if one.type == "table":
                for row in value if isinstance(value, list) else ():
                    if isinstance(row, Mapping):
                        yield from ((column, row.get(column.id)) for column in one.columns)
            else:
                yield one, value

    def _label(self, one: Field, record_id: int) -> str:
        known = self._labels.get(one.reference or "", {}).get(record_id)
        if known is None and one.type == "person":
            return formats.person(record_id)
        return known or f"#{record_id}"

    def _page(self, one: Field, record_id: int) -> str:
        """Only of what has a name here: the others this person may not see."""
        is_record = one.type == "reference" and record_id in self._labels.get(one.reference or "", {})
        return address_in_register(one.reference or "", record_id) if is_record else ""

    def _choices_of(self, one: Field) -> list[tuple[str, str]]:
        key = one.source or one.id
        if key not in self._choices:
            self._choices[key] = one.choices_for(self.lookups)
        return self._choices[key]

    def _text(self, one: Field, value: Any) -> str:
        if value is None or value in ("", []) or one.type in ("table", "attachment"):
            return ""
        if one.type in ("select", "multi"):
            labels = dict(self._choices_of(one))
            return listed(labels.get(str(v), str(v)) for v in _members(value))
        if one.type in ("person", "department", "reference"):
            return listed(self._label(one, i) for i in _ids(value))
        return text(one, value)


def text(one: Field, value: Any) -> str:
    """A value as people read it, as far as it says so by itself."""
    try:
        match one.type:
            case "money":
                return formats.money(value if isinstance(value, Mapping) else Decimal(str(value)), one.currency)
            case "number":
                return formats.number(Decimal(str(value)))
            case "date":
                return formats.day(date.fromisoformat(str(value)))
            case "datetime":
                return formats.instant(datetime.fromisoformat(str(value)))
            case "switch":
                return str(_("yes") if value else _("no"))
    except (ValueError, InvalidOperation, KeyError):
        return str(value)
    return str(value)


def _input(one: Field, value: Any) -> str:
    if value is None:
        return ""
    if one.type == "money":
        return _grouped(str(value.get("amount", "")) if isinstance(value, Mapping) else str(value))
    if one.type == "datetime":
        try:
            return formats.local(datetime.fromisoformat(str(value))).strftime("%Y-%m-%dT%H:%M")
        except ValueError:
            return str(value)
    if one.type == "switch":
        return "true" if value is True else ""
    return str(value)


def _grouped(amount: str) -> str:
    """12345.6 -> 12,345.60, as the page itself writes it; what is no amount stays as it was typed."""
    try:
        number = Decimal(amount)
        return f"{number:,.2f}" if number == number.quantize(CENT) else amount
    except InvalidOperation:  # no number, or one too large or too small to be an amount
        return amount


def _total(column: Field, amounts: Iterable[Any]) -> str:
    if column.type != "money":
        return ""
    try:
        numbers = [Decimal(str(a["amount"] if isinstance(a, Mapping) else a)) for a in amounts if a]
    except (InvalidOperation, KeyError):
        return ""
    return formats.money(sum(numbers, Decimal(0)), column.currency)


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _ids(value: Any) -> list[int]:
    """Record ids among what may be unchecked input."""
    return [
        int(v) for v in _members(value) if isinstance(v, int) or (isinstance(v, str) and v.isdecimal() and len(v) < 19)
    ]
