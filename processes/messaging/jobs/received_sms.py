"""The clock of messaging: long texts whose rest never comes, and what could not be handled when it came."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.orm import Session

from engine import runtime
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.messaging.operations import receiving, reporting

logger = logging.getLogger(__name__)


@periodic("messaging.complete_received", seconds=300)
def complete_received() -> int:
    """Give out what has waited for its rest for a day, gaps marked; try again what could not be handled."""
    with transaction() as session:
        late = receiving.overdue(session)
        stuck = receiving.unhandled(session)
        receiving.forget_parts(session)
    Sessions.remove()
    done = sum(_one(receiving.give_out_overdue, part) for part in late)
    return done + sum(_one(receiving.handle_again, message) for message in stuck)


@periodic("messaging.match_reports", seconds=30)
def match_reports() -> int:
    """Bring reports that came early together with their messages."""
    try:
        with transaction() as session:
            return reporting.match_kept(session)
    finally:
        Sessions.remove()


def _one(work: Callable[[Session, int], bool], record_id: int) -> int:
    """Each in a transaction of its own; one that fails does not stand in the way of the others."""
    try:
        return int(runtime.perform(lambda session: work(session, record_id)))
    except Exception:
        logger.exception("sms.job_failed", extra={"record_id": record_id})
        return 0
    finally:
        Sessions.remove()
