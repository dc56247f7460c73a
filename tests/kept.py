"""What fixtures write into an empty database: written once per test process, copied for every test after the first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from engine import clock
from engine.db import Sessions
from tests.databases import Database, rows_in

_sqlite: dict[tuple[str, str], sqlite3.Connection] = {}
_postgres: dict[tuple[str, str], str] = {}
"""what -> the statement that copies its rows back"""


def write_or_copy(database: Database, name: str, write: Callable[[], Any]) -> bool:
    """Have in the database what `write` commits; whether it was copied. `name` says what that is.

    Where a test has written something of its own before, nothing is copied: its ids would be taken.
    """
    with database.engine.connect() as connection:
        empty = not rows_in(connection)
    key = (name, _time())
    Sessions().close()  # its connection would be in the way; the session itself the test may have in hand already
    if not empty:
        write()
        return False
    with database.engine.begin() as connection:
        if _copy(connection, key):
            return True
    write()
    Sessions().close()
    with database.engine.begin() as connection:
        _keep(connection, key)
    return False


def _time() -> str:
    """Dates count from today: another day, or a clock that stands elsewhere, needs rows of its own."""
    turned = clock._source is not clock._system
    at: datetime = clock.now()
    return at.isoformat() if turned else at.date().isoformat()


def _copy(connection: Connection, key: tuple[str, str]) -> bool:
    if connection.dialect.name == "sqlite":
        kept = _sqlite.get(key)
        if kept is None:
            return False
        connection.exec_driver_sql("COMMIT")  # a backup writes in a transaction of its own
        kept.backup(_raw(connection))
        connection.exec_driver_sql("BEGIN")
        return True
    statement = _postgres.get(key)
    if statement is None:
        return False
    connection.exec_driver_sql(statement)
    return True


def _keep(connection: Connection, key: tuple[str, str]) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")
        _sqlite[key] = sqlite3.connect(":memory:")
        _raw(connection).backup(_sqlite[key])
        connection.exec_driver_sql("BEGIN")
        return
    schema = f"kept_{len(_postgres)}"
    connection.execute(text(f"CREATE SCHEMA {schema}"))
    copies = ["SET LOCAL session_replication_role = replica"]  # foreign keys may form circles
    for table in rows_in(connection):
        connection.execute(text(f'CREATE TABLE {schema}."{table}" AS TABLE public."{table}"'))
        copies.append(f'INSERT INTO public."{table}" SELECT * FROM {schema}."{table}"')
    # Sequences are left alone: they have passed these ids, and only ever grow.
    _postgres[key] = "; ".join(copies)


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
