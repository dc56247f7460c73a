"""What an address asks of a list (search, filters, order, page), and the bounded query that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, func, inspect, or_, select
from sqlalchemy.orm import Session, aliased, undefer
from werkzeug.datastructures import MultiDict

from engine.actor import Actor
from engine.catalog import Column, Register
from engine.i18n import Sentence
from webapp.registers.interface import SafeInterface, primary_key, read_key
from webapp.registers.operators import NoAnswer, attribute, condition, operators

COUNT_CAP = 10_000
"""Counting stops here: beyond it people filter, they do not leaf."""

PAGE_SIZES = (20, 50, 100)
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Filter:
    column: Column
    code: str
    value: str

    @property
    def argument(self) -> str:
        return f"f.{self.column.name}.{self.code}"

    @property
    def operator(self) -> Sentence:
        return next(one.title for one in operators(self.column) if one.code == self.code)


@dataclass(frozen=True)
class Asked:
    """A list address, read: `?q=…&f.state.is=active&f.amount.from=100&order=-amount&column=name&page=2&size=50`."""

    q: str = ""
    filters: tuple[Filter, ...] = ()
    order: tuple[str, bool] | None = None
    """(column, descending); None = the register's own order"""
    page: int = 1
    size: int = PAGE_SIZES[0]
    view: str = ""
    """name of one of the register's ready-made views; "" = all"""
    columns: tuple[str, ...] = ()
    """those to be shown, in this order; () = the register's own"""
    base: int = 0
    """the saved view this began with; 0 = none"""
    is_saved: bool = False
    """it asks exactly what that view asks"""
    lost: tuple[Sentence, ...] = ()
    """what that view asked and cannot be asked any more"""

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.filters)

    def address(self, **changes: Any) -> str:
        """The query string of this list with something changed; another filter or order begins at page one."""
        asked = replace(self, **{"page": 1, **changes})
        pairs = [("saved", str(asked.base))] if asked.is_saved and changes.keys() <= {"page"} else asked.pairs
        if asked.page > 1:
            pairs.append(("page", str(asked.page)))
        return "?" + urlencode(pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is asked, one by one, without the page; never empty: an address without any means the default view."""
        pairs = [("from", str(self.base))] if self.base else []
        pairs += [("view", self.view)] if self.view else []
        pairs += [("q", self.q)] if self.q else []
        pairs += [(f.argument, f.value) for f in self.filters]
        if self.order:
            pairs.append(("order", ("-" if self.order[1] else "") + self.order[0]))
        pairs += [("column", name) for name in self.columns]
        if self.size != PAGE_SIZES[0]:
            pairs.append(("size", str(self.size)))
        return pairs or [("view", "")]

    def pairs_without(self, *names: str) -> list[tuple[str, str]]:
        """For the hidden fields of a form that asks for these anew."""
        return [(name, value) for name, value in self.pairs if name not in names]

    def has(self, column: str, value: str) -> bool:
        return any(f.column.name == column and f.code == "is" and f.value == value for f in self.filters)

    def toggled(self, column: Column, value: str) -> str:
        """With one more "is" of a column, or without it when it is there."""
        if self.has(column.name, value):
            return self.address(
                filters=tuple(f for f in self.filters if (f.column.name, f.code, f.value) != (column.name, "is", value))
            )
        return self.address(filters=(*self.filters, Filter(column, "is", value)))

    def without(self, gone: Filter) -> str:
        return self.address(filters=tuple(f for f in self.filters if f != gone))

    def sorted_by(self, column: str) -> str:
        """First click ascending, second descending, third back to the register's own order."""
        if self.order is None or self.order[0] != column:
            return self.address(order=(column, False))
        return self.address(order=None if self.order[1] else (column, True))


def filterable(register: Register) -> dict[str, Column]:
    """Columns one may filter by: those shown, offered and entered, as long as the database has them."""
    named = {c.name: c for c in (*register.fields, *register.further, *register.columns)}
    return {name: column for name, column in named.items() if attribute(register.model, name) is not None}


def choosable(register: Register) -> dict[str, Column]:
    """Columns one may have in the list: its own, then what else the record's page shows in a line."""
    own = {column.name: column for column in (*register.columns, *register.further)}
    entered = {
        column.name: column
        for column in register.fields
        if not column.asked_only and column.kind not in {"long", "reference"} and hasattr(register.model, column.name)
    }
    related: Any = inspect(register.model).relationships
    return own | {name: column for name, column in entered.items() if name not in own and name not in related}


def shown(register: Register, asked: Asked) -> tuple[Column, ...]:
    """The columns of a list as asked for. The first one leads to the record, so it is always there."""
    if not asked.columns:
        return register.columns
    known, first = choosable(register), register.columns[0]
    return (first, *(known[name] for name in asked.columns if name in known and name != first.name))


def read(register: Register, args: MultiDict[str, str]) -> Asked:
    """Read the address; what it asks that cannot be answered is left out rather than guessed."""
    columns = filterable(register)
    filters = []
    for argument, value in args.items(multi=True):
        match argument.split("."):
            case ["f", name, code] if name in columns:
                one = Filter(columns[name], code, value)
                if _answerable(register, one):
                    filters.append(one)
    return Asked(
        view=view if (view := args.get("view", "")) in {one.name for one in register.views} else "",
        q=args.get("q", "").strip()[:LONGEST_SEARCH] if register.search else "",
        filters=tuple(filters),
        order=_order(register, args.get("order", "")),
        page=_between(args.get("page", ""), 1, COUNT_CAP),
        size=_between(args.get("size", ""), 1, PAGE_SIZES[-1]) if args.get("size") else PAGE_SIZES[0],
        columns=_columns(register, args.getlist("column")),
        base=read_key(args.get("from", "")) or 0,
    )


def _columns(register: Register, names: Sequence[str]) -> tuple[str, ...]:
    """Each once, without those that are not there; the list's own written out are the list's own."""
    known = choosable(register)
    asked = tuple(name for name in dict.fromkeys((register.columns[0].name, *names)) if names and name in known)
    return () if asked == tuple(column.name for column in register.columns) else asked


def _answerable(register: Register, one: Filter) -> bool:
    try:
        condition(register.model, one.column, one.code, one.value)
    except NoAnswer:
        return False
    return True


def _order(register: Register, text: str) -> tuple[str, bool] | None:
    name = text.removeprefix("-")
    return (name, text.startswith("-")) if name in sortable(register) else None


def sortable(register: Register) -> frozenset[str]:
    offered = (*register.columns, *register.further)
    return frozenset(c.name for c in offered if c.sortable and _sort_key(register.model, c.name) is not None)


def _between(text: str, low: int, high: int) -> int:
    return min(max(int(text), low), high) if text.isdecimal() and len(text) < 9 else low


def finding(session: Session, register: Register, actor: Actor, text: str) -> ColumnElement[bool]:
    """The records a text finds, the same in lists, lookups and the search of the top bar."""
    if register.finds is not None:
        return register.finds(session, actor, text)
    return or_(*(getattr(register.model, name).icontains(text, autoescape=True) for name in register.search))


def statement(session: Session, interface: SafeInterface, actor: Actor, asked: Asked) -> Select[Any]:
    """The rows asked for, within the actor's scope, unordered."""
    register = interface.register
    query = interface.visible(actor).options(*_reckoned(register, asked))
    for view in register.views:
        if view.name == asked.view:
            query = query.where(view.where(actor))
    if asked.q:
        query = query.where(finding(session, register, actor, asked.q))
    alternatives: dict[tuple[str, str], list[Any]] = {}
    for one in asked.filters:  # the same question twice means either: state is open or suspended
        found = condition(register.model, one.column, one.code, one.value)
        alternatives.setdefault((one.column.name, one.code), []).append(found)
    for (_name, code), conditions in alternatives.items():
        query = query.where(*conditions) if code == "not" else query.where(or_(*conditions))
    return query


def _reckoned(register: Register, asked: Asked) -> list[Any]:
    """Values the database reckons are fetched with the rows, where the list shows them."""
    columns: Any = inspect(register.model).column_attrs
    names = [one.name for one in shown(register, asked) if one.name in columns and columns[one.name].deferred]
    return [undefer(getattr(register.model, name)) for name in names]


def ordered(interface: SafeInterface, query: Select[Any], asked: Asked) -> Select[Any]:
    """Always a total order: rows must not repeat or vanish between pages."""
    register = interface.register
    name, descending = asked.order or (register.order_by[0], register.order_by[1] == "desc")
    model = register.model
    if name in inspect(model).relationships:
        other: Any = aliased(inspect(model).relationships[name].mapper.class_)
        query = query.outerjoin(getattr(model, name).of_type(other))
        key = other.name
    else:
        key = getattr(model, name)
    keys = (key,) if name == primary_key(model).key else (key, primary_key(model))
    return query.order_by(*(one.desc() if descending else one.asc() for one in keys))


def _sort_key(model: type, name: str) -> Any:
    mapper: Any = inspect(model)
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        other = relation.mapper
        return None if relation.uselist or "name" not in other.column_attrs else other.class_.name
    return attribute(model, name)


@dataclass(frozen=True)
class Page:
    asked: Asked
    rows: tuple[Any, ...]
    count: int
    """at most COUNT_CAP + 1"""

    @property
    def capped(self) -> bool:
        return self.count > COUNT_CAP

    @property
    def pages(self) -> int:
        return max(1, -(-min(self.count, COUNT_CAP) // self.asked.size))

    @property
    def near(self) -> range:
        """The page numbers worth offering around the present one."""
        first = max(1, min(self.asked.page - 2, self.pages - 4))
        return range(first, min(self.pages, first + 4) + 1)


def fetch(session: Session, interface: SafeInterface, actor: Actor, asked: Asked) -> Page:
    query = statement(session, interface, actor, asked)
    count = count_of(session, query, interface)
    page = Page(asked, (), count)
    asked = replace(asked, page=min(asked.page, page.pages))
    chosen = ordered(interface, query, asked).offset((asked.page - 1) * asked.size).limit(asked.size)
    return Page(asked, tuple(session.scalars(chosen).all()), count)


def count_of(session: Session, query: Select[Any], interface: SafeInterface) -> int:
    """How many rows there are, at most COUNT_CAP + 1."""
    bounded = query.with_only_columns(primary_key(interface.obj)).limit(COUNT_CAP + 1)
    return session.scalar(select(func.count()).select_from(bounded.subquery())) or 0


def address_of(values: Mapping[str, Any]) -> str:
    """A query string for a link to a filtered list."""
    return "?" + urlencode({name: str(value) for name, value in values.items()})
