"""What the archive does when a process ends, or is declared void after its end."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.events import subscribe
from processes.document.operations import mark_for_filing


@subscribe("process.instance_ended")
def file_the_ended(session: Session, *, instance_id: int, definition_key: str, state: str, **_facts: Any) -> None:
    mark_for_filing(session, instance_id=instance_id, definition_key=definition_key, state=state)


@subscribe("process.instance_voided")
def file_the_void(session: Session, *, instance_id: int, definition_key: str, **_facts: Any) -> None:
    """What was filed as approved must not be the archive's last word on it."""
    mark_for_filing(session, instance_id=instance_id, definition_key=definition_key, state="void")
