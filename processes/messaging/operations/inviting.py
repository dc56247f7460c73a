"""Inviting to meetings by mail: an invitation for each record, changed and withdrawn under one name; answers noted."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connectors.mail.invitation import Answer
from engine import clock, events, outbox, runtime
from engine.actor import Actor
from engine.errors import InvalidForm, NotFound, Problem
from engine.i18n import DEFAULT_LOCALE, _
from engine.models import Instance
from processes.messaging.models import Invitation, InvitationGuest
from processes.messaging.models.invitation import LONGEST_COMMENT, LONGEST_TITLE
from processes.messaging.operations import templates
from processes.organization.models import Employee

logger = logging.getLogger(__name__)

ANSWERED = "messaging.invitation_answered"
"""A guest has answered: the event for packages (`invitation`, `guest`), and the message for the process
that invited."""

MOST_GUESTS = 200

Guest = tuple[str, str]
"""(address, name)"""


def invite(
    session: Session,
    actor: Actor,
    *,
    record: tuple[str, int],
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    guests: Sequence[Guest],
    place: str = "",
    text: str = "",
    instance_id: int | None = None,
) -> Invitation:
    """Invite to the meeting of a record, or tell its guests what has changed; the same again sends nothing.

    Whoever is no guest any more gets a withdrawal. Answers are asked for anew when time or place change.
    """
    wanted = _checked(title, starts_at, ends_at, guests, place)
    now = clock.now()
    details = {
        "title": title.strip(),
        "place": place.strip(),
        "text": text.strip(),
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    invitation, is_new = _own(session, record, {**details, "instance_id": instance_id, "sent_at": now})
    present = {guest.address: guest for guest in invitation.guests if guest.state != "removed"}
    moved = any(_differs(getattr(invitation, name), details[name]) for name in ("starts_at", "ends_at", "place"))
    reworded = any(getattr(invitation, name) != details[name] for name in ("title", "text"))
    reopened = invitation.state == "cancelled"
    if not (is_new or moved or reworded or reopened or set(wanted) != set(present)):
        return invitation
    for name, value in details.items():
        setattr(invitation, name, value)
    invitation.state, invitation.sent_at = "active", now
    if not is_new:
        invitation.sequence += 1
    if moved or reopened:
        invitation.since = invitation.sequence
    gone = [guest for address, guest in present.items() if address not in wanted]
    _set_guests(session, invitation, wanted, asked_anew=moved or reopened)
    for guest in gone:
        guest.state = "removed"
    session.flush()
    staying = [guest for guest in invitation.guests if guest.state != "removed"]
    for guest in staying:
        _send(
            session,
            actor,
            invitation,
            guest,
            staying,
            "changed" if invitation.sequence and guest.address in present else "new",
        )
    for guest in gone:
        _send(session, actor, invitation, guest, [guest], "cancelled")
    return invitation


def withdraw(session: Session, actor: Actor, *, record: tuple[str, int]) -> Invitation:
    """The meeting of this record does not take place; again changes nothing. Raises NotFound if nobody was invited."""
    invitation = _of(session, record)
    if invitation is None:
        raise NotFound
    if invitation.state == "cancelled":
        return invitation
    invitation.state, invitation.sent_at = "cancelled", clock.now()
    invitation.sequence += 1
    session.flush()
    guests = [guest for guest in invitation.guests if guest.state != "removed"]
    for guest in guests:
        _send(session, actor, invitation, guest, guests, "cancelled")
    return invitation


def note_answers(session: Session, answers: Sequence[Answer], sender: str) -> Invitation | None:
    """Note what guests answer; the invitation they answer, None if there is none of ours.

    An answer counts for the guest it names, or for the one who sent it; one to an older time or place does not, nor one
    that a later answer has overtaken.
    """
    found = None
    for answer in answers:
        uid = answer.uid.partition("@")[0]
        invitation = session.scalars(
            select(Invitation).where(Invitation.uid == uid).with_for_update().execution_options(populate_existing=True)
        ).first()
        if invitation is None:
            continue
        found = invitation
        by_address = {guest.address: guest for guest in invitation.guests if guest.state != "removed"}
        guest = by_address.get(answer.address) or by_address.get(sender.lower())
        if guest is None:
            logger.warning("invitation.answer_of_a_stranger", extra={"invitation": invitation.id})
            continue
        if invitation.state == "active" and answer.sequence >= invitation.since and _is_newer(answer, guest):
            _note(session, invitation, guest, answer)
    return found


def _is_newer(answer: Answer, guest: InvitationGuest) -> bool:
    return guest.answered_at is None or answer.at is None or answer.at > guest.answered_at


def _note(session: Session, invitation: Invitation, guest: InvitationGuest, answer: Answer) -> None:
    guest.state, guest.comment = answer.state, answer.comment[:LONGEST_COMMENT]
    guest.answered_at = answer.at or clock.now()
    session.flush()
    events.publish(session, ANSWERED, invitation=invitation, guest=guest)
    instance = session.get(Instance, invitation.instance_id) if invitation.instance_id is not None else None
    if instance is not None:
        runtime.publish(
            session,
            name=ANSWERED,
            message_id=f"invitation:{invitation.id}:{guest.id}:{guest.answered_at.isoformat()}"[:120],
            business_key=instance.business_key or "",
            instance_id=instance.id,
            variables={"address": guest.address, "name": guest.name, "answer": guest.state, "comment": guest.comment},
        )


# ------------------------------------------------------------------------------------------------- inside


def _checked(title: str, starts_at: datetime, ends_at: datetime, guests: Sequence[Guest], place: str) -> dict[str, str]:
    """What to call each address; raises InvalidForm with every fault."""
    problems = []
    if not title.strip() or len(title) > LONGEST_TITLE or not title.isprintable():
        problems.append(
            Problem("title", _("A meeting needs a title of one line, at most {count} characters.", count=LONGEST_TITLE))
        )
    if len(place) > LONGEST_TITLE:
        problems.append(Problem("place", _("At most {count} characters.", count=LONGEST_TITLE)))
    if ends_at <= starts_at:
        problems.append(Problem("ends_at", _("A meeting ends after it has begun.")))
    if not 0 < len(guests) <= MOST_GUESTS:
        problems.append(Problem("guests", _("Between 1 and {count} guests can be invited.", count=MOST_GUESTS)))
    problems += [
        Problem(f"guests.{number}", _("{text} is not a mail address.", text=address))
        for number, (address, _name) in enumerate(guests)
        if address.count("@") != 1 or any(sign.isspace() for sign in address)
    ]
    if problems:
        raise InvalidForm(problems)
    return {address.lower(): name for address, name in guests}


def _differs(before: Any, after: Any) -> bool:
    return bool(before != (after.astimezone(UTC) if isinstance(after, datetime) else after))


def _of(session: Session, record: tuple[str, int]) -> Invitation | None:
    wanted = select(Invitation).where(Invitation.record_type == record[0], Invitation.record_id == record[1])
    return session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).first()


def _own(session: Session, record: tuple[str, int], values: Mapping[str, Any]) -> tuple[Invitation, bool]:
    """The record's invitation, locked, and whether it was made just now."""
    insert = (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(Invitation)
    uid = f"{record[0].replace('.', '-')}-{record[1]}-{secrets.token_hex(8)}"  # two houses of one domain never meet
    new = session.scalar(
        insert.values(
            uid=uid, record_type=record[0], record_id=record[1], sequence=0, since=0, state="active", **values
        )
        .on_conflict_do_nothing(index_elements=["record_type", "record_id"])
        .returning(Invitation.id)
    )
    found = _of(session, record)
    assert found is not None
    return found, new is not None


def _set_guests(session: Session, invitation: Invitation, wanted: Mapping[str, str], *, asked_anew: bool) -> None:
    known = {guest.address: guest for guest in invitation.guests}
    for address, name in wanted.items():
        guest = known.get(address)
        if guest is None:
            guest = InvitationGuest(address=address, name=name[:LONGEST_TITLE], state="invited", comment="")
            invitation.guests.append(guest)
        elif asked_anew or guest.state == "removed":
            guest.state, guest.answered_at, guest.comment = "invited", None, ""
        if name:
            guest.name = name[:LONGEST_TITLE]
    session.flush()


def _send(
    session: Session,
    actor: Actor,
    invitation: Invitation,
    to: InvitationGuest,
    guests: Sequence[InvitationGuest],
    what: str,
) -> None:
    """One mail a guest: they need not see in what state the others' mails are. what: new | changed | cancelled."""
    locale = session.scalar(select(Employee.locale).where(Employee.email == to.address)) or DEFAULT_LOCALE
    about = {
        "what": what,
        "title": invitation.title,
        "place": invitation.place,
        "text": invitation.text,
        "starts": invitation.starts_at,
        "ends": invitation.ends_at,
    }
    mail = templates.mail("invitation", locale, {"about": about, "recipient": {"name": to.name or to.address}})
    outbox.enqueue(
        session,
        channel="mail",
        key=f"invitation:{invitation.id}:{invitation.sequence}:{to.id}",
        payload={
            "to": [to.address],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "recipient": f"{to.name} {to.address}".strip(),
            "invitation": {
                "uid": invitation.uid,
                "sequence": invitation.sequence,
                "cancelled": what == "cancelled",
                "title": invitation.title,
                "place": invitation.place,
                "text": invitation.text,
                "starts_at": invitation.starts_at.isoformat(),
                "ends_at": invitation.ends_at.isoformat(),
                "guests": [[guest.address, guest.name] for guest in guests],
            },
        },
        actor=actor,
        record=(invitation.record_type, invitation.record_id),
        instance_id=invitation.instance_id,
    )
