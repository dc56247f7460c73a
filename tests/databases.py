"""A real SQLite file and a real PostgreSQL database per test process, empty again for every test."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, text
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


class SqliteTemplate:
    """The schema, made once; every test gets a copy of the file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "template.db"
        engine = db.make_engine(f"sqlite:///{self.file}")
        with engine.begin() as connection:
            schema.create_all(connection)
        engine.dispose()

    @contextlib.contextmanager
    def database(self, folder: Path) -> Iterator[Database]:
        file = folder / "yunliu.db"
        shutil.copy(self.file, file)
        url = f"sqlite:///{file}"
        with _bound(url) as engine:
            event.listen(engine, "connect", _do_not_wait_for_the_disk)
            yield Database("sqlite", url, engine)


def _do_not_wait_for_the_disk(connection: object, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()  # type: ignore[attr-defined]


class PostgresDatabase:
    """One database per test process on the given server; dropped with `drop`."""

    def __init__(self, server: str, name: str) -> None:
        self.server, self.name = make_url(server), name
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" ENCODING UTF8')
        self.url = text_of(self.server.set(database=name))
        engine = db.make_engine(self.url)
        with engine.begin() as connection:
            schema.create_all(connection)
        engine.dispose()
        names = ", ".join(
            f"(SELECT '{table.name}' WHERE EXISTS (SELECT FROM \"{table.name}\"))" for table in schema.tables()
        )
        self._which_have_rows = text(f"SELECT name FROM unnest(ARRAY[{names}]) AS name WHERE name IS NOT NULL")

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
        with _bound(self.url) as engine:
            yield Database("postgresql", self.url, engine)
            db.Sessions.remove()
            self._empty(engine)

    def _empty(self, engine: Engine) -> None:
        """Delete the rows of the few tables that have any: much faster than truncating all of them."""
        with engine.begin() as connection:
            # A connection a test forgot would hold its locks and stop us here for ever.
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # foreign keys may form circles
            for name in connection.scalars(self._which_have_rows).all():
                connection.execute(text(f'DELETE FROM "{name}"'))


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
def _bound(url: str) -> Iterator[Engine]:
    engine = db.bind(url)
    # What this process remembers is keyed by ids, and every new database counts from one.
    LIVE.clear()
    repository.forget_all()
    try:
        yield engine
    finally:
        db.Sessions.remove()
        engine.dispose()


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)
