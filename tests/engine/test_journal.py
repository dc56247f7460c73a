"""The logs hold together, and show it when somebody touches them."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from engine.db import transaction

LI = Actor(person_id=7, name="李娜")


def change(record_id: int, amount: str) -> None:
    with transaction() as session:
        journal.audit(session, LI, "spending.budget", record_id, "change", {"amount": "1"}, {"amount": amount})


def test_untouched_chains_hold(session: Session) -> None:
    for round_number in range(3):
        change(1, str(round_number))
        change(2, str(round_number))
    assert list(journal.verify_records(session)) == []


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE record_audit SET actor_name = '王伟' WHERE record_id = 1 AND seq = 2",
        "DELETE FROM record_audit WHERE record_id = 1 AND seq = 2",
        "UPDATE record_audit SET seq = seq + 10 WHERE record_id = 1 AND seq = 3",
    ],
)
def test_a_touched_chain_is_found(session: Session, crime: str) -> None:
    for round_number in range(3):
        change(1, str(round_number))
        change(2, str(round_number))
    with transaction() as criminal:
        criminal.execute(text(crime))
    found = list(journal.verify_records(session))
    assert found
    assert {broken.id for broken in found} == {1}
