"""When a wire may be used: not while its peer is down, and no faster than it bears. One answer for all processes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.models import WireGate

FAILURES = 5
"""So many attempts in a row that were put off or left in doubt close a gate, unless its wire has less patience: the
peer is down, or has had enough."""
PAUSES = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300, 600))
"""How long it stays closed, the first time and each time after; then one message alone tries the way."""
TRYING = timedelta(minutes=2)
"""For so long nobody else passes while one message tries; if its process dies, the next one tries after it."""

NO_LIMIT: float | None = None


def room(session: Session, name: str, wanted: int, per_minute: float | None = NO_LIMIT) -> int:
    """How many messages may pass now, at most `wanted`; they count as passed. 0 while the gate is closed."""
    gate = session.get(WireGate, name, populate_existing=True)
    if gate is None and per_minute is None:
        return wanted
    if gate is None:
        _make(session, name)
    gate = session.get_one(WireGate, name, with_for_update=True, populate_existing=True)
    now = clock.now()
    if gate.closed_until is not None and gate.closed_until > now:
        return 0
    if gate.closings:
        wanted = min(wanted, 1)
        gate.closed_until = now + TRYING
    if per_minute is not None:
        wanted = min(wanted, _drawn(gate, wanted, per_minute, now))
    session.flush()
    return wanted


def _drawn(gate: WireGate, wanted: int, per_minute: float, now: datetime) -> int:
    """A bucket of one minute's messages that fills evenly, so a burst after a rest is as large as the peer bears."""
    rested = (now - gate.filled_at).total_seconds() if gate.filled_at is not None else 60.0
    tokens = min(per_minute, (gate.millitokens or 0) / 1000 + per_minute * rested / 60)
    passed = min(wanted, int(tokens))
    gate.millitokens, gate.filled_at = int((tokens - passed) * 1000), now
    return passed


def closed(session: Session, names: Iterable[str]) -> dict[str, datetime]:
    """Of these gates the closed ones, with the instant they open at."""
    shut = select(WireGate.name, WireGate.closed_until).where(
        WireGate.name.in_(list(names)), WireGate.closed_until > clock.now()
    )
    return {name: until for name, until in session.execute(shut) if until is not None}


def note(session: Session, name: str, outcomes: Iterable[bool], patience: int = FAILURES) -> bool:
    """Whether the peer answered (True) or the attempt came to nothing (False), in their order. False: now closed.

    patience: so many attempts in a row that come to nothing close it.
    """
    failed = 0
    answered = False
    for outcome in outcomes:
        failed, answered = (0, True) if outcome else (failed + 1, answered)
    if not failed:
        if answered:
            _reset(session, name)
        return True
    if session.get(WireGate, name) is None:
        _make(session, name)
    gate = session.get_one(WireGate, name, with_for_update=True, populate_existing=True)
    if answered:
        gate.failures, gate.closings = 0, 0
    gate.failures += failed
    if gate.failures < patience:
        return True
    gate.closed_until = clock.now() + PAUSES[min(gate.closings, len(PAUSES) - 1)]
    gate.closings += 1
    session.flush()
    return False


def open_now(session: Session, name: str) -> None:
    """A person has looked after the peer and wants it tried at once."""
    session.execute(
        update(WireGate)
        .where(WireGate.name == name)
        .values(closed_until=None)
        .execution_options(synchronize_session=False)
    )


def _reset(session: Session, name: str) -> None:
    session.execute(
        update(WireGate)
        .where(WireGate.name == name, WireGate.failures > 0)
        .values(failures=0, closings=0, closed_until=None)
        .execution_options(synchronize_session=False)
    )


def _make(session: Session, name: str) -> None:
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(WireGate)
    session.execute(insert.values(name=name, failures=0, closings=0).on_conflict_do_nothing(index_elements=["name"]))
