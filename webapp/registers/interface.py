"""FAB's door to the data, made safe: every row passes the register's scope, and nothing is written through it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from flask_appbuilder.models.sqla.interface import SQLAInterface  # noqa: TID251 - this is the safe interface
from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from engine.actor import Actor
from engine.catalog import CATALOG, Register
from engine.db import Sessions
from webapp.security.access import current_actor


class SafeInterface(SQLAInterface):
    """The rows of one register. There is no road around the scope: FAB's own methods end here too."""

    def __init__(self, register: Register) -> None:
        super().__init__(register.model, Sessions)
        self.register = register

    def visible(self, actor: Actor) -> Select[Any]:
        """The rows this actor may see, with the relations the register's columns show."""
        statement = select(self.obj).where(self.register.scope(actor))
        shown = (selectinload(getattr(self.obj, name)) for name in self.shown_relations())
        return statement.options(*shown, *(_loaded(self.obj, path) for path in self.register.loads))

    def shown_relations(self) -> list[str]:
        relations = inspect(self.obj).relationships
        return [column.name for column in self.register.columns if column.name in relations]

    def get(self, pk: Any, filters: Any = None, select_columns: Any = None) -> Any:
        """One visible row, or None: for the asker there is no other."""
        key = read_key(pk)
        if key is None:
            return None
        statement = self.visible(current_actor()).where(primary_key(self.obj) == key)
        return Sessions().scalars(statement).first()

    def get_many(self, pks: list[Any]) -> list[Any]:
        keys = [key for key in map(read_key, pks) if key is not None]
        statement = self.visible(current_actor()).where(primary_key(self.obj).in_(keys))
        return list(Sessions().scalars(statement).all())

    def get_related_obj(self, col_name: str, value: Any) -> Any:
        return find_visible(Sessions(), current_actor(), self.get_related_model(col_name), value)

    def query(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("registers list through webapp.registers.listing")

    query_simple_group = query_month_group = query_year_group = query

    def add(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("registers write through their operations")

    edit = delete = delete_all = add


def _loaded(model: type, path: str) -> ExecutableOption:
    """The loading of a whole path at once: "party.points"."""
    first, *further = path.split(".")
    attribute = getattr(model, first)
    load = selectinload(attribute)
    for name in further:
        attribute = getattr(attribute.property.mapper.class_, name)
        load = load.selectinload(attribute)
    return load


def primary_key(model: type) -> Any:
    """The one key column of a model; registers are about records with an id."""
    mapper: Any = inspect(model)
    (column,) = mapper.primary_key
    return mapper.get_property_by_column(column).class_attribute


def read_key(text: Any) -> int | None:
    """An id as it stands in an address; what is no id names no record (and never reaches the database)."""
    try:
        key = int(text)
    except (TypeError, ValueError):
        return None
    return key if 0 < key < 2**63 else None


def register_of(model: type) -> Register | None:
    """The register in which records of this model are looked up."""
    return next((register for register in CATALOG.registers.values() if register.model is model), None)


def find_visible(session: Session, actor: Actor, model: type, key: Any) -> Any:
    """A record of another register by id, if this actor may see it there; a model nobody lists shows nothing."""
    wanted = read_key(key)
    return find_many_visible(session, actor, model, [wanted]).get(wanted) if wanted is not None else None


def find_many_visible(session: Session, actor: Actor, model: type, keys: Collection[int]) -> dict[int, Any]:
    """Those of these records the actor may see, by id."""
    register = register_of(model)
    if register is None or (register.permission and not actor.may(register.permission)):
        return {}
    key = primary_key(model)
    found: Iterable[Any] = session.scalars(select(model).where(register.scope(actor), key.in_(keys)))
    return {getattr(record, key.key): record for record in found}


def endpoint_of(register_name: str) -> str:
    """The blueprint of a register: organization.employee -> organization_employee (they have no dots)."""
    return register_name.replace(".", "_")
