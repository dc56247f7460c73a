"""Customers: made once, changed, closed and opened again. Whose they are is decided by the package above."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock, events, journal
from engine.actor import Actor
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import demand_version, lock_for_change, stamp
from processes.kernel.entry import Entry, differences
from processes.organization.permissions import require
from processes.party import masking, permissions, rules
from processes.party.models import Customer
from processes.party.operations import alike, parties
from processes.party.operations.finding import keep_found

RECORD_TYPE = permissions.CUSTOMER

CREATED = "party.customer_created"
"""customer_id, by: inside the transaction that makes it, so that it has its owner at once."""
CLOSED = "party.customer_closed"
"""customer_id, by, version: whoever locks the customer first asks whether it is still the one that was seen."""

_OF_PARTY = ("credit_code", "address", "website", "note", "birthday")
_DEFAULTS = {"level": "C", "stage": "prospect", "industry": "", "region": "", "city": "", "source": ""}


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.text("name", required=True, longest=200)
    if is_new:
        entry.choice("kind", rules.KINDS)
    entry.choice("level", rules.LEVELS)
    entry.choice("stage", rules.STAGES)
    entry.choice("industry", rules.INDUSTRIES)
    entry.choice("region", rules.REGIONS)
    entry.text("city", longest=40)
    entry.choice("source", rules.SOURCES)
    entry.parsed("credit_code", lambda value: rules.credit_code(str(value)))
    entry.text("address", longest=300)
    entry.text("website", longest=200)
    entry.text("note", longest=5000)
    entry.day("birthday")
    entry.text("duplicate_reason", longest=300)
    parties.read_points(entry)
    clean = entry.finish()
    empty = dict.fromkeys(("address", "website", "note"), "") | _DEFAULTS
    return {name: empty.get(name) if value is None else value for name, value in clean.items()}


def create_customer(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Customer:
    """values: name, kind (organization unless said), level, stage, industry, region, city, source, credit_code, phone,
    email, wechat, address, website, note, birthday, duplicate_reason (why it is kept although it looks
    like another one).

    Raises InvalidForm when it is there already, or looks like one that is and no reason is given.
    """
    require(actor, permissions.MANAGE)
    clean = _read(session, values, is_new=True)
    kind, reason = clean.get("kind") or "organization", clean.pop("duplicate_reason", None) or ""
    doubted = alike.ask_first(session, actor, kind=kind, values=clean, reason=reason)
    try:
        with session.begin_nested():
            party = parties.make_party(
                session, actor, kind=kind, name=clean["name"], **{n: clean[n] for n in _OF_PARTY if clean.get(n)}
            )
    except IntegrityError as error:  # somebody was faster, or the check above was not asked
        raise _taken(error) from error
    parties.set_points(session, party, clean)
    customer = Customer(
        id=party.id,
        kind=kind,
        name=party.name,
        open_since=clock.now(),
        **{name: clean.get(name) or default for name, default in _DEFAULTS.items()},
    )
    customer.party = party
    alike.keep_decisions(session, actor, party.id, doubted, reason)
    records.create(session, actor, RECORD_TYPE, customer, clean)
    events.publish(session, CREATED, customer_id=customer.id, by=actor)
    return customer


def change_customer(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Customer:
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, record_id)
    customer = lock_for_change(session, Customer, record_id, version)
    clean = _read(session, values, is_new=False)
    masking.demand_whole(session, actor, customer, clean)
    party, reason = customer.party, clean.pop("duplicate_reason", None) or ""
    doubted = _look_again(session, actor, customer, clean, reason)
    of_party = {name: clean.pop(name) for name in _OF_PARTY if name in clean}
    points = {name: clean.pop(name) for name in parties.POINTS if name in clean}
    before, after = differences(party, of_party)
    reached = {name: getattr(customer, name) for name in points}
    try:
        with session.begin_nested():
            if "name" in clean:
                before |= {"name": party.name} if party.name != clean["name"] else {}
                after |= {"name": clean["name"]} if party.name != clean["name"] else {}
                parties.rename(session, party, clean.pop("name"))
            for name, value in of_party.items():
                setattr(party, name, value)
            session.flush()
    except IntegrityError as error:
        raise _taken(error) from error
    alike.keep_decisions(session, actor, party.id, doubted, reason)
    parties.set_points(session, party, points)
    if "credit_code" in after:
        keep_found(session, party)
    changed = {name: value for name, value in points.items() if (value or None) != (reached[name] or None)}
    before |= {name: reached[name] for name in changed}
    after |= changed
    if after:
        stamp(customer, actor)
        session.flush()
        journal.audit(session, actor, RECORD_TYPE, customer.id, "changed", before, after)
    records.change(session, actor, RECORD_TYPE, customer, clean)
    return customer


def _look_again(
    session: Session, actor: Actor, customer: Customer, clean: Mapping[str, Any], reason: str
) -> list[alike.Alike]:
    """Only what is new may collide: whoever looked like another before has been asked then."""
    fresh = {
        name: clean[name]
        for name in ("name", "credit_code", "phone", "email")
        if clean.get(name) and clean[name] != getattr(customer, name)
    }
    if not fresh:
        return []
    return alike.ask_first(session, actor, kind=customer.kind, values=fresh, reason=reason, exclude=[customer.id])


def close_customer(session: Session, actor: Actor, *, record_id: int, version: int | None = None) -> None:
    """No longer served: out of the pool, the queues and its owner's hands. Its history stays."""
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, record_id)
    found = session.get_one(Customer, record_id, populate_existing=True)
    demand_version(found, version)
    if found.state == "closed":
        return
    events.publish(
        session, CLOSED, customer_id=record_id, by=actor, version=version
    )  # before the lock: an owner's counter goes first
    customer = lock_for_change(session, Customer, record_id)
    before, customer.state = customer.state, "closed"
    stamp(customer, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, record_id, "closed", {"state": before}, {"state": "closed"})


def reopen_customer(session: Session, actor: Actor, *, record_id: int, version: int | None = None) -> Customer:
    """Served again: it lies in the pool, for whoever had it gave it up. Who may is asked by the package above."""
    require(actor, permissions.MANAGE)
    customer = lock_for_change(session, Customer, record_id, version)
    if customer.state != "closed":
        raise RuleViolation(_("{customer} is not closed.", customer=customer.name), code="not_closed")
    customer.state, customer.open_since, customer.pool_id = "open", clock.now(), None
    stamp(customer, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, record_id, "reopened", {"state": "closed"}, {"state": "open"})
    return customer


def protect_customer(
    session: Session, actor: Actor, *, record_id: int, until: date | None, reason: str = ""
) -> Customer:
    """No rule takes it from its owner until that day; None: rules hold again. Who may is asked by the package above."""
    customer = lock_for_change(session, Customer, record_id)
    if customer.protected_until == until:
        return customer
    before, customer.protected_until = customer.protected_until, until
    stamp(customer, actor)
    session.flush()
    was, now = (str(day) if day is not None else "" for day in (before, until))
    after = {"protected_until": now, **({"reason": reason} if reason else {})}
    journal.audit(session, actor, RECORD_TYPE, record_id, "protected", {"protected_until": was}, after)
    return customer


def _taken(error: IntegrityError) -> InvalidForm:
    if "credit_code" in str(error.orig):
        return InvalidForm([Problem("credit_code", _("An organisation with this credit code is there already."))])
    return InvalidForm(
        [
            Problem(
                "name",
                _("An organisation of this name is there already."),
                _("Open that one, or tell the two apart by the name."),
            )
        ]
    )
