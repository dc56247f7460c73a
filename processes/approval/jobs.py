"""The clock of approvals: items are watched, and what their time asks for is done, each in a transaction of its own."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import update

from engine import clock, runtime
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.approval.models import ItemWatch
from processes.approval.operations import due_for_reminder, enrol, remind

logger = logging.getLogger(__name__)

PAUSE_AFTER_FAILURE = timedelta(minutes=10)


@periodic("approval.remind", seconds=60)
def remind_by_the_clock() -> int:
    """Remind about whatever has reached half of its time, its due date, or half as much again."""
    while True:
        with transaction() as session:
            if not enrol(session):
                break
    done = 0
    while True:
        with transaction() as session:
            due = due_for_reminder(session)
        handled = sum(_one(item_id) for item_id in due)
        done += handled
        if not handled:  # none is left, or what is left cannot be done now: the next round looks again
            return done


def _one(item_id: int) -> int:
    """One that cannot be reminded about waits a while and does not stand in the way of the others."""
    try:
        return int(runtime.perform(lambda session: remind(session, item_id)))
    except Exception:
        logger.exception("reminder.failed", extra={"item_id": item_id})
        with transaction() as session:
            later = clock.now() + PAUSE_AFTER_FAILURE
            session.execute(update(ItemWatch).where(ItemWatch.item_id == item_id).values(next_at=later))
        return 0
    finally:
        Sessions.remove()
