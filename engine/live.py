"""Hints for browsers, written with the change and pushed after it."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import redis
from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine import clock
from engine.db import after_commit
from engine.models import PushEvent

logger = logging.getLogger(__name__)

KEEP_SECONDS = 3600

CHANNEL = "yunliu:push"
"""Redis channel on which readers are told to look now; the table stays the truth and is looked at every second too."""

RING_SECONDS = 0.2
SULK_SECONDS = 5.0
"""After a failure Redis is left alone this long: a commit must not wait for it each time."""

_RIGHTS = 9_000_000_000_000
"""Below it lie people and pools (engine.assignment.group_principal)."""

_bell: Callable[[], None] | None = None


def connect(redis_url: str) -> None:
    """Tell readers in other processes at once. Without it they see a hint at their next look."""
    global _bell
    client = redis.Redis.from_url(redis_url, socket_timeout=RING_SECONDS, socket_connect_timeout=RING_SECONDS)

    silent_until = 0.0

    def ring_now() -> None:
        nonlocal silent_until
        if time.monotonic() < silent_until:
            return
        try:
            client.publish(CHANNEL, b"")
        except redis.RedisError as error:
            silent_until = time.monotonic() + SULK_SECONDS
            logger.warning("live.bell_failed", extra={"error": str(error)})

    _bell = ring_now


def holders_of(permission: str) -> int:
    """The principal of everybody who has this right: for hints that say no more than that there is something new."""
    return -(_RIGHTS + zlib.crc32(permission.encode()))


def push(
    session: Session,
    principals: Iterable[int],
    kind: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Tell these people's open pages that something of this kind changed. A rollback takes the hint back."""
    rows = [{"principal": p, "kind": kind, "data": data or {}, "at": clock.now()} for p in sorted(set(principals))]
    if rows:
        session.execute(insert(PushEvent), rows)
        ring(session)


def ring(session: Session) -> None:
    """Hints were written in this transaction: let readers look when it is committed."""
    if _bell is not None:
        after_commit(session, _bell)
