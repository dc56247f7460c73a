"""A form sent twice (a double click, a reload) is done once: the second gets the first one's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock, runtime
from engine.actor import Actor
from engine.db import transaction
from engine.errors import NotFound
from engine.models import IdempotencyKey

LONGEST_KEY = 60

DONE, AT_WORK = 303, 202


def once(actor: Actor, key: str, work: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
    """Do `work` in a transaction of its own, at most once per person and key; no key: always."""
    if not key:
        return runtime.perform(work)

    def remembered(session: Session) -> dict[str, Any]:
        known = session.get(IdempotencyKey, (actor.person_id, _name(key)))
        if known is not None:
            return dict(known.answer)
        mark = _mark(actor, key, DONE)
        session.add(mark)
        session.flush()  # who comes second waits here until the first has committed
        mark.answer = work(session)
        return dict(mark.answer)

    try:
        return runtime.perform(remembered)
    except IntegrityError:
        return runtime.perform(remembered)


def once_through(actor: Actor, key: str, work: Callable[[], dict[str, Any]]) -> None:
    """As `once`, for work of many transactions; what came of it is read by `came_of`. Refused, it may be sent again.

    Who comes second does not wait: the first may take a while, and what it has done so far is done.
    """
    try:
        with transaction() as session:
            session.add(_mark(actor, key, AT_WORK))
    except IntegrityError:
        return
    mine = IdempotencyKey.person_id == actor.person_id, IdempotencyKey.key == _name(key)
    try:
        answer = work()
    except Exception:
        with transaction() as session:
            session.execute(delete(IdempotencyKey).where(*mine))
        raise
    with transaction() as session:
        session.execute(update(IdempotencyKey).where(*mine).values(answer=answer, status=DONE))


def came_of(session: Session, actor: Actor, key: str) -> dict[str, Any] | None:
    """The answer of this person's work under this key; None while it is at work, or was cut off in the middle."""
    known = session.get(IdempotencyKey, (actor.person_id, _name(key)))
    if known is None:
        raise NotFound
    return dict(known.answer) if known.status == DONE else None


def _name(key: str) -> str:
    return f"page:{key[:LONGEST_KEY]}"


def _mark(actor: Actor, key: str, status: int) -> IdempotencyKey:
    return IdempotencyKey(
        person_id=actor.person_id, key=_name(key), body_sha256="", status=status, answer={}, at=clock.now()
    )
