"""What spending does when the process behind a request ends without a decision, is voided or opened again."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.events import subscribe
from engine.work_items import REOPENED_EVENT, VOIDED_EVENT
from processes.kernel.records import UNDECIDED
from processes.spending.operations import mark_withdrawn, take_back


@subscribe("process.instance_ended")
def follow_the_process(session: Session, *, instance_id: int, state: str, **_facts: Any) -> None:
    if state in UNDECIDED:
        mark_withdrawn(session, SYSTEM, instance_id=instance_id, state=UNDECIDED[state])


@subscribe(VOIDED_EVENT)
def take_back_voided(session: Session, *, instance_id: int, **_facts: Any) -> None:
    take_back(session, SYSTEM, instance_id=instance_id, state="withdrawn", action="voided")


@subscribe(REOPENED_EVENT)
def decide_anew(session: Session, *, instance_id: int, **_facts: Any) -> None:
    take_back(session, SYSTEM, instance_id=instance_id, state="in_approval", action="reopened")
