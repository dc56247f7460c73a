"""The morning digest, and sweeping."""

from __future__ import annotations

import logging

from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.notices import operations

logger = logging.getLogger(__name__)

BATCH = 100


@periodic("notices.send_digests", seconds=60)
def send_digests() -> int:
    """Mail everybody who has something due; one person, one transaction, whose failure stops nobody else's."""
    sent, failed = 0, set[int]()
    while True:
        with transaction() as session:
            people = [one for one in operations.due_people(session, BATCH + len(failed)) if one not in failed]
        for person in people:
            try:
                with transaction() as session:
                    sent += bool(operations.send_digest(session, person_id=person))
            except Exception:
                failed.add(person)
                logger.exception("notices.digest_failed", extra={"person_id": person})
        Sessions.remove()
        if not people:
            return sent


@periodic("notices.sweep", seconds=6 * 3600)
def sweep() -> None:
    """Forget notices that were read half a year ago."""
    with transaction() as session:
        operations.sweep(session)
    Sessions.remove()
