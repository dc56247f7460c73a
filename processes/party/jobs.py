"""The weekly look for customers that are there twice."""

from __future__ import annotations

import logging
from datetime import date
from functools import partial

from engine import clock, runtime
from engine.db import Sessions, give_way, transaction
from engine.queue import periodic
from processes.kernel.working_time import business_date
from processes.party import operations
from processes.party.operations import duplicate_week
from processes.party.operations.importing import give_up, step, waiting

logger = logging.getLogger(__name__)

SUNDAY = 6


@periodic("party.look_for_duplicates", seconds=6 * 3600)
def look_for_duplicates() -> int:
    """On Sundays all customers, in small transactions; a second look of the day finds nothing new."""
    today = business_date(clock.now())
    if today.weekday() != SUNDAY:
        return 0
    found = look_at_all()
    tell_of_pairs(today)
    return found


def tell_of_pairs(sunday: date) -> int:
    """Each in a transaction of its own; how many were told."""
    with transaction() as session:
        persons = duplicate_week.to_tell(session, sunday)
    Sessions.remove()
    count = 0
    for person in persons:
        count += runtime.perform(partial(duplicate_week.tell, person_id=person, sunday=sunday))
        Sessions.remove()
    return count


IMPORT_JOB = "party.import"


@periodic(IMPORT_JOB, seconds=15)
def go_on_importing() -> int:
    """Some rows in each transaction: progress is seen, others write in between, a killed worker loses only those."""
    with transaction() as session:
        found = waiting(session)
    Sessions.remove()
    for import_id in found:
        try:
            while runtime.perform(partial(step, import_id=import_id)):
                give_way()
                Sessions.remove()
        except Exception as error:
            logger.exception("party.import_failed", extra={"import_id": import_id})
            runtime.perform(partial(give_up, import_id=import_id, note=type(error).__name__))
        finally:
            Sessions.remove()
    return len(found)


def look_at_all() -> int:
    runtime.perform(operations.forget_settled)
    Sessions.remove()
    found, after = 0, 0
    while True:
        last, more = runtime.perform(partial(operations.look_for_pairs, after=after))
        Sessions.remove()
        found += more
        if not last:
            logger.info("party.duplicates_looked_for", extra={"found": found})
            return found
        after = last
        give_way()
