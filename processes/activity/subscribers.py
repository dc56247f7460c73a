"""What becomes of appointments when a customer changes hands, and who hears what is said about a contact record."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.events import subscribe
from engine.i18n import _
from processes.activity import operations
from processes.activity.models import ContactRecord
from processes.activity.operations.handing import APPOINTMENTS
from processes.activity.permissions import RECORD
from processes.messaging.models import ReceivedMail
from processes.messaging.operations.receiving_mail import RECEIVED
from processes.messaging.permissions import RECEIVED_MAIL, unasked_from
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.party.models import Contact, Customer
from processes.party.operations import CLOSED
from processes.party.operations.contacts import EMPLOYMENT_CHANGED
from processes.party.permissions import CONTACT, CUSTOMER

WRITTEN = kind("activity.mail_received", _("A customer of mine writes a mail"))
COMMENTED = kind("activity.commented", _("Somebody comments on a contact record of mine"), ("in_app", "sms"))


@subscribe("ownership.released")
def close_appointments(session: Session, *, customer_id: int, how: str = "released", **_facts: Any) -> None:
    """Nobody is to visit a customer who is nobody's any more; unlocked by itself or by hand is told apart."""
    operations.close_all(session, customer_id, how)


@subscribe("ownership.locked")
def give_to_the_owner(session: Session, *, customer_id: int, owner_id: int, by_id: int = 0, **_facts: Any) -> None:
    """What others had planned with it while it lay in the pool is the owner's to decide."""
    operations.give_all(session, customer_id, to_id=owner_id, by_id=by_id, reason="locked")


@subscribe("ownership.handed_over")
def hand_over_appointments(
    session: Session,
    *,
    customer_id: int,
    from_id: int,
    to_id: int,
    parts: Collection[str] | None = (),
    by_id: int = 0,
    **_facts: Any,
) -> None:
    """They follow the customer where that was chosen; else they end, for the former owner works on it no more."""
    if parts is None or APPOINTMENTS in parts:
        operations.give_all(session, customer_id, to_id=to_id, from_id=from_id, by_id=by_id, reason="handed_over")
    else:
        operations.close_all(session, customer_id, "handed_over", person_id=from_id)


@subscribe(CLOSED)
def close_with_the_customer(session: Session, *, customer_id: int, **_facts: Any) -> None:
    operations.close_all(session, customer_id, "closed")


@subscribe(EMPLOYMENT_CHANGED)
def follow_the_person(session: Session, *, person_id: int, **_facts: Any) -> None:
    operations.move_with(session, person_id)


@subscribe("party.merged")
def merge(session: Session, *, kept_id: int, gone_id: int, merge_id: int, **_facts: Any) -> None:
    operations.merge(session, kept_id=kept_id, gone_id=gone_id, merge_id=merge_id)


@subscribe("party.unmerged")
def unmerge(session: Session, *, kept_id: int, gone_id: int, merge_id: int, **_facts: Any) -> None:
    operations.unmerge(session, kept_id=kept_id, gone_id=gone_id, merge_id=merge_id)


@subscribe(RECEIVED)
def tell_the_owner(session: Session, *, mail: ReceivedMail, **_facts: Any) -> None:
    """A customer who writes of his own accord is answered by whoever looks after him."""
    laid_to = unasked_from(mail)
    customer = _customer(session, *laid_to) if laid_to is not None else None
    if laid_to is None or customer is None or customer.owner_id is None:
        return
    notify(
        session,
        SYSTEM,
        persons=CATALOG.readers(session, {customer.owner_id}, RECEIVED_MAIL, mail.id),
        kind=WRITTEN,
        title=_("A mail of {whom}: {subject}", whom=customer.name, subject=mail.subject),
        key=f"mail_of_customer:{mail.id}",
        record=laid_to,
        link=f"/messages/mail-received/{mail.id}",
    )


def _customer(session: Session, record_type: str, record_id: int) -> Customer | None:
    """The customer itself, or whose contact it is."""
    if record_type == CUSTOMER:
        return session.get(Customer, record_id)
    contact = session.get(Contact, record_id) if record_type == CONTACT else None
    return session.get(Customer, contact.organization_id or contact.person_id) if contact is not None else None


@subscribe("comments.comment_added", early=True)
def tell_who_wrote_it(
    session: Session, *, actor: Actor, comment_id: int, record_type: str, record_id: int, **_facts: Any
) -> None:
    """By SMS too, unless he has chosen otherwise (row 103); the general notice of comments has the same key. Not when
    he sees the customer no more.
    """
    if record_type != RECORD:
        return
    record = session.get_one(ContactRecord, record_id)
    others = {record.person_id} - {actor.person_id}
    persons = CATALOG.readers(session, others, RECORD, record_id)
    if not persons:
        return
    notify(
        session,
        actor,
        persons=persons,
        kind=COMMENTED,
        title=_("{who} comments on your contact with {whom}", who=actor.name, whom=record.customer.name),
        key=f"comment:{comment_id}",
        record=(RECORD, record_id),
        link=f"#comment-{comment_id}",
    )
