"""Every table there is: those of the engine and the business on our Base, those of Flask-AppBuilder on its own."""

from __future__ import annotations

import importlib
import pkgutil

from flask_appbuilder import Model
from sqlalchemy import Connection, MetaData, Table

import engine.models  # noqa: F401 - its tables
import processes
from engine.db import Base

# Before FAB's tables exist: without a convention their constraints have no name, and SQLite could never alter them.
Model.metadata.naming_convention = Base.metadata.naming_convention

STUBS = frozenset({"ab_user"})
"""Tables of FAB's that our Base repeats only so that a foreign key has something to point at."""


def load() -> tuple[MetaData, MetaData]:
    """FAB's metadata, then ours, with every model imported; created in this order."""
    importlib.import_module("flask_appbuilder.security.sqla.models")
    for package in pkgutil.iter_modules(processes.__path__, processes.__name__ + "."):
        if not package.ispkg:
            continue
        here = importlib.import_module(package.name)
        if any(room.name == "models" for room in pkgutil.iter_modules(here.__path__)):
            importlib.import_module(f"{package.name}.models")
    return Model.metadata, Base.metadata


def create_all(connection: Connection) -> None:
    """The newest schema at once, past the migrations; for tests and benches."""
    for metadata in load():
        metadata.create_all(connection)


def tables() -> list[Table]:
    """Every table once, parents before children where the foreign keys allow an order."""
    theirs, ours = load()
    return [*theirs.sorted_tables, *(table for table in ours.sorted_tables if table.name not in STUBS)]
