"""One Base, one session, one way to open a transaction; SQLite and PostgreSQL alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from engine.errors import Forbidden
from engine.i18n import _

REST_SECONDS = 10.0

Sessions = scoped_session(sessionmaker(expire_on_commit=False))

Id = BigInteger().with_variant(Integer, "sqlite")
"""Primary and foreign keys: 64 bit; SQLite numbers rows by itself only for INTEGER."""

Json = JSON().with_variant(postgresql.JSONB(), "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """Aware instants in, aware UTC instants out; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  (the name SQLAlchemy reads)
        datetime: UTCDateTime,
        dict[str, Any]: Json,
        list[Any]: Json,
    }


_ONLY_READING: ContextVar[bool] = ContextVar("only_reading", default=False)
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "TRUNCATE", "ALTER", "CREATE", "DROP")


@contextmanager
def only_reading() -> Iterator[None]:
    """Whatever runs inside may look and not write: a statement that would change something is refused."""
    token = _ONLY_READING.set(True)
    try:
        yield
    finally:
        _ONLY_READING.reset(token)


def _refuse_writes(engine: Engine) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def _on_execute(_conn: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool) -> None:
        if _ONLY_READING.get() and statement.lstrip()[:8].upper().startswith(_WRITES):
            raise Forbidden(_("Nothing may be written here."), code="only_reading")


def make_engine(url: str, **options: Any) -> Engine:
    """An engine with the settings both databases need for durable, concurrent steps."""
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, **options)
        _prepare_sqlite(engine)
        _refuse_writes(engine)
        return engine
    engine = create_engine(url, **options)
    _compile_nothing(engine)
    _ping_the_idle(engine)
    _refuse_writes(engine)
    return engine


def _compile_nothing(engine: Engine) -> None:
    """PostgreSQL's JIT compiles what it thinks dear, and rights make every list look dear: 4 s for a count of 0.3 s."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.autocommit = True  # else the pool's first rollback takes it back
        connection.execute("SET jit = off")
        connection.autocommit = False


def _ping_the_idle(engine: Engine) -> None:
    """Ask a pooled connection whether it lives only after a rest: a ping at each step would cost a third of it."""

    @event.listens_for(engine, "checkin")
    def _on_checkin(_connection: Any, record: Any) -> None:
        record.info["rested_from"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rested_from", time.monotonic()) < REST_SECONDS:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except Exception as error:
            raise DisconnectionError from error  # the pool tries again with a new one


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        # One writer at a time by design: a transaction that may write takes the lock at its start, so it can never
        # fail half way with "database is locked". Read-only work says so with execution_options(read_only=True).
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


_on_bind: list[Callable[[], None]] = []


def on_bind(forget: Callable[[], None]) -> None:
    """Declare what must be forgotten when the session is pointed at another database: caches that go by its ids."""
    _on_bind.append(forget)


def bind(url: str, **options: Any) -> Engine:
    """Point the session at a database; returns the engine."""
    engine = make_engine(url, **options)
    bind_to(engine)
    return engine


def analyze() -> None:
    """Give the planner its statistics after a bulk load, instead of waiting for the database to notice."""
    engine: Any = Sessions().get_bind()
    Sessions.remove()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def bind_to(engine: Engine) -> None:
    """Point the session at this engine's database."""
    Sessions.remove()
    Sessions.configure(bind=engine)
    for forget in _on_bind:
        forget()


LONGEST_LOOK = 0.1
"""Seconds: who waits for SQLite's lock looks for it again at latest after so long."""


def give_way() -> None:
    """Between two steps of a long piece of work: let everybody in who waits to write.

    PostgreSQL's writers do not wait for each other. SQLite keeps no line: those who wait look for the lock now and
    then, and whoever takes it again at once is always faster; their pages would wait for minutes and fail.
    """
    if Sessions().get_bind().dialect.name == "sqlite":
        time.sleep(LONGEST_LOOK * 1.5)


@contextmanager
def transaction() -> Iterator[Session]:
    """The outermost entry (page, job, event, command) opens it; operations inside may flush, never commit.

    It commits or rolls back only: removing the session would detach the page's own user. The session is removed once
    per request, task or event by whoever serves that.
    """
    session = Sessions()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        session.info.pop("after_commit", None)  # a session that never asked the database has nothing to roll back
        raise


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run once when the outermost transaction has committed; forgotten when its transaction or savepoint rolls back."""
    session.info.setdefault("after_commit", []).append((session.get_nested_transaction(), callback))


@event.listens_for(Session, "after_commit")
def _run_callbacks(session: Session) -> None:
    savepoint = session.get_nested_transaction()
    if savepoint is not None:  # a released savepoint: its callbacks now hang on what encloses it
        waiting = session.info.get("after_commit", [])
        outer = savepoint.parent if savepoint.parent is not None and savepoint.parent.nested else None
        session.info["after_commit"] = [(outer if mine is savepoint else mine, call) for mine, call in waiting]
        return
    for _savepoint, callback in session.info.pop("after_commit", []):
        callback()


@event.listens_for(Session, "after_soft_rollback")
def _forget_callbacks(session: Session, ended: SessionTransaction) -> None:
    waiting = session.info.pop("after_commit", [])
    if ended.nested:
        session.info["after_commit"] = [(mine, call) for mine, call in waiting if mine is not ended]


@contextmanager
def beside(session: Session) -> Iterator[Session]:
    """A short transaction of its own: what is written in it stays when the session's own rolls back, and nobody waits
    for that one's end.

    Its connection comes from no pool: threads that hold all the pool's connections would wait for each other. SQLite
    has one writer, which is already the session, so there it is the session's own transaction.
    """
    bind = session.get_bind()
    if bind.dialect.name == "sqlite":
        yield session
        return
    with Session(_unpooled(bind.engine.url.render_as_string(hide_password=False))) as own, own.begin():
        yield own


@cache
def _unpooled(url: str) -> Engine:
    return make_engine(url, poolclass=NullPool)
