"""How the wires are, as the process that holds each says; other processes read it here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.models import WireHealth

PERIOD = 15.0
STALE = timedelta(seconds=PERIOD * 5)
"""Whoever has not reported for so long is taken for gone."""
PATIENCE = timedelta(minutes=1)
"""A wire may be down for so long, for a restart or a cable, before anybody is told."""
GONE = "no_process"


@dataclass(frozen=True, slots=True)
class Seen:
    state: str
    """up | degraded | down"""
    reason: str
    at: datetime | None
    since: datetime | None = None


def report(session: Session, wires: Mapping[str, Callable[[], tuple[str, str]]]) -> None:
    """Write down what each wire of this process says of itself: (state, reason)."""
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(WireHealth)
    for name, ask in sorted(wires.items()):
        state, reason = ask()
        now = clock.now()
        values = {"state": state, "reason": reason[:200], "at": now}
        since = case((WireHealth.state == state, WireHealth.since), else_=now)
        session.execute(
            insert.values(name=name, since=now, alarmed=False, **values).on_conflict_do_update(
                index_elements=["name"], set_=values | {"since": since}
            )
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A wire that people must hear of: it has been down for a while, or it works again after they were told."""

    name: str
    is_down: bool
    reason: str
    since: datetime


def changes(session: Session) -> list[Change]:
    """What has changed for good since this was last asked; each is answered once. What is only slow is no alarm."""
    now = clock.now()
    known = select(WireHealth).order_by(WireHealth.name).with_for_update(skip_locked=True)
    found = []
    for row in session.scalars(known):
        silent = now - row.at > STALE
        is_down = silent or row.state == "down"
        since = row.at if silent else row.since
        if is_down and not row.alarmed and now - since >= PATIENCE:
            found.append(Change(row.name, True, GONE if silent else row.reason, since))
            row.alarmed = True
        elif row.alarmed and not is_down:
            found.append(Change(row.name, False, row.reason, since))
            row.alarmed = False
    return found


def forget(session: Session, names: Collection[str]) -> None:
    """These wires are no part of the house any more."""
    session.execute(delete(WireHealth).where(WireHealth.name.in_(names)))


def seen(session: Session) -> dict[str, Seen]:
    """Every wire anybody has reported; a silent one is down."""
    now = clock.now()
    found = {}
    for row in session.scalars(select(WireHealth).order_by(WireHealth.name)):
        silent = now - row.at > STALE
        found[row.name] = (
            Seen("down", GONE, row.at, row.at) if silent else Seen(row.state, row.reason, row.at, row.since)
        )
    return found
