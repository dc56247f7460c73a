"""Who hears what has become of a message of ours: whoever wrote it, or started the process that sent it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.catalog import CATALOG
from engine.models import Instance, OutboxMessage
from processes.organization.models import Employee


def by_hand(message: OutboxMessage) -> bool:
    """A person has written its words; a process that sends one does so whoever has moved it last."""
    return bool(message.payload.get("answerable"))


def whoever_sent(session: Session, message: OutboxMessage) -> tuple[int, ...]:
    """The person who answers for it and is still here; of what nobody here has sent, those who take such things."""
    starter = session.scalar(select(Instance.starter_id).where(Instance.id == message.instance_id))
    wishes = (message.created_by, starter) if by_hand(message) else (starter, message.created_by)
    for person in wishes:
        if person is not None and person > 0 and _is_here(session, person):
            return (person,)
    return CATALOG.directory.fallback_persons(session) if CATALOG.directory is not None else ()


def _is_here(session: Session, person: int) -> bool:
    return session.scalar(select(Employee.state).where(Employee.id == person)) == "active"
