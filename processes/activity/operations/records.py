"""Contact records: written once, mended for a day by versions, voided with a reason, never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import attachments as files, clock, events, journal
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Conflict, InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.activity import permissions, rules
from processes.activity.models import Appointment, ContactRecord, RecordVersion
from processes.activity.operations import keeping, of_calls, planning
from processes.activity.operations.house_rules import HOUSE
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.entry import Entry, differences
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.party.models import Contact, Customer
from processes.party.permissions import CONTACT, CUSTOMER
from processes.telephony import operations as telephony
from processes.telephony.permissions import CALL

RECORDED = "activity.recorded"
"""record_id, customer_id, person_id, qualified: a contact was noted."""
VOIDED = "activity.voided"
"""record_id, customer_id, person_id: it does not count any more."""

LONGEST_ORIGIN = 200
_WORDS = ("at", "way", "place", "content", "result", "next_step")
"""what may be mended"""


def read_words(entry: Entry) -> None:
    """What the contact was, as a form or the interface sends it."""
    entry.parsed("at", _instant)
    entry.choice("way", rules.WAYS, required=True)
    entry.text("place", longest=200)
    entry.text("content", required=True, longest=rules.LONGEST_CONTENT)
    entry.choice("result", rules.RESULTS)
    entry.text("next_step", longest=500)


def _instant(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise RuleViolation(_("Please write a date and a time."))
    rules.check_at(value, clock.now())
    return value


def create_record(
    session: Session,
    actor: Actor,
    *,
    values: Mapping[str, Any],
    origin: str = "",
    attachments: Iterable[int] = (),
    plans: bool = True,
    next_on: date | None = None,
    next_at: str = "",
    purpose: str = "",
    appointment_id: int | None = None,
) -> ContactRecord:
    """Note a contact, close the appointment it fulfils and make the next one, all or nothing.

    values: customer, contact, at (now, unless said), way, place, content, result, next_step, source_type, source_id.
    origin: names the wish; the same again is the same record and does nothing.
    plans: whether somebody is to be spoken to again; next_on: when, if not on the day the policy proposes.
    appointment_id: the appointment this was, where it is not that of the contact.

    Raises Conflict for a second record of one's own of the same call with this customer.
    """
    customer_id, contact_id = planning.whom(values)
    customer = permissions.lock_writable(session, actor, customer_id)
    origin = f"{actor.person_id}:{origin}"[:LONGEST_ORIGIN] if origin else ""
    known = _known(session, origin, customer_id)
    if known is not None:
        return known
    contact = planning.contact_of(session, customer, contact_id)
    clean = _read(session, actor, values)
    call_id = _call_of(session, actor, customer, clean, is_now=values.get("at") is None)
    record = ContactRecord(
        customer_id=customer.id,
        contact_id=contact.id if contact is not None else None,
        person_id=actor.person_id,
        at=clean.get("at") or clock.now(),
        way=clean["way"],
        content=clean["content"],
        place=clean.get("place") or "",
        result=clean.get("result") or "",
        next_step=clean.get("next_step") or "",
        source_type=CALL if call_id is not None else clean.get("source_type") or "",
        source_id=clean.get("source_id") if call_id is None else call_id,
        origin=origin or None,
        is_qualified=rules.is_qualified(clean["way"], clean.get("result") or "", clean["content"], HOUSE.qualifying),
        created_by=actor.person_id,
        changed_by=actor.person_id,
    )
    session.add(record)
    session.flush()
    files.hang(session, actor, attachments, permissions.RECORD, record.id)
    _replan(
        session, actor, record, customer, contact,
        plans=plans, next_on=next_on, next_at=next_at, purpose=purpose, appointment_id=appointment_id,
    )  # fmt: skip
    keeping.keep_contacted(session, customer.id, record.contact_id)
    if call_id is not None:
        whom = (CONTACT, record.contact_id) if record.contact_id is not None else (CUSTOMER, customer.id)
        telephony.keep_subject(session, actor, call_id=call_id, record=whom)
    after = {"customer": customer.name, "at": record.at.isoformat(), "way": record.way, "content": record.content}
    journal.audit(session, actor, permissions.RECORD, record.id, "created", None, after)
    events.publish(
        session,
        RECORDED,
        record_id=record.id,
        customer_id=customer.id,
        person_id=record.person_id,
        qualified=record.is_qualified,
    )
    return record


def _call_of(
    session: Session, actor: Actor, customer: Customer, clean: Mapping[str, Any], *, is_now: bool
) -> int | None:
    """The call a record is of: named, and not recorded yet by its writer; else the one he has just made. is_now: no
    other time was said.
    """
    if clean.get("source_type") == CALL and clean.get("source_id") is not None:
        of_calls.demand_first(session, actor, clean["source_id"], customer.id)
        return int(clean["source_id"])
    if clean["way"] == "call" and is_now and not clean.get("source_type"):
        return of_calls.call_just_made(session, actor, customer.id)
    return None


def edit_record(
    session: Session,
    actor: Actor,
    *,
    record_id: int,
    version: int | None = None,
    values: Mapping[str, Any],
    attachments: Iterable[int] = (),
) -> ContactRecord:
    """Mend one's own record within a day of writing it; how it read before is kept.

    values: at, way, place, content, result, next_step.
    """
    record = _locked(session, actor, record_id, version)
    permissions.demand_edit(actor, record)
    rules.check_window(record.created_at, clock.now())
    entry = Entry(session, values, is_new=False)
    read_words(entry)
    empty: dict[str, Any] = dict.fromkeys(_WORDS, "") | {"at": record.at}
    clean = {name: empty[name] if value is None else value for name, value in entry.finish().items()}
    files.hang(session, actor, attachments, permissions.RECORD, record.id)
    before, after = differences(record, clean)
    if not after:
        return record
    count = select(func.count()).select_from(RecordVersion).where(RecordVersion.record_id == record.id)
    was = {name: getattr(record, name) for name in _WORDS}
    session.add(
        RecordVersion(
            record_id=record.id,
            number=(session.scalar(count) or 0) + 1,
            values=was | {"at": record.at.isoformat()},
            at=clock.now(),
            actor_id=actor.person_id,
        )
    )
    for name, value in clean.items():
        setattr(record, name, value)
    record.is_qualified = rules.is_qualified(record.way, record.result, record.content, HOUSE.qualifying)
    stamp(record, actor)
    keeping.keep_contacted(session, record.customer_id, record.contact_id)
    journal.audit(session, actor, permissions.RECORD, record.id, "changed", before, after)
    return record


def void_record(
    session: Session, actor: Actor, *, record_id: int, reason: str, version: int | None = None
) -> ContactRecord:
    """It was entered wrongly: it counts no more and stays to be seen, with the reason."""
    record = _locked(session, actor, record_id, version)
    permissions.demand_void(session, actor, record)
    entry = Entry(session, {"reason": reason}, is_new=True)
    entry.text("reason", required=True, longest=300)
    record.state, record.void_reason = "void", entry.finish()["reason"]
    stamp(record, actor)
    keeping.keep_contacted(session, record.customer_id, record.contact_id)
    journal.audit(session, actor, permissions.RECORD, record.id, "voided", None, {"reason": record.void_reason})
    events.publish(session, VOIDED, record_id=record.id, customer_id=record.customer_id, person_id=record.person_id)
    return record


def versions(session: Session, record_id: int) -> list[RecordVersion]:
    """How it read before, oldest first."""
    wanted = select(RecordVersion).where(RecordVersion.record_id == record_id).order_by(RecordVersion.number)
    return list(session.scalars(wanted))


# ------------------------------------------------------------------------------------------------- shared


def _read(session: Session, actor: Actor, values: Mapping[str, Any]) -> dict[str, Any]:
    entry = Entry(session, values, is_new=True)
    entry.reference("customer", Customer, required=True)
    entry.reference("contact", Contact)
    read_words(entry)
    entry.text("source_type", longest=60)
    entry.number("source_id")
    source = (values.get("source_type"), values.get("source_id"))
    if any(source) and not (all(source) and CATALOG.may_read(session, actor, str(source[0]), int(source[1] or 0))):
        entry.problem("source_id", _("There is no such record."))
    return entry.finish()


def _known(session: Session, origin: str, customer_id: int) -> ContactRecord | None:
    if not origin:
        return None
    known = session.scalars(select(ContactRecord).where(ContactRecord.origin == origin)).first()
    if known is not None and known.customer_id != customer_id:
        raise Conflict(_("This submission was used for another record."), remedy=_("Choose a new one."))
    return known


def _locked(session: Session, actor: Actor, record_id: int, version: int | None) -> ContactRecord:
    """The customer is locked first, as everywhere: what lists show of it is reckoned anew."""
    seen = permissions.readable_record(session, actor, record_id)
    lock_for_change(session, Customer, seen.customer_id)
    return lock_for_change(session, ContactRecord, record_id, version)


def _replan(
    session: Session,
    actor: Actor,
    record: ContactRecord,
    customer: Customer,
    contact: Contact | None,
    *,
    plans: bool,
    next_on: date | None,
    next_at: str,
    purpose: str,
    appointment_id: int | None,
) -> None:
    """Close what the contact fulfils and plan the next. A plan made after the contact is a newer one and stays."""
    fulfilled = _fulfilled(session, record, appointment_id)
    holder = actor.person_id
    if fulfilled is not None and planning.planned_at(session, fulfilled) <= record.at:
        fulfilled.state, fulfilled.record_id = "done", record.id
        stamp(fulfilled, actor)
        session.flush()
        holder = _holder(session, fulfilled, actor)
    standing = planning.open_with(session, customer.id, record.contact_id)
    if plans and standing is None and (next_on is not None or not _is_overtaken(session, record)):
        if next_on is not None:
            planning.check_day(session, customer, contact, next_on, base=business_date(record.at))
        due_on = next_on or planning.propose(session, customer, contact, record.at, result=record.result)
        planning.make(session, actor, customer, contact, person_id=holder, due_on=due_on, at=next_at, purpose=purpose)
    of_other = fulfilled.contact_id if fulfilled is not None else None
    keeping.keep_next(session, customer.id, record.contact_id, of_other)


def _fulfilled(session: Session, record: ContactRecord, appointment_id: int | None) -> Appointment | None:
    """The one named; else the contact's own; else the one with the customer as a whole."""
    if appointment_id is not None:
        named = session.get(Appointment, appointment_id, populate_existing=True)
        if named is None or named.customer_id != record.customer_id:
            raise InvalidForm([Problem("appointment", _("There is no such appointment with this customer."))])
        return named if named.state == "open" else None
    own = planning.open_with(session, record.customer_id, record.contact_id)
    return own or planning.open_with(session, record.customer_id, None)


def _is_overtaken(session: Session, record: ContactRecord) -> bool:
    """They were spoken to since: what came of that contact, be it no plan at all, is the newer word."""
    since = select(ContactRecord.id).where(
        ContactRecord.customer_id == record.customer_id,
        ContactRecord.contact_id.is_not_distinct_from(record.contact_id),
        ContactRecord.state == "active",
        ContactRecord.at > record.at,
    )
    return session.scalar(since.limit(1)) is not None


def _holder(session: Session, appointment: Appointment, actor: Actor) -> int:
    """Who had the appointment keeps following up, whoever happened to speak to them; a leaver does not."""
    person = session.get_one(Employee, appointment.person_id)
    return person.id if person.is_active else actor.person_id
