"""A form on paper: its sections with labels and texts, what the reader may not see left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.forms import REFERENCES, Field, FormSchema, ScopedLookups
from engine.i18n import current_locale, listed
from engine.models import Attachment
from processes.document import rules

WIDE = ("textarea", "attachment", "multi")


@dataclass(frozen=True)
class Value:
    label: str
    text: str
    in_capitals: str = ""
    """人民币大写, beside amounts in yuan"""
    is_amount: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Facts:
    """Values, two to a row; a wide one has a row of its own."""

    rows: tuple[tuple[Value, ...], ...]
    is_table: bool = False


@dataclass(frozen=True)
class Head:
    title: str
    is_amount: bool
    share: float
    """of the width, in per cent"""


@dataclass(frozen=True)
class Lines:
    """A table of the form."""

    label: str
    columns: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[str, ...]
    """sums below the columns of amounts, "" elsewhere; () = none"""
    is_table: bool = True


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Facts | Lines, ...]


def sections(
    session: Session,
    actor: Actor,
    schema: FormSchema,
    values: Mapping[str, Any],
    *,
    hidden: Collection[str],
    instance_id: int,
) -> tuple[Section, ...]:
    """`values` may be a draft's: nothing here trusts them."""
    return _Drawing(session, actor, schema, values, hidden, instance_id).sections()


class _Drawing:
    def __init__(
        self,
        session: Session,
        actor: Actor,
        schema: FormSchema,
        values: Mapping[str, Any],
        hidden: Collection[str],
        instance_id: int,
    ) -> None:
        self.session = session
        self.actor = actor
        self.schema = schema
        self.values = values
        self.fields = [one for one in schema.fields if one.id not in hidden]
        self.locale = current_locale()
        self.lookups = ScopedLookups(session, actor, instance_id=instance_id)
        self.labels: dict[str, dict[int, str]] = {}
        self.files: dict[int, str] = {}
        self.choices: dict[str, dict[str, str]] = {}

    def sections(self) -> tuple[Section, ...]:
        self._look_up()
        shown = self._shown()
        found: list[tuple[str, list[Value | Lines], bool]] = [("", [], True)]
        for one in self.fields:
            if one.type == "section":
                found.append((one.label, [], one.id in shown))
            elif one.id in shown:
                found[-1][1].append(self._part(one, self.values.get(one.id)))
        return tuple(Section(title, tuple(_arrange(parts))) for title, parts, visible in found if parts and visible)

    def _shown(self) -> set[str]:
        try:
            return self.schema.shown(self.values)
        except (ValueError, TypeError, ArithmeticError, AttributeError, KeyError):
            return {one.id for one in self.schema.fields}  # unchecked values no condition can read: show all

    def _part(self, one: Field, value: Any) -> Value | Lines:
        if one.type == "table":
            return self._lines(one, _rows(value))
        text = self._text(one, value)
        return Value(
            one.label,
            text,
            rules.capitals_of(one, value),
            is_amount=one.type in ("money", "number"),
            wide=bool(text) and (one.wide or one.type in WIDE),
        )

    def _lines(self, table: Field, rows: list[Mapping[str, Any]]) -> Lines:
        totals = tuple(
            rules.total_of(column, [row.get(column.id) for row in rows], self.locale) for column in table.columns
        )
        weights = [2.0 if column.type in ("text", "textarea", "attachment") else 1.2 for column in table.columns]
        whole = sum(weights) or 1.0
        return Lines(
            table.label,
            tuple(
                Head(column.label, column.type in ("money", "number"), round(weight / whole * 100, 1))
                for column, weight in zip(table.columns, weights, strict=True)
            ),
            tuple(tuple(self._text(column, row.get(column.id)) for column in table.columns) for row in rows),
            totals if len(rows) > 1 and any(totals) else (),
        )

    def _text(self, one: Field, value: Any) -> str:
        if value is None or value in ("", []):
            return ""
        if one.type in ("select", "multi"):
            labels = self._choices_of(one)
            return listed((labels.get(str(member), str(member)) for member in _members(value)), locale=self.locale)
        if one.type in ("person", "department", "reference"):
            known = self.labels.get(one.reference or "", {})
            return listed((known.get(key, f"#{key}") for key in _ids(value)), locale=self.locale)
        if one.type == "attachment":
            return listed((self.files[key] for key in _ids(value) if key in self.files), locale=self.locale)
        return rules.text_of(one, value, self.locale)

    def _choices_of(self, one: Field) -> dict[str, str]:
        key = one.source or one.id
        if key not in self.choices:
            self.choices[key] = dict(one.choices_for(self.lookups))
        return self.choices[key]

    def _look_up(self) -> None:
        """One question per record type for all fields and cells."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for one, value in self._pairs():
            if one.type in ("person", "department", "reference"):
                wanted[one.reference or ""] |= set(_ids(value))
            elif one.type == "attachment":
                wanted["attachment"] |= set(_ids(value))
        files = self.lookups.attachments(wanted.pop("attachment", set()))
        if files:
            named = select(Attachment.id, Attachment.name).where(Attachment.id.in_(files))
            self.files = {row.id: row.name for row in self.session.execute(named)}
        for kind, ids in wanted.items():
            if kind in REFERENCES and ids:
                self.labels[kind] = REFERENCES[kind].labels(self.session, self.actor, ids)
            if kind == "organization.employee" and CATALOG.directory is not None:  # who has left is still called so
                self.labels[kind] = CATALOG.directory.names(self.session, sorted(ids))

    def _pairs(self) -> Iterator[tuple[Field, Any]]:
        for one in self.fields:
            value = self.values.get(one.id)
            if one.type == "table":
                for row in _rows(value):
                    yield from ((column, row.get(column.id)) for column in one.columns)
            else:
                yield one, value


def _arrange(parts: Iterable[Value | Lines]) -> Iterator[Facts | Lines]:
    """Values two by two until a table stands between them."""
    rows: list[tuple[Value, ...]] = []
    for part in parts:
        if isinstance(part, Lines):
            if rows:
                yield Facts(tuple(rows))
                rows = []
            yield part
        elif part.wide or not rows or len(rows[-1]) == 2 or rows[-1][0].wide:
            rows.append((part,))
        else:
            rows[-1] = (*rows[-1], part)
    if rows:
        yield Facts(tuple(rows))


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _ids(value: Any) -> list[int]:
    """Record ids among what may be unchecked input."""
    members = [] if value is None else _members(value)
    return [
        int(v)
        for v in members
        if (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, str) and v.isdecimal() and len(v) < 19)
    ]
