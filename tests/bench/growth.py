"""A step after thousands of reject rounds costs what it cost at the tenth."""

from __future__ import annotations

import statistics
import time

from sqlalchemy import select

from engine import runtime, work_items
from engine.db import Sessions, transaction
from engine.models import Instance, WorkItem
from engine.runtime.cache import LIVE
from tests.bench.house import STARTER, WORKER

WINDOW = 30
"""steps whose median is one figure"""


def ratio(rounds: int) -> tuple[float, float, int, int]:
    """(milliseconds a step near round 10, near `rounds`, snapshot bytes then, snapshot bytes now); uncached."""
    LIVE.clear()
    LIVE.resize(0)
    started = runtime.perform(lambda session: runtime.start(session, STARTER, "bench_a", variables={"outcome": ""}))
    taken: list[float] = []
    early_bytes = 0
    for number in range(rounds):
        taken += [_step(started.instance_id, outcome) for outcome in ("approve", "approve", "reject")]
        if number == 10 + WINDOW // 3:
            early_bytes = _bytes(started.instance_id)
    early = statistics.median(taken[30 : 30 + WINDOW])
    late = statistics.median(taken[-WINDOW:])
    return early * 1000, late * 1000, early_bytes, _bytes(started.instance_id)


def _step(instance_id: int, outcome: str) -> float:
    with transaction() as session:
        item = session.scalars(
            select(WorkItem.id).where(WorkItem.instance_id == instance_id, WorkItem.state == "open")
        ).one()
    Sessions.remove()
    before = time.perf_counter()
    runtime.perform(lambda session: work_items.act(session, WORKER, item, outcome, opinion="理由"))
    after = time.perf_counter()
    Sessions.remove()
    return after - before


def _bytes(instance_id: int) -> int:
    with transaction() as session:
        blob = session.scalars(select(Instance.snapshot).where(Instance.id == instance_id)).one()
    Sessions.remove()
    return len(blob or b"")
