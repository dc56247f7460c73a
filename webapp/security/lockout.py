"""Too many wrong passwords close a login for a while, and for longer each time; known only from the login log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from webapp.security.models import LoginLog


@dataclass(frozen=True)
class Locked:
    """The answer to a login that must wait."""

    until: datetime

    @property
    def seconds(self) -> int:
        return max(1, ceil((self.until - clock.now()).total_seconds()))


LONGEST = timedelta(hours=1)
_ENOUGH = 40
"""Attempts looked back at: beyond these the lock has long reached LONGEST."""


def lock_length(wrong: int, allowed: int, first: timedelta) -> timedelta:
    """How long a login stays closed after this many wrong passwords in a row.

    Doubles with every further one: 5 allowed, 30 s first -> 5: 30 s, 6: 60 s, 7: 2 min … at most LONGEST.
    """
    if wrong < allowed:
        return timedelta(0)
    factor: int = 2 ** min(wrong - allowed, 20)
    return min(first * factor, LONGEST)


def locked_until(session: Session, name: str, *, allowed: int, first: timedelta) -> datetime | None:
    """Until when this name may not sign in; None = it may. The same answer whether or not the name exists."""
    rows = session.execute(
        select(LoginLog.outcome, LoginLog.at)
        .where(LoginLog.name == name.lower(), LoginLog.outcome.in_(("wrong", "ok", "unlocked")))
        .order_by(LoginLog.id.desc())
        .limit(_ENOUGH)
    ).all()
    wrong = []
    for outcome, at in rows:
        if outcome != "wrong":
            break
        wrong.append(at)
    if not wrong:
        return None
    until: datetime = wrong[0] + lock_length(len(wrong), allowed, first)
    return until if until > clock.now() else None
