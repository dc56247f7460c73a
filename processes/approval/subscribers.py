"""Who hears of what happens in processes; what delegations do when their process ends, and when people leave."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.events import ACTED, subscribe
from engine.journal import Entry
from processes.approval.operations.by_sms import answer_by_sms
from processes.approval.operations.delegations import end_those_of, settle_delegation
from processes.approval.operations.news import tell_of_action
from processes.approval.operations.proxies import PROCESS
from processes.messaging.models import SmsReceived
from processes.messaging.operations.receiving import RECEIVED


@subscribe("process.instance_ended")
def follow_the_process(session: Session, *, instance_id: int, definition_key: str, state: str, **_facts: Any) -> None:
    if definition_key == PROCESS and state != "completed":
        settle_delegation(session, SYSTEM, instance_id=instance_id)


@subscribe(ACTED)
def tell_people(session: Session, *, instance_id: int, actor: Actor, entry: Entry, state: str | None) -> None:
    tell_of_action(session, instance_id=instance_id, actor=actor, entry=entry, state=state)


@subscribe(RECEIVED)
def take_answers(session: Session, *, message: SmsReceived) -> None:
    answer_by_sms(session, message)


@subscribe("organization.employee_left")
def let_leavers_go(session: Session, *, employee_id: int, **_facts: Any) -> None:
    end_those_of(session, SYSTEM, person_id=employee_id)
