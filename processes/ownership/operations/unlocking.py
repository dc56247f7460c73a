"""Customers nobody speaks to go back to the pool: countdown, warnings, dry run and the unlocking itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import SYSTEM, Actor
from engine.i18n import _
from processes.kernel.working_time import ZONE, business_date
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.assignments import superior_of
from processes.organization.models import Employee
from processes.organization.permissions import require
from processes.ownership import permissions
from processes.ownership.models import Ownership, UnlockEvent, UnlockRule
from processes.ownership.operations import holding, unlock_rules
from processes.ownership.operations.registries import deals_of, held_back
from processes.ownership.rules import unlocking as rules
from processes.party.models import Customer
from processes.party.permissions import among_visible

UNLOCKS_SOON = kind("ownership.unlocks_soon", _("Customers of mine or below me unlock soon"))
UNLOCKED = kind("ownership.unlocked", _("Customers of mine or below me were unlocked"))

BATCH = 1000
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A locked customer with the day it unlocks."""

    customer_id: int
    ownership_id: int
    owner_id: int
    due: rules.Due


def countdown(session: Session, customer: Customer) -> rules.Due | None:
    """When this customer unlocks as things stand; None: never, or it is nobody's."""
    found = _reckoned(session, unlock_rules.in_force(session), _locked([customer.id]))
    return found[0].due if found else None


def candidates(
    session: Session, in_force: Sequence[rules.Rule], *, after: int, limit: int = BATCH
) -> tuple[int, list[Candidate]]:
    """The next locked customers behind `after`, by id: (the last one looked at, those with a day). 0: no more.

    Keyset over uq_ownership_open: what is over is in no part of it, so it does not grow with history.
    """
    rows = session.execute(_locked(None, after=after, limit=limit)).all()
    last = rows[-1].customer_id if len(rows) == limit else 0
    return last, _of_rows(session, in_force, rows)


def examine(
    session: Session, in_force: Sequence[rules.Rule], after: int, today: date
) -> tuple[int, int, list[int], list[tuple[Candidate, int]]]:
    """One stretch of the nightly walk: (last id or 0, examined, ids to unlock, (candidate, warning) to tell)."""
    rows = session.execute(_locked(None, after=after, limit=BATCH)).all()
    found = _of_rows(session, in_force, rows)
    over = [one for one in found if one.due.on <= today]
    held = held_back(session, [one.customer_id for one in over]) if over else {}
    warned = [(one, days) for one in found if (days := rules.warning(one.due, today)) is not None]
    last = rows[-1].customer_id if len(rows) == BATCH else 0
    return last, len(rows), [one.customer_id for one in over if one.customer_id not in held], warned


def unlock(session: Session, customer_ids: Collection[int], today: date) -> list[int]:
    """Give back those whose day has come, asked again under their locks: a contact saved meanwhile wins.

    Once for each ownership and day (uq_unlock_event), however often the job runs.  Returns the ids of those that went.
    """
    customers = holding.take(session, customer_ids)
    over = [
        one for one in _reckoned(session, unlock_rules.in_force(session), _locked(customers)) if one.due.on <= today
    ]
    held = held_back(session, [one.customer_id for one in over]) if over else {}
    going = [one for one in over if one.customer_id not in held]
    new = _note(session, [_event(one, "unlocked") for one in going])
    gone = [one for one in going if one.ownership_id in new]
    for one in gone:
        holding.end(session, SYSTEM, customers[one.customer_id], "unlocked", reason=one.due.rule.name)
    return [one.customer_id for one in gone]


def warn(session: Session, warned: Iterable[tuple[Candidate, int]], today: date) -> int:
    """Note each warning once and tell owners and their superiors, one notice for each day and number of days left."""
    events = [(one, days, _event(one, f"warn_{days}")) for one, days in warned]
    new = _note(session, [event for _one, _days, event in events])
    told: dict[tuple[int, int], int] = {}
    for one, days, _event_of in events:
        if one.ownership_id in new:
            told[one.owner_id, days] = told.get((one.owner_id, days), 0) + 1
    for (owner_id, days), count in sorted(told.items()):
        _tell(session, owner_id, UNLOCKS_SOON, f"ownership.warned:{owner_id}:{days}:{today}", count, days)
    return len(new)


def tell_unlocked(session: Session, today: date) -> None:
    """Each owner once a day, with how many of his went back; reckoned from the events, so a broken run loses nobody."""
    begins = datetime.combine(today, time(), ZONE)
    counts = (
        select(Ownership.owner_id, func.count())
        .join(UnlockEvent, UnlockEvent.ownership_id == Ownership.id)
        .where(UnlockEvent.kind == "unlocked", UnlockEvent.at >= begins)
        .group_by(Ownership.owner_id)
    )
    for owner_id, count in session.execute(counts).all():
        _tell(session, owner_id, UNLOCKED, f"ownership.unlocked:{owner_id}:{today}", count, 0)


def _tell(session: Session, owner_id: int, of_kind: str, key: str, count: int, days: int) -> None:
    owner = session.get_one(Employee, owner_id)
    superior = superior_of(session, owner_id)
    if days:
        title = _("{count} customers of {owner} unlock within {days} days", count=count, owner=owner.name, days=days)
    else:
        title = _("{count} customers of {owner} went back to the pool", count=count, owner=owner.name)
    persons = [owner_id, *([superior.id] if superior is not None else [])]
    link = f"/customers/unlocking?owner={owner_id}" if days else "/customers/pool"
    notify(session, SYSTEM, persons=persons, kind=of_kind, title=title, key=key, link=link)


