"""A form sent twice (a double click, a reload) is done once: the second gets the first one's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock, runtime
from engine.actor import Actor
from engine.models import IdempotencyKey

LONGEST_KEY = 60


def once(actor: Actor, key: str, work: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
    """Do `work` in a transaction of its own, at most once per person and key; no key: always."""
    if not key:
        return runtime.perform(work)
    name = f"page:{key[:LONGEST_KEY]}"

    def remembered(session: Session) -> dict[str, Any]:
        known = session.get(IdempotencyKey, (actor.person_id, name))
        if known is not None:
            return dict(known.answer)
        mark = IdempotencyKey(
            person_id=actor.person_id, key=name, body_sha256="", status=303, answer={}, at=clock.now()
        )
        session.add(mark)
        session.flush()  # who comes second waits here until the first has committed
        mark.answer = work(session)
        return dict(mark.answer)

    try:
        return runtime.perform(remembered)
    except IntegrityError:
        return runtime.perform(remembered)
