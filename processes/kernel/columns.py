"""Columns every record shares, and the one way to lock a record for a change."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import BigInteger, event, false, select
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from engine import clock
from engine.actor import Actor
from engine.db import Base, Id
from engine.errors import Conflict, NotFound
from engine.i18n import _

_SCALE = 4


class MoneyAmount(TypeDecorator[Decimal]):
    """A Decimal amount as an integer of ten-thousandths: exact on both databases, summed and compared by them."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, (Decimal, int)):
            raise TypeError(f"money is Decimal, not {type(value).__name__}")
        scaled = Decimal(value).scaleb(_SCALE)
        if scaled != scaled.to_integral_value():
            raise ValueError("an amount has at most four decimals")
        return int(scaled)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        amount = Decimal(int(value)).scaleb(-_SCALE)  # PostgreSQL gives a sum of bigint as numeric, SQLite as integer
        cents = amount.quantize(Decimal("0.01"))
        return cents if cents == amount else amount


class Stamped:
    """Who made and last changed a record, and the version a change must name."""

    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by: Mapped[int] = mapped_column(Id, default=0)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    changed_by: Mapped[int] = mapped_column(Id, default=0)
    is_demo: Mapped[bool] = mapped_column(default=False, server_default=false())
    """belongs to the demo company and goes with it"""
    version: Mapped[int] = mapped_column(default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands over the class
        return {"version_id_col": cls.version}


Record = TypeVar("Record", bound=Base)
Ledger = TypeVar("Ledger", bound=type[Base])


def lock_for_change(session: Session, model: type[Record], record_id: int, version: int | None = None) -> Record:
    """Fetch a record under a row lock, as it is now; refuse when the page it was edited on is out of date.

    Locked first, read after: figures reckoned from other tables would else be those of before the wait.
    """
    lock_row(session, model, record_id)
    record = session.get(model, record_id, populate_existing=True)
    if record is None:
        raise NotFound
    demand_version(record, version)
    return record


def lock_row(session: Session, model: type[Base], record_id: int) -> None:
    """Nobody else changes what hangs on this record until the transaction ends; the record itself is not read."""
    key = model.__mapper__.primary_key[0]
    session.execute(select(key).where(key == record_id).with_for_update()).first()


def demand_version(record: Any, version: int | None) -> None:
    """Raise Conflict when the locked record is no longer the one that was seen; None = seen by nobody before."""
    if version is not None and record.version != version:
        raise Conflict(
            _("Somebody else changed this in the meantime."),
            remedy=_("Reload the page and make your change again."),
        )


def stamp(record: Stamped, actor: Actor) -> None:
    record.changed_by = actor.person_id
    record.changed_at = clock.now()


def append_only(model: Ledger) -> Ledger:
    """A ledger: rows are added, never changed or deleted; corrections are further rows."""

    def refuse(*_args: Any) -> None:
        raise PermissionError(f"{model.__tablename__} is append-only")

    def refuse_in_bulk(state: ORMExecuteState) -> None:
        if (state.is_update or state.is_delete) and state.bind_mapper is model.__mapper__:
            refuse()

    event.listen(model, "before_update", refuse)
    event.listen(model, "before_delete", refuse)
    event.listen(Session, "do_orm_execute", refuse_in_bulk)
    return model
