"""Who sees a phone, a mail, a code whole (row 65): asked once for all rows of a page, the same on every road."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from engine.catalog import Hidden, Look, Masked, Sealed
from engine.errors import Forbidden, InvalidForm, NotFound, Problem
from engine.i18n import _
from processes.kernel.columns import lock_for_change
from processes.organization.permissions import addressed, require
from processes.party import permissions, rules
from processes.party.models import Contact, ContactPoint, Customer, FieldRule
from processes.party.rules.sight import WHOLE, Sight, sight, usual

REVEAL = "party.sensitive.reveal"
"""Uncover one by one; each time is noted."""


def of_customers(session: Session, actor: Actor, customers: Sequence[Customer]) -> Look:
    """Whole for those who may work on the customer and those with the right, masked for all others who see it; where a
    rule speaks to the actor (FieldRule), as the rule says.
    """
    worked = _workable(session, actor, [one.id for one in customers], "")
    sights = _sights(session, actor, "customer")
    may_reveal = actor.may(REVEAL)

    def look(customer: Customer, name: str, value: Any) -> Any:
        return _shown(name, value, sights.get((name, customer.id in worked)), may_reveal=may_reveal)

    return look


def of_contacts(session: Session, actor: Actor, contacts: Sequence[Contact]) -> Look:
    """A contact is seen as the customer it belongs to; one that is nobody's customer, by whoever entered it."""
    worked = _workable(session, actor, {one for contact in contacts for one in _customers_of(contact)}, "contacts")
    sights = _sights(session, actor, "contact")
    may_reveal = actor.may(REVEAL)

    def look(contact: Contact, name: str, value: Any) -> Any:
        is_worked = not worked.isdisjoint(_customers_of(contact)) or _entered(actor, contact)
        return _shown(name, value, sights.get((name, is_worked)), may_reveal=may_reveal)

    return look


def look_at(session: Session, actor: Actor, record: Customer | Contact) -> Look:
    """How one record looks."""
    if isinstance(record, Customer):
        return of_customers(session, actor, [record])
    return of_contacts(session, actor, [record])


def of_numbers(session: Session, actor: Actor, numbers: Collection[str]) -> dict[str, str]:
    """Numbers of calls as a rule lets the actor see them: number -> whole, masked, or "" for hidden.

    Whoever speaks on the telephone knows the number, so without a rule it is whole; one of nobody we know always is.
    """
    shown = {number: number for number in numbers}
    kept_back = {
        kind: {worked: seen for (name, worked), seen in _sights(session, actor, kind, WHOLE).items() if name == "phone"}
        for kind in ("customer", "contact")
    }
    if not numbers or all(seen == WHOLE for sights in kept_back.values() for seen in sights.values()):
        return shown
    known: dict[str, list[Sight]] = defaultdict(list)
    here = ContactPoint.kind == "phone", ContactPoint.value.in_(list(shown))
    rows = session.execute(
        select(ContactPoint.value, Customer).join(Customer, Customer.id == ContactPoint.party_id).where(*here)
    ).all()
    worked = _workable(session, actor, [customer.id for _number, customer in rows], "")
    for number, customer in rows:
        known[number].append(kept_back["customer"][customer.id in worked])
    employed = session.execute(
        select(ContactPoint.value, Contact).join(Contact, Contact.person_id == ContactPoint.party_id).where(*here)
    ).all()
    worked = _workable(session, actor, {one for _n, contact in employed for one in _customers_of(contact)}, "contacts")
    for number, contact in employed:
        is_worked = not worked.isdisjoint(_customers_of(contact)) or _entered(actor, contact)
        known[number].append(kept_back["contact"][is_worked])
    for number, sights in known.items():
        if WHOLE not in sights:
            is_masked = any(one.sees == "masked" for one in sights)
            shown[number] = rules.masked("phone", number) if is_masked else Hidden("")
    return shown


