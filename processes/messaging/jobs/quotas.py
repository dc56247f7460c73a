"""Taking back what is too late, and looking at the quotas."""

from __future__ import annotations

import logging

from engine import runtime
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.messaging.operations import quotas, scheduling

logger = logging.getLogger(__name__)


@periodic("messaging.lapse", seconds=15)
def lapse() -> int:
    """What could not leave in time is taken back and shown; the outbox leaves it alone from that moment on."""
    taken = 0
    while True:
        taken_now = runtime.perform(scheduling.lapse)
        Sessions.remove()
        taken += taken_now
        if taken_now < scheduling.MOST_SHOWN:
            return taken


@periodic("messaging.check_quotas", seconds=6 * 3600)
def check_quotas() -> int:
    """Prepare the coming month, then look at each quota in a transaction of its own; how many differed."""
    with transaction() as session:
        quotas.carry_over(session)
    with transaction() as session:
        wanted = quotas.quotas_to_check(session)
    Sessions.remove()
    wrong = 0
    for quota_id in wanted:
        try:
            with transaction() as session:
                wrong += not quotas.check_quota(session, quota_id)
        except Exception:
            logger.exception("sms_quota.check_failed", extra={"quota_id": quota_id})
        finally:
            Sessions.remove()
    return wrong
