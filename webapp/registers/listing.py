"""What an address asks of a list (search, filters, order, page), and the bounded query that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, func, inspect, or_, select
from sqlalchemy.orm import Session, aliased
from werkzeug.datastructures import MultiDict

from engine.actor import Actor
from engine.catalog import Column, Register
from engine.i18n import Sentence
from webapp.registers.interface import SafeInterface, primary_key
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
    """A list address, read: `?q=…&f.state.is=active&f.amount.from=100&order=-amount&page=2&size=50`."""

    q: str = ""
    filters: tuple[Filter, ...] = ()
    order: tuple[str, bool] | None = None
    """(column, descending); None = the register's own order"""
    page: int = 1
    size: int = PAGE_SIZES[0]

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.filters)

    def address(self, **changes: Any) -> str:
        """The query string of this list with something changed; another filter or order begins at page one."""
        asked = replace(self, **{"page": 1, **changes})
        pairs: list[tuple[str, str]] = [("q", asked.q)] if asked.q else []
        pairs += [(f.argument, f.value) for f in asked.filters]
        if asked.order:
            pairs.append(("order", ("-" if asked.order[1] else "") + asked.order[0]))
        if asked.size != PAGE_SIZES[0]:
            pairs.append(("size", str(asked.size)))
        if asked.page > 1:
            pairs.append(("page", str(asked.page)))
        return "?" + urlencode(pairs)

    def without(self, gone: Filter) -> str:
        return self.address(filters=tuple(f for f in self.filters if f != gone))

    def sorted_by(self, column: str) -> str:
        """First click ascending, second descending, third back to the register's own order."""
        if self.order is None or self.order[0] != column:
            return self.address(order=(column, False))
        return self.address(order=None if self.order[1] else (column, True))


def filterable(register: Register) -> dict[str, Column]:
    """Columns one may filter by: those shown and those entered, as long as the database has them."""
    named = {c.name: c for c in (*register.fields, *register.columns)}
    return {name: column for name, column in named.items() if attribute(register.model, name) is not None}


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
        q=args.get("q", "").strip()[:LONGEST_SEARCH] if register.search else "",
        filters=tuple(filters),
        order=_order(register, args.get("order", "")),
        page=_between(args.get("page", ""), 1, COUNT_CAP),
        size=_between(args.get("size", ""), 1, PAGE_SIZES[-1]) if args.get("size") else PAGE_SIZES[0],
    )


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
    return frozenset(c.name for c in register.columns if c.sortable and _sort_key(register.model, c.name) is not None)


def _between(text: str, low: int, high: int) -> int:
    return min(max(int(text), low), high) if text.isdecimal() and len(text) < 9 else low


def statement(interface: SafeInterface, actor: Actor, asked: Asked) -> Select[Any]:
    """The rows asked for, within the actor's scope, unordered."""
    register = interface.register
    query = interface.visible(actor)
    if asked.q:
        query = query.where(
            or_(*(getattr(register.model, name).icontains(asked.q, autoescape=True) for name in register.search))
        )
    alternatives: dict[tuple[str, str], list[Any]] = {}
    for one in asked.filters:  # the same question twice means either: state is open or suspended
        found = condition(register.model, one.column, one.code, one.value)
        alternatives.setdefault((one.column.name, one.code), []).append(found)
    for (_name, code), conditions in alternatives.items():
        query = query.where(*conditions) if code == "not" else query.where(or_(*conditions))
    return query


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
    query = statement(interface, actor, asked)
    bounded = query.with_only_columns(primary_key(interface.obj)).limit(COUNT_CAP + 1)
    count = session.scalar(select(func.count()).select_from(bounded.subquery())) or 0
    page = Page(asked, (), count)
    asked = replace(asked, page=min(asked.page, page.pages))
    chosen = ordered(interface, query, asked).offset((asked.page - 1) * asked.size).limit(asked.size)
    return Page(asked, tuple(session.scalars(chosen).all()), count)


def address_of(values: Mapping[str, Any]) -> str:
    """A query string for a link to a filtered list."""
    return "?" + urlencode({name: str(value) for name, value in values.items()})
