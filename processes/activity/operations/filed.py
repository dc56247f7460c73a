"""All files that lie about a customer in one list: its own, and those of records, comments and tasks about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.models import Attachment
from processes.activity import permissions
from processes.activity.models import ContactRecord
from processes.comments.models import Comment
from processes.comments.permissions import COMMENT
from processes.party.models import Contact, Customer
from processes.party.permissions import CONTACT, CUSTOMER, visible_contacts
from processes.tasks import permissions as tasks
from processes.tasks.models import Task


def files(
    session: Session, actor: Actor, customer: Customer, *, before: int | None = None, size: int = 20
) -> tuple[list[Attachment], bool]:
    """A page of them, newest first, and whether there is more; the customer was fetched as one the actor sees.

    Of each kind one page is read by ix_attachment_record, then they are laid into one order. What hangs elsewhere is
    there for whoever may read what it hangs on.
    """
    older = [] if before is None else [Attachment.id < before]
    found: list[Attachment] = []
    for kind, ids in _sources(session, actor, customer.id):
        wanted = select(Attachment).where(Attachment.record_type == kind, Attachment.record_id.in_(ids), *older)
        found += session.scalars(wanted.order_by(Attachment.id.desc()).limit(size + 1))
    found.sort(key=lambda one: one.id, reverse=True)
    return found[:size], len(found) > size


def _sources(session: Session, actor: Actor, customer_id: int) -> Iterator[tuple[str, Any]]:
    there = or_(Contact.organization_id == customer_id, Contact.person_id == customer_id)
    contacts = list(session.scalars(select(Contact.id).where(there, visible_contacts(actor)).limit(1_000)))
    records = select(ContactRecord.id).where(
        ContactRecord.customer_id == customer_id, ContactRecord.state == "active", permissions.visible_records(actor)
    )
    about: list[tuple[str, Any]] = [(CUSTOMER, [customer_id]), (CONTACT, contacts)]
    said = [and_(Comment.record_type == kind, Comment.record_id.in_(ids)) for kind, ids in about]
    of_records = and_(Comment.record_type == permissions.RECORD, Comment.record_id.in_(records))
    given = [and_(Task.record_type == kind, Task.record_id.in_(ids)) for kind, ids in about]
    yield from about
    yield permissions.RECORD, records
    yield COMMENT, select(Comment.id).where(or_(*said), Comment.voided_at.is_(None))
    yield COMMENT, select(Comment.id).where(of_records, Comment.voided_at.is_(None))
    yield tasks.TASK, select(Task.id).where(or_(*given), tasks.visible_to(actor))
