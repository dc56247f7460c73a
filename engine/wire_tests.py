"""Trying a wire without sending anything: asked on a page, done by the process that holds the wire."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.models import WireTest

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)
"""A test that nobody has taken by then is answered by nobody: no process holds the wire."""
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried, in order; the first that fails is the last."""

    step: str
    """a word to translate: connect | tls | login | device | sim | network | folder | folders | program | answer |
    simulated"""
    ok: bool
    words: str = ""
    """what the peer said"""


Trial = Callable[[], Sequence[Step]]

TRIALS: dict[str, Trial] = {}
"""Wires this process can try, by the name of their health line; filled by bootstrap and by listeners."""


def ask(session: Session, actor: Actor, name: str) -> int:
    """Want to know whether the wire works; the same question while one waits is the same test."""
    waiting = select(WireTest.id).where(
        WireTest.name == name, WireTest.answered_at.is_(None), WireTest.asked_at > clock.now() - PATIENCE
    )
    found = session.scalar(waiting)
    if found is not None:
        return found
    test = WireTest(name=name, asked_by=actor.person_id, asked_at=clock.now(), steps=[])
    session.add(test)
    session.flush()
    return test.id


def answer() -> int:
    """Take the tests of this process's wires and try each; returns how many."""
    if not TRIALS:
        return 0
    tests = _waiting()
    for key, name in tests:
        steps = _tried(name)
        with transaction() as session:
            session.execute(
                update(WireTest)
                .where(WireTest.id == key, WireTest.answered_at.is_(None))
                .values(
                    answered_at=clock.now(),
                    passed=all(step.ok for step in steps),
                    steps=[asdict(step) for step in steps],
                )
            )
            session.execute(delete(WireTest).where(WireTest.asked_at < clock.now() - KEPT))
    Sessions.remove()
    return len(tests)


def _waiting() -> list[tuple[int, str]]:
    """Every listener looks once a second: on SQLite without standing in the writers' line."""
    Sessions.remove()
    session = Sessions()
    session.connection(execution_options={"read_only": True})
    asked = select(WireTest.id, WireTest.name).where(
        WireTest.name.in_(TRIALS), WireTest.answered_at.is_(None), WireTest.asked_at > clock.now() - PATIENCE
    )
    found = [(key, name) for key, name in session.execute(asked.order_by(WireTest.id))]
    Sessions.remove()
    return found


def _tried(name: str) -> Sequence[Step]:
    try:
        return TRIALS[name]()
    except Exception as error:
        logger.exception("wire_tests.broke", extra={"wire": name})
        return [Step("answer", False, f"{type(error).__name__}: {error}"[:200])]


def latest(session: Session, names: Sequence[str]) -> dict[str, WireTest]:
    """The newest test of each of these wires."""
    found = select(WireTest).where(WireTest.name.in_(names), WireTest.asked_at > clock.now() - KEPT)
    return {test.name: test for test in session.scalars(found.order_by(WireTest.id))}


def is_forsaken(test: WireTest) -> bool:
    """Nobody holds the wire: the question has waited too long."""
    return test.answered_at is None and clock.now() - test.asked_at > PATIENCE
