"""What delegations do when their process ends otherwise than drawn, and when people leave."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.events import subscribe
from processes.approval.operations.delegations import end_those_of, settle_delegation
from processes.approval.operations.proxies import PROCESS


@subscribe("process.instance_ended")
def follow_the_process(session: Session, *, instance_id: int, definition_key: str, state: str, **_facts: Any) -> None:
    if definition_key == PROCESS and state != "completed":
        settle_delegation(session, SYSTEM, instance_id=instance_id)


@subscribe("organization.employee_left")
def let_leavers_go(session: Session, *, employee_id: int, **_facts: Any) -> None:
    end_those_of(session, SYSTEM, person_id=employee_id)
