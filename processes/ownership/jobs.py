"""What goes by itself: processes of closed applications end, customers nobody speaks to go back to the pool."""

from __future__ import annotations

import logging

from engine import clock, runtime
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.kernel.working_time import ZONE
from processes.ownership.operations import nightly, requests

logger = logging.getLogger(__name__)

BATCH = 100
NIGHT = range(1, 5)
"""hours in Shanghai"""


def _end(request_id: int) -> None:
    runtime.perform(lambda session: requests.end_closed(session, request_id=request_id))


@periodic(requests.END_JOB, seconds=30)
def end_closed_requests() -> int:
    """Each in a transaction of its own; one that fails stops no other and is tried again."""
    ended = 0
    with transaction() as session:
        ids = requests.to_end(session, BATCH)
    Sessions.remove()
    for request_id in ids:
        try:
            _end(request_id)
            ended += 1
        except Exception:
            logger.exception("ownership.request_not_ended", extra={"request_id": request_id})
        finally:
            Sessions.remove()
    return ended


@periodic("ownership.unlock_overdue", seconds=3600)
def unlock_overdue() -> int:
    """In the hours when nobody works; every hour of them, for one that was missed. Twice a night unlocks once."""
    if clock.now().astimezone(ZONE).hour not in NIGHT:
        return 0
    return nightly.walk().unlocked
