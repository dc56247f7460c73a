"""Who wants no more texts: noted before any process sees the answer, asked before anything commercial leaves."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import SYSTEM, Actor
from processes.messaging.models import OptOut
from processes.messaging.operations.consenting import take_back

LONGEST_WORDS = 100


def opt_out(session: Session, number: str, *, how: str, words: str = "", actor: Actor = SYSTEM) -> None:
    """This E.164 number gets nothing commercial any more, nor what waits already; again changes nothing.

    how: reply | person.
    """
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(OptOut)
    values = {
        "number": number,
        "at": clock.now(),
        "how": how,
        "words": words[:LONGEST_WORDS],
        "noted_by": actor.person_id,
    }
    session.execute(insert.values(values).on_conflict_do_nothing(index_elements=["number"]))
    take_back(session, number, actor=actor)


def opt_in(session: Session, number: str) -> None:
    """A person has agreed to be texted again; anything commercial needs a new consent besides."""
    session.execute(delete(OptOut).where(OptOut.number == number))


def opted_out(session: Session, numbers: Iterable[str]) -> set[str]:
    """Those of these E.164 numbers that want no more texts."""
    return set(session.scalars(select(OptOut.number).where(OptOut.number.in_(list(numbers)))))
