"""Looking after a running house: is everything it needs there, and has nobody touched its memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from celery.exceptions import OperationalError
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import health, journal
from engine.db import Sessions
from engine.models import Instance
from engine.queue import celery
from processes.document.operations import broken_packages
from processes.organization.calendar import missing_years
from webapp import migrations

BROKER_SECONDS = 3


@dataclass(frozen=True)
class Finding:
    name: str
    state: str
    """up | degraded | down"""
    reason: str = ""


def look_around() -> list[Finding]:
    """The database, its schema, the broker, then every connector that reports its health."""
    engine = Sessions().get_bind()
    assert isinstance(engine, Engine)
    database = _database(engine)
    found = [database]
    if database.state == "up":
        schema = _schema(engine)
        found.append(schema)
        if schema.state == "up":
            found.extend(Finding(name, wire.state, wire.reason) for name, wire in health.seen(Sessions()).items())
            found.append(_calendar(Sessions()))
    found.append(_broker())
    return found


def _database(engine: Engine) -> Finding:
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return Finding("database", "down", type(error).__name__)
    return Finding("database", "up", engine.dialect.name)


def _schema(engine: Engine) -> Finding:
    present, newest = migrations.present(engine), migrations.newest()
    if present == newest:
        return Finding("schema", "up", newest)
    return Finding("schema", "down", f"is {present or 'empty'}, this release needs {newest}: yunliu migrate")


def _calendar(session: Session) -> Finding:
    """Without the holidays of a year, due dates count them as working days: still a house, but one that is mistaken."""
    missing = missing_years(session)
    if not missing:
        return Finding("calendar", "up")
    years = ", ".join(map(str, missing))
    remedy = "import the State Council's announcement under System > Working calendar, or install a newer release"
    return Finding("calendar", "degraded", f"the holidays of {years} are not known: {remedy}")


def _broker() -> Finding:
    """Without it everything still happens, only later: a folder or a server that hints are sent through."""
    try:
        with celery.connection_for_write(connect_timeout=BROKER_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
    except (OperationalError, OSError) as error:
        return Finding("broker", "degraded", str(error) or type(error).__name__)
    return Finding("broker", "up", connection.transport_cls)


def broken_links(session: Session) -> Iterator[journal.Break]:
    """Every place where a hash chain of an instance or a record, or a package of the archive, does not hold."""
    heads = session.execute(select(Instance.id, Instance.log_seq, Instance.log_hash).order_by(Instance.id)).all()
    for instance_id, seq, head in heads:
        yield from journal.verify_instance(session, instance_id, seq, head)
    yield from journal.verify_records(session)
    for number, fault in broken_packages(session):
        yield journal.Break("archive", number, 0, fault)
