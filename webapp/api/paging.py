"""The one list protocol: page, page_size, order, q, count in; items, has_more, total out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from engine.errors import Problem
from engine.i18n import _
from webapp.api.endpoint import Answer, Query
from webapp.api.reading import InvalidRequest

Item = TypeVar("Item")

COUNT_CAP = 10_000
"""Counting stops here: a total above it reads COUNT_CAP + 1."""

DEEPEST_PAGE = 500


class ListQuery(Query):
    """What every list takes."""

    page: Annotated[int, msgspec.Meta(ge=1, le=DEEPEST_PAGE)] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    order: Annotated[
        str, msgspec.Meta(max_length=60, description="A column's name; with - before it the largest comes first.")
    ] = ""
    q: Annotated[str, msgspec.Meta(max_length=100, description="Plain text that the result must contain.")] = ""
    count: Annotated[bool, msgspec.Meta(description=f"Ask for the total, counted up to {COUNT_CAP}.")] = False

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


class Page(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    page: int
    page_size: int
    has_more: bool
    total: int | None
    """only when asked for"""


def page_of(query: ListQuery, found: Sequence[Any], total: int | None, show: Callable[[Any], Item]) -> Page[Item]:
    """A page out of one row more than it holds."""
    return Page(
        items=[show(one) for one in found[: query.page_size]],
        page=query.page,
        page_size=query.page_size,
        has_more=len(found) > query.page_size,
        total=total,
    )


def ordering(query: ListQuery, columns: Mapping[str, Any], default: str, tie: Any) -> tuple[ColumnElement[Any], ...]:
    """ORDER BY as asked for; `tie`, a unique column, makes it the same order every time."""
    wanted = query.order or default
    name = wanted.removeprefix("-")
    column = columns.get(name)
    if column is None:
        raise InvalidRequest(
            [
                Problem(
                    "order",
                    _("This list can be ordered by {names}.", names=", ".join(sorted(columns))),
                    rule="invalid",
                )
            ]
        )
    down = wanted.startswith("-")
    parts = (column, tie) if column is not tie else (tie,)
    return tuple(part.desc() if down else part.asc() for part in parts)


def rows(session: Session, query: ListQuery, wanted: Select[*tuple[Any, ...]]) -> Sequence[Any]:
    """The page's rows and one more."""
    return session.execute(wanted.offset(query.offset).limit(query.page_size + 1)).all()


def total_of(session: Session, query: ListQuery, wanted: Select[*tuple[Any, ...]], key: Any) -> int | None:
    """How many rows there are, when asked; counting stops above COUNT_CAP."""
    if not query.count:
        return None
    few = wanted.with_only_columns(key).order_by(None).limit(COUNT_CAP + 1).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0
