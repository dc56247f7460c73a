"""Whoever only looks writes nothing, whatever runs for him."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from engine import clock
from engine.db import only_reading
from engine.errors import Forbidden
from engine.models import IdempotencyKey

ROW = {"person_id": 1, "key": "k", "body_sha256": "", "status": 200, "answer": {}}


def test_a_statement_that_writes_is_refused_and_reading_goes_on(session: Session) -> None:
    with only_reading():
        with pytest.raises(Forbidden):
            session.execute(insert(IdempotencyKey).values(at=clock.now(), **ROW))
        with pytest.raises(Forbidden):
            session.execute(text(" delete from idempotency_key"))
        session.rollback()
        session.add(IdempotencyKey(at=clock.now(), **ROW))
        with pytest.raises(Forbidden):
            session.flush()
        session.rollback()
        assert session.scalars(select(IdempotencyKey)).all() == []
    session.add(IdempotencyKey(at=clock.now(), **ROW))
    session.flush()
    assert len(session.scalars(select(IdempotencyKey)).all()) == 1
