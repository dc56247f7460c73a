"""Files that hang on a customer itself: its licence, a plan of its rooms. Those of a contact record stay there."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import attachments, journal
from engine.actor import Actor
from engine.errors import InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from engine.models import Attachment
from processes.organization.permissions import require
from processes.party import permissions
from processes.party.models import Customer

MOST_FILES_AT_ONCE = 20


def add_files(session: Session, actor: Actor, *, customer_id: int, ids: Collection[int]) -> list[Attachment]:
    """Hang files the actor has just sent up on the customer: whoever reads the customer may read them.

    The same again is nothing new: a form sent twice has added them once.
    """
    _demand_open(session, actor, customer_id)
    wanted = sorted(set(ids))
    if not wanted:
        raise InvalidForm([Problem("attachments", _("Please choose a file."))])
    if len(wanted) > MOST_FILES_AT_ONCE:
        raise InvalidForm([Problem("attachments", _("At most {count} are possible.", count=MOST_FILES_AT_ONCE))])
    here = Attachment.record_type == permissions.CUSTOMER, Attachment.record_id == customer_id
    of_actor = Attachment.id.in_(wanted), Attachment.uploaded_by == actor.person_id
    known = set(session.scalars(select(Attachment.id).where(*of_actor, *here)))
    attachments.hang(session, actor, set(wanted) - known, permissions.CUSTOMER, customer_id)
    added = list(session.scalars(select(Attachment).where(Attachment.id.in_(wanted)).order_by(Attachment.id)))
    for file in added:
        if file.id not in known:
            journal.audit(session, actor, permissions.CUSTOMER, customer_id, "file_added", None, {"file": file.name})
    return added


def remove_file(session: Session, actor: Actor, *, customer_id: int, file_id: int) -> None:
    """Take it off the customer; its bytes go with the next sweep. Twice the same is NotFound the second time."""
    _demand_open(session, actor, customer_id)
    taken = session.execute(
        update(Attachment)
        .where(
            Attachment.id == file_id,
            Attachment.record_type == permissions.CUSTOMER,
            Attachment.record_id == customer_id,
        )
        .values(record_type=None, record_id=None)
        .returning(Attachment.name)
    ).first()
    if taken is None:
        raise NotFound
    journal.audit(session, actor, permissions.CUSTOMER, customer_id, "file_removed", {"file": taken.name}, None)


def _demand_open(session: Session, actor: Actor, customer_id: int) -> None:
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, customer_id)
    customer = session.get_one(Customer, customer_id)
    if customer.state == "closed":
        raise RuleViolation(
            _("{customer} is closed.", customer=customer.name),
            code="customer_closed",
            remedy=_("Open the customer again first."),
        )