def _event(one: Candidate, of_kind: str) -> dict[str, Any]:
    rule = one.due.rule
    return {
        "customer_id": one.customer_id,
        "ownership_id": one.ownership_id,
        "kind": of_kind,
        "due_on": one.due.on,
        "rule": {"id": rule.id, "name": rule.name, "kind": rule.kind, "days": rule.days, "base": str(one.due.base)},
        "at": clock.now(),
    }


def _note(session: Session, events: list[dict[str, Any]]) -> set[int]:
    """Write the events; the ownerships of those that were new."""
    if not events:
        return set()
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(UnlockEvent).on_conflict_do_nothing(index_elements=["ownership_id", "kind", "due_on"])
    return set(session.scalars(statement.returning(UnlockEvent.ownership_id), events))


# ------------------------------------------------------------------------------------------------- dry run, soon


def dry_run(session: Session, actor: Actor, *, record_id: int) -> list[tuple[Customer, date, int]]:
    """Whom a rule would unlock if it were set in force today, soonest first; nothing changes. Told are those the actor
    sees, MOST_SHOWN at most.

    (customer, the day, its owner). Walks all locked customers, as the job does.
    """
    require(actor, permissions.MANAGE_RULES)
    kept = session.get_one(UnlockRule, record_id)
    today = business_date(clock.now())
    rule = unlock_rules.as_rule(session, kept)
    if kept.state == "draft":
        rule = rules.Rule(**{**_fields(rule), "starts_on": max(kept.starts_on, today)})
    found: list[Candidate] = []
    after = 0
    while True:
        after, some = candidates(session, [rule], after=after)
        found += some
        if not after:
            break
    told: list[Candidate] = []
    found.sort(key=lambda one: (one.due.on, one.customer_id))
    while found and len(told) < MOST_SHOWN:
        next_ones, found = found[:MOST_SHOWN], found[MOST_SHOWN:]
        seen = among_visible(session, actor, [one.customer_id for one in next_ones])
        told += [one for one in next_ones if one.customer_id in seen]
    return _shown(session, told[:MOST_SHOWN])


def without_start(session: Session, actor: Actor, *, record_id: int) -> int:
    """How many would unlock at once if days from before the rule counted: what its start day spares people."""
    require(actor, permissions.MANAGE_RULES)
    kept = session.get_one(UnlockRule, record_id)
    today = business_date(clock.now())
    rule = rules.Rule(**{**_fields(unlock_rules.as_rule(session, kept)), "starts_on": date.min})
    count, after = 0, 0
    while True:
        after, some = candidates(session, [rule], after=after)
        count += sum(1 for one in some if one.due.on <= today)
        if not after:
            return count


def soon(session: Session, owner_id: int) -> list[tuple[Customer, date, int]]:
    """A person's customers that unlock within the longest warning, soonest first; index ix_ownership_owner."""
    today = business_date(clock.now())
    of_owner = _locked(None, owner_id=owner_id)
    found = [
        one
        for one in _reckoned(session, unlock_rules.in_force(session), of_owner)
        if one.due.days_left(today) <= max(rules.WARN_BEFORE)
    ]
    return _shown(session, sorted(found, key=lambda one: (one.due.on, one.customer_id)))


def _shown(session: Session, found: Sequence[Candidate]) -> list[tuple[Customer, date, int]]:
    ids = [one.customer_id for one in found]
    known = {one.id: one for one in session.scalars(select(Customer).where(Customer.id.in_(ids)))}
    return [(known[one.customer_id], one.due.on, one.owner_id) for one in found]


def _fields(rule: rules.Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in rule.__dataclass_fields__}


# ------------------------------------------------------------------------------------------------- reading


def _locked(
    ids: Collection[int] | None, *, after: int = 0, limit: int | None = None, owner_id: int | None = None
) -> Any:
    wanted = (
        select(
            Ownership.id.label("ownership_id"),
            Ownership.customer_id,
            Ownership.owner_id,
            Ownership.started_at,
            Employee.department_id,
            Customer.last_qualified_at,
            Customer.protected_until,
            Customer.level,
            Customer.industry,
        )
        .join(Customer, Customer.id == Ownership.customer_id)
        .join(Employee, Employee.id == Ownership.owner_id)
        .where(Ownership.ended_at.is_(None))
        .order_by(Ownership.customer_id)
    )
    if ids is not None:
        wanted = wanted.where(Ownership.customer_id.in_(ids))
    if after:
        wanted = wanted.where(Ownership.customer_id > after)
    if owner_id is not None:
        wanted = wanted.where(Ownership.owner_id == owner_id)
    return wanted.limit(limit) if limit is not None else wanted


def _reckoned(session: Session, in_force: Sequence[rules.Rule], wanted: Any) -> list[Candidate]:
    return _of_rows(session, in_force, session.execute(wanted).all())


def _of_rows(session: Session, in_force: Sequence[rules.Rule], rows: Sequence[Row[Any]]) -> list[Candidate]:
    if not in_force or not rows:
        return []
    deals = {}
    if any(rule.kind == "no_deal" for rule in in_force):
        deals = deals_of(session, [row.customer_id for row in rows])
    found = []
    for row in rows:
        held = rules.Held(
            locked_on=business_date(row.started_at),
            qualified_on=business_date(row.last_qualified_at) if row.last_qualified_at is not None else None,
            deal_on=deals.get(row.customer_id),
            protected_until=row.protected_until,
            level=row.level,
            industry=row.industry,
            department_id=row.department_id,
        )
        day = rules.due(in_force, held)
        if day is not None:
            found.append(Candidate(row.customer_id, row.ownership_id, row.owner_id, day))
    return found
