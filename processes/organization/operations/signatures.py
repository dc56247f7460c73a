"""The picture of one's signature (电子签章): set and taken back by oneself alone, kept under its hash."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import attachments, journal
from engine.actor import Actor
from engine.errors import NotFound
from processes.kernel.columns import lock_for_change, stamp
from processes.organization import rules
from processes.organization.models import Employee
from processes.organization.operations.employees import RECORD_TYPE

FILE = "organization.signature"
"""record type the pictures hang on: no register bears this name, so nobody fetches them as files"""


def signature_of(session: Session, person_id: int) -> str | None:
    """SHA-256 of a person's present signature; None when there is none."""
    return session.scalar(select(Employee.signature).where(Employee.id == person_id)) or None


def set_signature(session: Session, actor: Actor, *, content: bytes) -> str:
    """Make this PNG the actor's own signature from now on; returns its SHA-256.

    Earlier ones are kept: what was signed with them shows them for good.
    """
    rules.check_signature(content)
    employee = _own(session, actor)
    kept = attachments.store(session, actor, "signature.png", content)
    kept.record_type, kept.record_id = FILE, employee.id
    _change(session, actor, employee, kept.sha256)
    return kept.sha256


def remove_signature(session: Session, actor: Actor) -> None:
    """Sign with no picture from now on."""
    _change(session, actor, _own(session, actor), "")


def _own(session: Session, actor: Actor) -> Employee:
    if actor.person_id == 0:
        raise NotFound
    return lock_for_change(session, Employee, actor.person_id)


def _change(session: Session, actor: Actor, employee: Employee, sha256: str) -> None:
    before = employee.signature
    if before == sha256:
        return
    employee.signature = sha256
    stamp(employee, actor)
    session.flush()
    journal.audit(
        session, actor, RECORD_TYPE, employee.id, "changed", {"signature": before[:12]}, {"signature": sha256[:12]}
    )
