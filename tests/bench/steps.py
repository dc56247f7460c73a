"""Steps per second with a durable commit: ours cached and uncached, the hand-coded machine, plain SpiffWorkflow."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine import repository, runtime, work_items
from engine.db import Sessions, transaction
from engine.models import WorkItem
from engine.runtime.cache import LIVE
from tests.bench import flows, references
from tests.bench.house import FORM, STARTER, WORKER

DESIGNS = ("hand", "spiff", "cached", "uncached")
Step = Callable[[Session, int], None]


@dataclass(frozen=True, slots=True)
class Figure:
    flow: str
    design: str
    per_second: float


def measure(engine: Engine, *, instances: int, rounds: int) -> list[Figure]:
    """Medians over interleaved rounds; only the steps are timed, not the search for the next item."""
    speeds: dict[tuple[str, str], list[float]] = {}
    for _round in range(rounds):
        for flow in flows.FLOWS:
            for design in DESIGNS:
                speeds.setdefault((flow, design), []).append(_play(flow, design, instances))
    return [Figure(flow, design, statistics.median(found)) for (flow, design), found in speeds.items()]


def _play(flow: str, design: str, instances: int) -> float:
    LIVE.clear()
    LIVE.resize(1000 if design == "cached" else 0)
    reference = references.REFERENCES[design](flow) if design in references.REFERENCES else None
    started = [_start(flow, reference) for _number in range(instances)]
    seconds, steps, wave = 0.0, 0, 0
    rejects = (0, 1, 2, 3)  # how often an instance is sent round before it is agreed to, in turn
    while True:
        todo = _open(started)
        if not todo:
            return steps / seconds
        for position, (item, node) in enumerate(todo):
            outcome = "submit" if node in _PLAIN else "approve"
            if flow in "AB" and node == "finance" and rejects[position % len(rejects)] > wave // 3:
                outcome = "reject"
            before = time.perf_counter()
            _complete(item, outcome, reference)
            seconds += time.perf_counter() - before
            steps += 1
        wave += 1


_PLAIN = frozenset({"prepare", "countersign", "archive", "m2", "m5", "m8", "m10", "m12", "c3", "c6"})


def _start(flow: str, reference: Any) -> int:
    def work(session: Session) -> int:
        key = flows.KEYS[flow]
        if reference is None:
            values = {"form": FORM, "approvers": list(flows.APPROVERS), "outcome": ""}
            variables = {"approvers": values["approvers"], "outcome": ""}
            return runtime.start(session, STARTER, key, variables=variables).instance_id
        definition = repository.latest(session, key)
        return references.start_instance(session, definition.id, key, reference.first())

    return runtime.perform(work)


def _open(instances: list[int]) -> list[tuple[int, str]]:
    """One open item of each instance: a countersign would otherwise decide over items that are gone by then."""
    with transaction() as session:
        rows = session.execute(
            select(WorkItem.instance_id, WorkItem.id, WorkItem.node)
            .where(WorkItem.instance_id.in_(instances), WorkItem.state == "open")
            .order_by(WorkItem.id)
        ).all()
    Sessions.remove()
    first: dict[int, tuple[int, str]] = {}
    for instance_id, item_id, node in rows:
        first.setdefault(instance_id, (item_id, node))
    return list(first.values())


def _complete(item: int, outcome: str, reference: Any) -> None:
    if reference is None:
        runtime.perform(
            lambda session: work_items.act(
                session, WORKER, item, outcome, opinion="同意" if outcome != "submit" else ""
            )
        )
    else:
        references.in_transaction(lambda session: references.write_step(session, item, outcome, reference.decide))
    Sessions.remove()
