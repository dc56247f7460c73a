"""A real SQLite file and a real PostgreSQL database per test process, empty again for every test."""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.engine import URL, make_url

from engine import db, repository
from engine.runtime.cache import LIVE
from webapp.migrations import schema

NAMES = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Database:
    """What a test is given: `engine.db.Sessions` is bound to `engine` while it runs."""

    name: str
    """sqlite | postgresql"""
    url: str
    """with it another process reaches the same database"""
    engine: Engine


class Files:
    """One engine for many SQLite files, one after another: what it has compiled for one test serves the next."""

    def __init__(self) -> None:
        self._engine = db.make_engine("sqlite:///opened-below.db")
        event.listen(self._engine, "do_connect", self._open_present)
        event.listen(self._engine, "connect", _do_not_wait_for_the_disk)

    def _open_present(self, _dialect: object, _record: object, words: list[str | None], _options: object) -> None:
        words[0] = self._engine.url.database

    @contextlib.contextmanager
    def bound(self, file: Path) -> Iterator[Engine]:
        self._engine.url = make_url(f"sqlite:///{file}")
        with _bound(self._engine):
            yield self._engine


class SqliteTemplate:
    """The schema, made once; every test gets a copy of the file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "template.db"
        self._files = Files()
        engine = db.make_engine(f"sqlite:///{self.file}")
        with engine.begin() as connection:
            schema.create_all(connection)
        engine.dispose()

    @contextlib.contextmanager
    def database(self, folder: Path) -> Iterator[Database]:
        file = folder / "yunliu.db"
        shutil.copy(self.file, file)
        with self._files.bound(file) as engine:
            yield Database("sqlite", f"sqlite:///{file}", engine)


def _do_not_wait_for_the_disk(connection: object, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()  # type: ignore[attr-defined]


class PostgresDatabase:
    """One database per test process on the given server; dropped with `drop`."""

    def __init__(self, server: str, name: str) -> None:
        self.server, self.name = make_url(server), name
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" ENCODING UTF8')
        self.url = text_of(self.server.set(database=name))
        self._engine = db.make_engine(self.url)
        with self._engine.begin() as connection:
            schema.create_all(connection)
            _count_apart(connection)
        self._engine.dispose()

    def drop(self) -> None:
        self._administer(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _administer(self, *statements: str) -> None:
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        with _bound(self._engine):
            yield Database("postgresql", self.url, self._engine)
            db.Sessions.remove()
            self._empty(self._engine)

    def _empty(self, engine: Engine) -> None:
        """Delete the rows of the few tables that have any: much faster than truncating all of them."""
        with engine.begin() as connection:
            # Found by the garbage collector later, a forgotten connection would complain in the middle of another test;
            # the traceback it writes parses sources, which breaks an ast.parse that is under way (Python 3.11).
            if engine.pool.checkedout() > 1:  # type: ignore[attr-defined]
                gc.collect()
            # One that is still held would hold its locks and stop us here for ever.
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # foreign keys may form circles
            if names := rows_in(connection):
                connection.exec_driver_sql("; ".join(f'DELETE FROM "{name}"' for name in names))


def _count_apart(connection: Connection) -> None:
    """Each table counts from a number of its own: a test that takes a record to be the first fails each time,
    not only when another test ran before it in this process; so does code that takes one table's id for another's."""
    names = connection.scalars(text("SELECT sequencename FROM pg_sequences ORDER BY sequencename")).all()
    for place, name in enumerate(names, start=1):
        connection.exec_driver_sql(f'ALTER SEQUENCE "{name}" RESTART WITH {place * 1_000 + 7}')


def rows_in(connection: Connection) -> list[str]:
    """The tables that have any: a few of many."""
    return list(connection.scalars(_which_have_rows()).all())


@cache
def _which_have_rows() -> TextClause:
    asked = (
        f"SELECT '{table.name}' AS name WHERE EXISTS (SELECT 1 FROM \"{table.name}\")" for table in schema.tables()
    )
    return text(" UNION ALL ".join(asked))


@contextlib.contextmanager
def without_tables(server: str) -> Iterator[Engine]:
    """A new database on the server, dropped afterwards."""
    url = make_url(server)
    name = f"yunliu_empty_{os.getpid()}_{secrets.token_hex(4)}"
    administrator = create_engine(url, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" ENCODING UTF8'))
    engine = db.make_engine(text_of(url.set(database=name)))
    yield engine
    engine.dispose()
    with administrator.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    administrator.dispose()


@contextlib.contextmanager
def _bound(engine: Engine) -> Iterator[None]:
    db.bind_to(engine)
    # What this process remembers is keyed by ids, and every new database counts from one.
    LIVE.clear()
    repository.forget_all()
    try:
        yield
    finally:
        db.Sessions.remove()
        engine.dispose()


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)
