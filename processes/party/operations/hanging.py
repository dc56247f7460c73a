"""What hangs on a party: rows that move when two become one, and how each finds its way back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, DateTime, Table, and_, exists, select, tuple_, update
from sqlalchemy.orm import Session

from engine.db import UTCDateTime
from engine.models import Attachment
from processes.comments.models import Comment
from processes.party import permissions
from processes.party.models import Competitor, CompetitorAt, Contact, ContactPoint, Customer, Party, Relation
from processes.tasks.models import Task
from processes.telephony.models import Call


@dataclass(frozen=True)
class Mover:
    """Rows of a table that point at a party (or customer, whose key is its party's)."""

    column: Column[Any]
    apart: tuple[str, ...] = ()
    """further columns of a unique key: a row whose like the kept one has already stays where it is"""
    record_type: str = ""
    """where the column says `record_id`: of which record type"""

    @property
    def table(self) -> Table:
        table = self.column.table
        assert isinstance(table, Table)
        return table


_MOVERS: dict[str, tuple[Mover, ...]] = {}


def hangs_on(package: str, *movers: Mover) -> None:
    """Declared once by a package above: its rows move with a merge and come back with its undoing."""
    _MOVERS[package] = movers


def column(model: Any, name: str) -> Column[Any]:
    found = model.__table__.c[name]
    assert isinstance(found, Column)
    return found


hangs_on(
    "party",
    Mover(column(ContactPoint, "party_id"), apart=("kind", "value")),
    Mover(column(Contact, "organization_id")),
    Mover(column(Contact, "person_id")),
    Mover(column(Relation, "a_id"), apart=("b_id", "kind")),
    Mover(column(Relation, "b_id"), apart=("a_id", "kind")),
    Mover(column(CompetitorAt, "customer_id"), apart=("competitor_id",)),
    Mover(column(CompetitorAt, "competitor_id"), apart=("customer_id",)),
)
hangs_on(
    "records",
    *(
        Mover(column(model, "record_id"), record_type=permissions.CUSTOMER)
        for model in (Attachment, Comment, Task, Call)
    ),
)


def movers() -> list[Mover]:
    return [one for package in _MOVERS.values() for one in package]


def _meant(mover: Mover, party_id: int) -> Any:
    here = mover.column == party_id
    return and_(here, mover.table.c.record_type == mover.record_type) if mover.record_type else here


def movable(session: Session, mover: Mover, kept_id: int, gone_id: int) -> list[int]:
    """Ids of the rows that would move."""
    table = mover.table
    wanted = select(table.c.id).where(_meant(mover, gone_id))
    if mover.apart:
        like = table.alias()
        same = [like.c[name] == table.c[name] for name in mover.apart]
        wanted = wanted.where(~exists(select(like.c.id).where(like.c[mover.column.name] == kept_id, *same)))
    if table is Relation.__table__:  # a relation between the two says nothing of the one they become
        wanted = wanted.where(~tuple_(table.c.a_id, table.c.b_id).in_([(kept_id, gone_id), (gone_id, kept_id)]))
    return list(session.scalars(wanted))


def move(session: Session, kept_id: int, gone_id: int) -> dict[str, dict[str, list[int]]]:
    """Move everything; returns {table: {column: [ids]}}."""
    moved: dict[str, dict[str, list[int]]] = {}
    for mover in movers():
        ids = movable(session, mover, kept_id, gone_id)
        if ids:
            _point(session, mover.column, ids, kept_id)
            moved.setdefault(mover.table.name, {})[mover.column.name] = ids
    return moved


def move_back(session: Session, moved: Mapping[str, Mapping[str, list[int]]], kept_id: int, gone_id: int) -> None:
    """Only what still lies with the kept one: who has moved it on since meant it."""
    for mover in movers():
        ids = moved.get(mover.table.name, {}).get(mover.column.name, [])
        if ids:
            _point(session, mover.column, ids, gone_id, only_from=kept_id)


def _point(session: Session, at: Column[Any], ids: Iterable[int], to: int, only_from: int | None = None) -> None:
    table = at.table
    assert isinstance(table, Table)
    statement = update(table).where(table.c.id.in_(list(ids)))
    if only_from is not None:
        statement = statement.where(at == only_from)
    session.connection().execute(statement.values({at.name: to}))


# ------------------------------------------------------------------------------------------------- values

_STAMPS = {"version", "changed_at", "changed_by"}
_KEPT_WHOLE: tuple[Any, ...] = (Party, Customer, Competitor)
Values = dict[str, dict[str, dict[str, Any]]]


def values_of(session: Session, party_ids: Collection[int], contact_ids: Collection[int]) -> Values:
    """{table: {id: {column: value}}} of both parties, their parts and their contacts, as JSON."""
    found: Values = {}
    for model, ids in (*((one, party_ids) for one in _KEPT_WHOLE), (Contact, contact_ids)):
        table = model.__table__
        rows = session.connection().execute(select(table).where(table.c.id.in_(list(ids)))).mappings()
        found[table.name] = {
            str(row["id"]): {
                name: _frozen(value) for name, value in row.items() if name not in _STAMPS and not _moves(table, name)
            }
            for row in rows
        }
    return found


def _moves(table: Table, name: str) -> bool:
    return any(one.table is table and one.column.name == name for one in movers())


def changed(before: Values, after: Values) -> Values:
    """{table: {id: {column: [before, after]}}} of what is not the same."""
    found: Values = {}
    for table, rows in before.items():
        for key, values in rows.items():
            now = after[table].get(key, values)
            differ = {name: [value, now[name]] for name, value in values.items() if now[name] != value}
            if differ:
                found.setdefault(table, {})[key] = differ
    return found


def restore(session: Session, model: Any, key: int, values: Mapping[str, list[Any]]) -> None:
    """Put back what was there before, unless somebody has changed it since."""
    table = model.__table__
    now = session.connection().execute(select(table).where(table.c.id == key)).mappings().first()
    if now is None:
        return
    back = {
        name: _thawed(table.c[name], before) for name, (before, after) in values.items() if _frozen(now[name]) == after
    }
    if back:
        session.connection().execute(update(table).where(table.c.id == key).values(**back, version=table.c.version + 1))


def _frozen(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _thawed(at: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(at.type, (UTCDateTime, DateTime)):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(at.type, Date) else value
