"""Every table there is: those of the engine and the business on our Base, those of Flask-AppBuilder on its own."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from flask_appbuilder import Model
from sqlalchemy import Connection, MetaData, Table

import engine.models  # noqa: F401 - its tables
import processes
from engine.db import Base

# Before FAB's tables exist: without a convention their constraints have no name, and SQLite could never alter them.
Model.metadata.naming_convention = Base.metadata.naming_convention

STUBS = frozenset({"ab_user"})
"""Tables of FAB's that our Base repeats only so that a foreign key has something to point at."""


@cache
def target() -> MetaData:
    """What the database should look like: one collection, with every model imported."""
    importlib.import_module("flask_appbuilder.security.sqla.models")
    importlib.import_module("webapp.security.models")
    for package in pkgutil.iter_modules(processes.__path__, processes.__name__ + "."):
        if package.ispkg and _has_models(package.name):
            importlib.import_module(f"{package.name}.models")
    whole = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Model.metadata.tables.values():
        table.to_metadata(whole)
    for table in Base.metadata.tables.values():
        if table.name not in STUBS:
            table.to_metadata(whole)
    return whole


def _has_models(package: str) -> bool:
    return any(room.name == "models" for room in pkgutil.iter_modules(importlib.import_module(package).__path__))


def create_all(connection: Connection) -> None:
    """The newest schema at once, past the migrations; for tests and benches."""
    target().create_all(connection)


def tables() -> list[Table]:
    """Every table once, parents before children where the foreign keys allow an order."""
    return list(target().sorted_tables)
