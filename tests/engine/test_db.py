"""The one way to open a transaction, and what runs after it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from threading import Event, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import clock, live
from engine.db import Sessions, after_commit, give_way, transaction
from engine.models import Lease, PushEvent
from tests.databases import Database


def test_callbacks_run_once_after_the_commit(session: Session) -> None:
    heard: list[str] = []
    with transaction() as change:
        after_commit(change, lambda: heard.append("told"))
        assert heard == []
    with transaction():
        pass
    assert heard == ["told"]


def test_callbacks_of_a_rollback_are_forgotten(session: Session) -> None:
    heard: list[str] = []
    with pytest.raises(ZeroDivisionError), transaction() as change:
        after_commit(change, lambda: heard.append("told"))
        raise ZeroDivisionError
    with transaction():
        pass
    assert heard == []


def test_a_savepoint_takes_only_its_own_callbacks_back(session: Session) -> None:
    heard: list[str] = []
    with transaction() as change:
        live.push(change, [1], "inbox")
        after_commit(change, lambda: heard.append("outer"))
        with pytest.raises(ZeroDivisionError), change.begin_nested():
            live.push(change, [2], "inbox")
            after_commit(change, lambda: heard.append("lost"))
            raise ZeroDivisionError
        with change.begin_nested():
            live.push(change, [3], "inbox")
            after_commit(change, lambda: heard.append("kept"))
        assert heard == []
    assert heard == ["outer", "kept"]
    assert {row.principal for row in session.query(PushEvent)} == {1, 3}


def test_a_stored_instant_comes_back_aware_and_in_utc(session: Session) -> None:
    shanghai = timezone(timedelta(hours=8))
    with transaction() as change:
        change.add(Lease(name="x", owner="y", until=datetime(2026, 11, 23, 9, 0, tzinfo=shanghai)))
    session.expire_all()
    until = session.get_one(Lease, "x").until
    assert until == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert until.tzinfo is UTC


def test_a_naive_instant_is_refused(session: Session) -> None:
    with pytest.raises(Exception, match="time zone"), transaction() as change:
        change.add(Lease(name="x", owner="y", until=clock.now().replace(tzinfo=None)))


@pytest.mark.databases("postgresql")
def test_postgresql_compiles_no_statement_of_ours(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.rollback()
        assert connection.exec_driver_sql("SHOW jit").scalar() == "off"


def test_who_wants_to_write_is_let_in_between_the_steps_of_long_work(database: Database) -> None:
    steps, begun, arrived = 15, Event(), Event()

    def write_one() -> None:
        with transaction() as session:
            begun.set()
            session.execute(text("UPDATE lease SET fence = fence"))
        Sessions.remove()
        arrived.set()

    def wait_and_write() -> None:
        begun.wait(10)
        write_one()

    other = Thread(target=wait_and_write)
    other.start()
    waited = 0
    for _step in range(steps):
        with transaction() as session:
            session.execute(text("UPDATE lease SET fence = fence"))
            begun.set()
            time.sleep(0.15)
        Sessions.remove()
        give_way()
        if arrived.is_set():
            break
        waited += 1
    other.join(40)
    assert waited < 3, "a page would have waited for all of it"
