"""How the wires are, as the process that holds each says; other processes read it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.models import WireHealth

PERIOD = 15.0
STALE = timedelta(seconds=PERIOD * 5)
"""Whoever has not reported for so long is taken for gone."""
GONE = "no_process"


@dataclass(frozen=True, slots=True)
class Seen:
    state: str
    """up | degraded | down"""
    reason: str
    at: datetime | None


def report(session: Session, wires: Mapping[str, Callable[[], tuple[str, str]]]) -> None:
    """Write down what each wire of this process says of itself: (state, reason)."""
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(WireHealth)
    for name, ask in sorted(wires.items()):
        state, reason = ask()
        values = {"state": state, "reason": reason[:200], "at": clock.now()}
        session.execute(insert.values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values))


def seen(session: Session) -> dict[str, Seen]:
    """Every wire anybody has reported; a silent one is down."""
    now = clock.now()
    found = {}
    for row in session.scalars(select(WireHealth).order_by(WireHealth.name)):
        silent = now - row.at > STALE
        found[row.name] = Seen("down", GONE, row.at) if silent else Seen(row.state, row.reason, row.at)
    return found
