"""How a record of master data is made, changed and archived: with its stamp and its trace, the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from processes.kernel.columns import stamp
from processes.kernel.entry import differences, for_audit

UNDECIDED: Mapping[str, str] = MappingProxyType(
    {"rejected": "rejected", "withdrawn": "withdrawn", "terminated": "withdrawn", "failed": "withdrawn"}
)
"""How a process ended -> what becomes of a record nobody has decided on."""


def create(session: Session, actor: Actor, record_type: str, record: Any, clean: Mapping[str, Any]) -> None:
    """Keep a new record, made of the values `clean`."""
    record.created_by = record.changed_by = actor.person_id
    session.add(record)
    session.flush()
    after = {name: for_audit(value) for name, value in clean.items()}
    journal.audit(session, actor, record_type, record.id, "created", None, after)


def change(session: Session, actor: Actor, record_type: str, record: Any, clean: Mapping[str, Any]) -> None:
    """Give a locked record these values; what changes nothing leaves no trace."""
    before, after = differences(record, clean)
    if not after:
        return
    for name, value in clean.items():
        setattr(record, name, value)
    stamp(record, actor)
    session.flush()
    journal.audit(session, actor, record_type, record.id, "changed", before, after)


def archive(session: Session, actor: Actor, record_type: str, record: Any) -> None:
    """Take a locked record out of use; once is enough."""
    if record.state == "archived":
        return
    record.state = "archived"
    stamp(record, actor)
    session.flush()
    journal.audit(session, actor, record_type, record.id, "archived", {"state": "active"}, {"state": "archived"})
