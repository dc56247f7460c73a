"""A duty has one holder, and the next holder's token is higher."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import leases
from engine.db import transaction
from tests.conftest import TestClock


def acquire(owner: str) -> int | None:
    with transaction() as session:
        return leases.acquire(session, "modem:ttyUSB0", owner)


def test_one_holder_until_the_lease_ends(session: Session, clock: TestClock) -> None:
    assert acquire("a") == 1
    assert acquire("b") is None
    clock.advance(seconds=20)
    assert acquire("a") == 1, "renewed"
    clock.advance(seconds=20)
    assert acquire("b") is None
    clock.advance(seconds=31)
    assert acquire("b") == 2
    assert acquire("a") is None, "the old holder has lost it"


def test_a_released_duty_is_free_at_once(session: Session, clock: TestClock) -> None:
    acquire("a")
    with transaction() as change:
        leases.release(change, "modem:ttyUSB0", "a")
    assert acquire("b") == 2
