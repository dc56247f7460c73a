"""How long the steps of a process took lately."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models import Definition, Instance, WorkItem

RECENT_VERSIONS = 3
RECENT_INSTANCES = 100
"""of each version: enough for a median, and the same work however many there are"""
FEWEST = 3
"""A median of less says nothing about the next one."""
DECIDED = ("approve", "submit")
"""Who returns or rejects goes another way than the one foreseen."""


def usual_spans(session: Session, key: str) -> Mapping[str, timedelta]:
    """Node -> the median time from its opening to its being done, over the newest instances."""
    versions = session.scalars(
        select(Definition.id).where(Definition.key == key).order_by(Definition.version.desc()).limit(RECENT_VERSIONS)
    ).all()
    took: dict[str, list[float]] = defaultdict(list)
    for version in versions:
        newest = select(Instance.id).where(Instance.definition_id == version).order_by(Instance.id.desc())
        done = select(WorkItem.node, WorkItem.created_at, WorkItem.done_at).where(
            WorkItem.instance_id.in_(newest.limit(RECENT_INSTANCES)),
            WorkItem.kind == "sign",
            WorkItem.state == "done",
            WorkItem.outcome.in_(DECIDED),
        )
        for node, opened, closed in session.execute(done):
            if closed is not None:
                took[node].append((closed - opened).total_seconds())
    return {node: timedelta(seconds=statistics.median(spans)) for node, spans in took.items() if len(spans) >= FEWEST}
