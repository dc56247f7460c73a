"""What goes by itself: on Mondays, watchers hear what the week brought their customers."""

from __future__ import annotations

import logging

from engine import clock
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.activity.operations import watch_weeks
from processes.kernel.working_time import ZONE

logger = logging.getLogger(__name__)

DAYS, FROM_HOUR = (0, 1), 7
"""Monday, and Tuesday for a house that was down; early enough for the morning's digest mail"""


@periodic("activity.tell_watchers", seconds=1800)
def tell_watchers() -> int:
    """One person, one transaction, whose failure stops nobody else's; a week is told to each once."""
    now = clock.now()
    here = now.astimezone(ZONE)
    if here.weekday() not in DAYS or here.hour < FROM_HOUR:
        return 0
    week, told = watch_weeks.Week.before(now), 0
    with transaction() as session:
        people = list(watch_weeks.to_tell(session, week))
    Sessions.remove()
    for person in people:
        try:
            with transaction() as session:
                told += watch_weeks.tell(session, person, week)
        except Exception:
            logger.exception("activity.watcher_not_told", extra={"person_id": person})
        finally:
            Sessions.remove()
    return told
