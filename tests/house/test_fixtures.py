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
