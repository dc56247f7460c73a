"""Reads hints from the database: the new ones for everybody, the missed ones for a browser that comes back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from engine import history
from engine.actor import Actor
from engine.db import Sessions
from engine.models import PushEvent

BATCH = 500
GAP_SECONDS = 30.0
"""How long a number that was passed over is looked for: its transaction may have been slower than a later one."""
MOST_GAPS = 1000
UNDERWAY = 200
"""How many numbers may have been taken and not yet committed when a reader begins."""


@dataclass(frozen=True, slots=True)
class Hint:
    id: int
    principal: int
    kind: str
    data: dict[str, Any]


_HINT = (PushEvent.id, PushEvent.principal, PushEvent.kind, PushEvent.data)


@contextmanager
def reading() -> Iterator[Session]:
    """A session for a look; on SQLite it does not queue behind the one writer."""
    session = Sessions()
    try:
        if session.get_bind().dialect.name == "sqlite":
            session.connection(execution_options={"read_only": True})
        yield session
    finally:
        Sessions.remove()


class Reader:
    """Where this process has read to. Used by one thread at a time."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._gaps: dict[int, float] = {}

    @property
    def begun(self) -> bool:
        return self._last is not None

    @property
    def last(self) -> int:
        return self._last or 0

    def forget(self) -> None:
        """Nobody listens: begin anew with whoever comes next."""
        self._last = None
        self._gaps.clear()

    def begin(self) -> None:
        """From now on everything committed is new, also what took its number a moment ago."""
        with reading() as session:
            last = session.scalar(select(func.coalesce(func.max(PushEvent.id), 0))) or 0
            present = set(session.scalars(select(PushEvent.id).where(PushEvent.id > last - UNDERWAY)))
        now = time.monotonic()
        self._last = last
        self._gaps = {number: now for number in range(max(last - UNDERWAY, 0) + 1, last) if number not in present}

    def new(self) -> list[Hint]:
        """What was committed since the last call, each hint once.

        Numbers are given out before the commit, so a later one may be seen first. Those passed over are looked for
        until they turn up or are old enough to have been rolled back.
        """
        with reading() as session:
            wanted = PushEvent.id > self.last
            if self._gaps:
                wanted = or_(wanted, PushEvent.id.in_(self._gaps))
            rows = session.execute(select(*_HINT).where(wanted).order_by(PushEvent.id).limit(BATCH)).all()
        self._note([row.id for row in rows])
        return [Hint(*row) for row in rows]

    def _note(self, seen: Sequence[int]) -> None:
        now = time.monotonic()
        self._gaps = {number: since for number, since in self._gaps.items() if now - since < GAP_SECONDS}
        last = self.last
        for number in seen:
            if number in self._gaps:
                del self._gaps[number]
            elif number > last:
                for skipped in range(max(last + 1, number - MOST_GAPS), number):
                    self._gaps[skipped] = now
                last = number
        while len(self._gaps) > MOST_GAPS:
            del self._gaps[next(iter(self._gaps))]
        self._last = last


def missed(principals: Iterable[int], after: int) -> list[Hint]:
    """The newest hints for these principals since a browser saw number `after`."""
    with reading() as session:
        rows = session.execute(
            select(*_HINT)
            .where(PushEvent.id > after, PushEvent.principal.in_(list(principals)))
            .order_by(PushEvent.id.desc())
            .limit(BATCH)
        ).all()
    return [Hint(*row) for row in reversed(rows)]


def counts(actors: Iterable[Actor]) -> dict[int, dict[str, int]]:
    """The inbox counts of these people, by person."""
    with reading() as session:
        return {actor.person_id: history.counts(session, actor) for actor in actors}
