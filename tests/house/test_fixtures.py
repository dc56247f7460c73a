"""The fixtures keep their promises: a test finds nothing of the one before, on each database."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock as engine_clock, db
from engine.models import Lease
from tests.conftest import TestClock
from tests.databases import Database
from tests.kept import write_or_copy


@pytest.mark.parametrize("time_around", [1, 2])
def test_rows_committed_by_one_test_are_gone_for_the_next(session: Session, time_around: int) -> None:
    assert session.scalar(select(func.count()).select_from(Lease)) == 0
    with db.transaction() as same:
        same.add(Lease(name=f"left by {time_around}", owner="test", until=engine_clock.now()))
    assert session.scalar(select(Lease.owner)) == "test"


def test_the_named_database_is_the_one_behind_the_session(database: Database, session: Session) -> None:
    assert session.get_bind().dialect.name == database.name


@pytest.mark.databases("postgresql")
def test_a_marker_chooses_one_database(database: Database) -> None:
    assert database.name == "postgresql"


def test_the_clock_stands_still_until_turned(clock: TestClock) -> None:
    before = engine_clock.now()
    assert engine_clock.now() == before
    clock.advance(hours=8)
    assert engine_clock.now() - before == timedelta(hours=8)


def test_redis_answers(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


def leave(name: str) -> None:
    with db.transaction() as session:
        session.add(Lease(name=name, owner="kept", until=engine_clock.now()))


def left() -> list[str]:
    with db.transaction() as session:
        return sorted(session.scalars(select(Lease.name)))


@pytest.mark.parametrize("time_around", [1, 2, 3])
def test_what_is_kept_is_there_without_what_a_test_added(
    database: Database, clock: TestClock, time_around: int
) -> None:
    copied = write_or_copy(database, "a lease", lambda: leave(f"written by {time_around}"))
    (kept,) = left()
    assert copied == (kept != f"written by {time_around}")
    leave("added")
    assert left() == ["added", kept]


def test_kept_rows_belong_to_their_time(database: Database, clock: TestClock) -> None:
    clock.advance(days=1)
    assert not write_or_copy(database, "a lease", lambda: leave("the day after"))
    assert left() == ["the day after"]


def test_nothing_is_copied_beside_rows_of_a_test(database: Database, clock: TestClock) -> None:
    leave("mine")
    assert not write_or_copy(database, "a lease", lambda: leave("written"))
    assert left() == ["mine", "written"]
