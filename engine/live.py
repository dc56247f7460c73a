"""Hints for browsers, written with the change and pushed after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine import clock
from engine.models import PushEvent

KEEP_SECONDS = 3600


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