def reveal(session: Session, actor: Actor, *, record: Customer | Contact, name: str) -> Any:
    """The whole value for somebody who sees it masked; that he looked stays in the record's history.

    The caller has fetched the record within the actor's scope.
    """
    if name not in rules.SENSITIVE:
        raise NotFound
    require(actor, REVEAL)
    value = getattr(record, name)
    seen = look_at(session, actor, record)(record, name, value)
    if isinstance(seen, Hidden):
        raise NotFound
    if isinstance(seen, Sealed):
        raise Forbidden(
            _("You may not uncover this."), code="sealed", remedy=_("Ask whoever works on it, or an administrator.")
        )
    record_type = permissions.CUSTOMER if isinstance(record, Customer) else permissions.CONTACT
    lock_for_change(session, type(record), record.id)  # two who look at once: one line of the journal after the other
    journal.audit(session, actor, record_type, record.id, "revealed", None, {"field": name})
    return value


def demand_whole(session: Session, actor: Actor, record: Customer | Contact, names: Iterable[str]) -> None:
    """Nobody changes a value he does not see whole: he would wipe out what he cannot know."""
    asked = [name for name in names if name in rules.SENSITIVE]
    if not asked:
        return
    look = look_at(session, actor, record)
    masked = [name for name in asked if isinstance(look(record, name, getattr(record, name)), Masked)]
    if masked:
        said, remedy = _("You do not see this whole, so you cannot change it."), _("Ask whoever sees it whole.")
        raise InvalidForm([Problem(name, said, remedy) for name in masked])


def sights_of(session: Session, actor: Actor, record: Customer | Contact) -> dict[str, Sight]:
    """What this person sees of each sensitive field of a record, for whoever asks why."""
    if isinstance(record, Customer):
        worked = record.id in _workable(session, actor, [record.id], "")
        sights = _sights(session, actor, "customer")
    else:
        worked = bool(_workable(session, actor, _customers_of(record), "contacts")) or _entered(actor, record)
        sights = _sights(session, actor, "contact")
    return {name: seen for (name, is_worked), seen in sights.items() if is_worked == worked}


def all_sights(session: Session, actor: Actor) -> dict[tuple[str, bool], Sight]:
    """(customer.phone …, works on the customer himself) -> what this person sees of it."""
    return {
        (f"{kind}.{name}", is_worked): seen
        for kind in ("customer", "contact")
        for (name, is_worked), seen in _sights(session, actor, kind).items()
    }


def _shown(name: str, value: Any, seen: Sight | None, *, may_reveal: bool) -> Any:
    """seen: None = not a sensitive field."""
    if seen is None or seen.sees == "visible":
        return value
    if seen.sees == "hidden":
        return Hidden("")
    if not value:
        return value
    masked = rules.masked(name, value)
    return masked if may_reveal and seen.reveals else Sealed(masked)


def _sights(
    session: Session, actor: Actor, kind: str, otherwise: Sight | None = None
) -> Mapping[tuple[str, bool], Sight]:
    """(sensitive field, works on it himself) -> what the actor sees. otherwise: where no rule speaks, not the usual."""
    names = [field.removeprefix(f"{kind}.") for field in rules.RULED_FIELDS if field.startswith(f"{kind}.")]
    held: dict[str, list[FieldRule]] = defaultdict(list)
    if actor.person_id != 0:
        mine = select(FieldRule).where(addressed(actor, FieldRule), FieldRule.field.in_(rules.RULED_FIELDS))
        for rule in session.scalars(mine):
            held[rule.field].append(rule)
    sights = {}
    for name in names:
        for is_worked in (True, False):
            speaking = held[f"{kind}.{name}"]
            base = otherwise or usual(is_worked=is_worked)
            if permissions.sees_all_whole(actor):
                base, speaking = WHOLE, [one for one in speaking if one.narrows]
            sights[name, is_worked] = sight(speaking, is_worked=is_worked, otherwise=base)
    return sights


def _workable(session: Session, actor: Actor, ids: Iterable[int], part: str) -> set[int]:
    """Those of these customers the actor may work on."""
    mine = select(Customer.id).where(Customer.id.in_(list(ids)), permissions.workable_customers(actor, part))
    return set(session.scalars(mine))


def _customers_of(contact: Contact) -> tuple[int, ...]:
    return tuple(one for one in (contact.organization_id, contact.person_id) if one is not None)


def _entered(actor: Actor, contact: Contact) -> bool:
    return contact.organization_id is None and contact.created_by == actor.person_id
