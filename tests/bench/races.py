"""Two people press at the same moment: exactly one wins, every time."""

from __future__ import annotations

import threading
from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import runtime, work_items
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden
from engine.models import InstanceLog, WorkItem
from engine.runtime.cache import LIVE
from tests.bench.house import STARTER, WORKER


def two_at_once(times: int) -> int:
    """How many of `times` races had exactly one winner, one typed refusal and one line in the log."""
    LIVE.resize(1000)
    good = 0
    for _number in range(times):
        started = runtime.perform(lambda session: runtime.start(session, STARTER, "bench_a", variables={"outcome": ""}))
        with transaction() as session:
            item = session.scalars(select(WorkItem.id).where(WorkItem.instance_id == started.instance_id)).one()
        Sessions.remove()
        good += _race(started.instance_id, item)
    return good


def _race(instance_id: int, item: int) -> bool:
    gate = threading.Barrier(2)
    results: Counter[str] = Counter()

    def press() -> None:
        gate.wait()
        try:
            runtime.perform(lambda session: work_items.act(session, WORKER, item, "approve", version=1))
            results["won"] += 1
        except (Conflict, Forbidden):
            results["told"] += 1
        finally:
            Sessions.remove()

    pressing = [threading.Thread(target=press) for _each in range(2)]
    for thread in pressing:
        thread.start()
    for thread in pressing:
        thread.join()
    with transaction() as session:
        approvals = _approvals(session, instance_id)
    Sessions.remove()
    return results == {"won": 1, "told": 1} and approvals == 1


def _approvals(session: Session, instance_id: int) -> int:
    lines = select(func.count()).where(InstanceLog.instance_id == instance_id, InstanceLog.action == "approve")
    return session.scalar(lines) or 0
