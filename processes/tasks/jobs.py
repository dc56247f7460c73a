"""Warning of overdue tasks."""

from __future__ import annotations

import logging

from engine import runtime
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.tasks import operations

logger = logging.getLogger(__name__)

BATCH = 100


def _warn(task_id: int) -> bool:
    return runtime.perform(lambda session: operations.warn(session, task_id=task_id))


@periodic("tasks.warn_overdue", seconds=60)
def warn_overdue() -> int:
    """Each task in a transaction of its own; one that fails stops no other and is tried again in a minute."""
    warned, after = 0, 0
    while True:
        with transaction() as session:
            due = operations.due_warnings(session, BATCH, after=after)
        Sessions.remove()
        for task_id in due:
            try:
                warned += _warn(task_id)
            except Exception:
                logger.exception("tasks.warning_failed", extra={"task_id": task_id})
            finally:
                Sessions.remove()
        if len(due) < BATCH:
            return warned
        after = due[-1]
