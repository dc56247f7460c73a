"""What leave does when the process behind a request ends without a decision."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.events import subscribe
from processes.office.operations import mark_withdrawn

_ENDS = {"rejected": "rejected", "withdrawn": "withdrawn", "terminated": "withdrawn", "failed": "withdrawn"}
"""How the process ended -> what becomes of a request nobody has decided on."""


@subscribe("process.instance_ended")
def follow_the_process(session: Session, *, instance_id: int, state: str, **_facts: Any) -> None:
    if state in _ENDS:
        mark_withdrawn(session, SYSTEM, instance_id=instance_id, state=_ENDS[state])
