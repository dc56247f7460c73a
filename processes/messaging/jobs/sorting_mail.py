"""Sorting the mails that have come in."""

from __future__ import annotations

import logging

from engine import runtime
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.messaging.operations import receiving_mail

logger = logging.getLogger(__name__)

BATCH = 50


@periodic(receiving_mail.SORT_JOB, seconds=10)
def sort_mail() -> int:
    """Sort what waits, one mail a transaction; one that cannot be sorted stops no other."""
    done = 0
    while True:
        with transaction() as session:
            waiting = receiving_mail.unsorted(session, BATCH)
        sorted_now = sum(_sort_one(mail_id) for mail_id in waiting)
        Sessions.remove()
        done += sorted_now
        if len(waiting) < BATCH or not sorted_now:
            return done


def _sort_one(mail_id: int) -> bool:
    try:
        laid = runtime.perform(lambda session: receiving_mail.lay(session, mail_id))
        return runtime.perform(lambda session: receiving_mail.tell(session, mail_id)) or laid
    except Exception as error:
        logger.exception("mail.not_sorted", extra={"mail_id": mail_id})
        reason = f"{type(error).__name__}: {error}"
        with transaction() as session:
            receiving_mail.failed(session, mail_id, reason)
        return False
