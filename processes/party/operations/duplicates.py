"""The report of customers that look alike: made anew each week, what has been dismissed stays dismissed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from engine import clock
from engine.actor import Actor
from engine.errors import NotFound
from processes.organization.permissions import require
from processes.party import permissions
from processes.party.models import ContactPoint, Customer, DuplicateDecision, DuplicatePair, Party
from processes.party.operations import alike
from processes.party.rules import alike as rules

BATCH = 500
_TELLING = ("phone", "mail")
SHOWN = 50
_MOST_OF_ONE = 20
"""A switchboard of a business park is no duplicate of forty firms."""


@dataclass(frozen=True)
class Pair:
    """Two customers, as the reader sees them."""

    id: int
    a: Customer
    b: Customer
    reasons: tuple[str, ...]
    score: int
    state: str


def look_for_pairs(session: Session, *, after: int = 0, limit: int = BATCH) -> tuple[int, int]:
    """Compare the next customers after this id with those that share a core, a sound, a phone or a mail address.

    Returns (last id looked at, or 0 at the end; pairs found). Found before stays as it is: open or dismissed.
    """
    ids = session.scalars(
        select(Customer.id).where(Customer.id > after, Customer.state != "merged").order_by(Customer.id).limit(limit)
    ).all()
    if not ids:
        return 0, 0
    wanted = set[tuple[int, int]]()
    for road in _roads(ids):
        wanted |= {(min(one, other), max(one, other)) for one, other in session.execute(road)}
    wanted |= _sharing_a_point(session, ids)
    known = session.execute(
        select(DuplicatePair.a_id, DuplicatePair.b_id).where(DuplicatePair.a_id.in_({a for a, _b in wanted}))
    )
    said = session.execute(
        select(DuplicateDecision.party_id, DuplicateDecision.other_id).where(
            DuplicateDecision.party_id.in_({one for pair in wanted for one in pair})
        )
    )
    fresh = wanted - {(row.a_id, row.b_id) for row in known}
    fresh -= {(min(row.party_id, row.other_id), max(row.party_id, row.other_id)) for row in said}
    return ids[-1], _keep(session, fresh)


def _keep(session: Session, pairs: set[tuple[int, int]]) -> int:
    parties = {
        one.id: one
        for one in session.scalars(
            select(Party)
            .where(Party.id.in_({one for pair in pairs for one in pair}), Party.state == "active")
            .options(selectinload(Party.points))
        )
    }
    found = 0
    for a, b in sorted(pairs):
        if a not in parties or b not in parties:
            continue
        finding = rules.compare(alike.facts_of(parties[a]), alike.facts_of(parties[b]), alike.verdicts())
        if finding is None or finding.grounds == ("name",):  # of two people
            continue
        grounds = ",".join(finding.grounds)[:60]
        session.add(DuplicatePair(a_id=a, b_id=b, grounds=grounds, score=finding.score, found_at=clock.now()))
        found += 1
    session.flush()
    return found


def _roads(ids: Sequence[int]) -> list[Select[int, int]]:
    """Pairs by the name; the other side may be any customer."""
    one, other, there = aliased(Party), aliased(Party), aliased(Customer)
    organizations = and_(one.kind == "organization", other.kind == "organization", one.id.in_(ids))
    return [
        select(one.id, other.id)
        .join(other, and_(getattr(other, column) == getattr(one, column), other.id > one.id))
        .join(there, there.id == other.id)
        .where(organizations, one.state == "active", other.state == "active")
        for column in ("name_core", "name_sound")
    ]


def _sharing_a_point(session: Session, ids: Sequence[int]) -> set[tuple[int, int]]:
    """Pairs by a number or address only few have (ix_contact_point_value): three plain questions, for as one the
    database may ask the middle one again for every row, and that takes minutes.
    """
    mine = select(ContactPoint.value).where(ContactPoint.party_id.in_(ids), ContactPoint.kind.in_(_TELLING))
    values = set(session.scalars(mine))
    counted = select(ContactPoint.kind, ContactPoint.value).where(
        ContactPoint.kind.in_(_TELLING), ContactPoint.value.in_(values)
    )
    few = func.count().between(2, _MOST_OF_ONE)
    rare = {tuple(row) for row in session.execute(counted.group_by(ContactPoint.kind, ContactPoint.value).having(few))}
    held = (
        select(ContactPoint.kind, ContactPoint.value, ContactPoint.party_id, Customer.id)
        .outerjoin(Customer, Customer.id == ContactPoint.party_id)
        .where(ContactPoint.kind.in_(_TELLING), ContactPoint.value.in_({value for _kind, value in rare}))
    )
    holders = defaultdict[tuple[str, str], set[tuple[int, bool]]](set)
    for kind, value, party_id, customer_id in session.execute(held):
        if (kind, value) in rare:
            holders[kind, value].add((party_id, customer_id is not None))
    asked = set(ids)
    return {
        (one, other)
        for there in holders.values()
        for one, _is_customer in there
        for other, is_customer in there
        if one in asked and is_customer and other > one
    }


def forget_settled(session: Session) -> None:
    """Open pairs whose parties are no longer both there."""
    gone = select(Party.id).where(Party.state != "active")
    session.execute(
        delete(DuplicatePair).where(
            DuplicatePair.state == "open", or_(DuplicatePair.a_id.in_(gone), DuplicatePair.b_id.in_(gone))
        ),
        execution_options={"synchronize_session": False},
    )


def pairs(session: Session, actor: Actor, *, state: str = "open", after: int = 0) -> list[Pair]:
    """The most alike first, both within what the reader may see (ix_duplicate_pair_state, then two keys)."""
    require(actor, permissions.USE)
    seen = select(Customer.id).where(permissions.visible_customers(actor))
    rows = session.scalars(
        select(DuplicatePair)
        .where(DuplicatePair.state == state, DuplicatePair.a_id.in_(seen), DuplicatePair.b_id.in_(seen))
        .order_by(DuplicatePair.score.desc(), DuplicatePair.id)
        .offset(after)
        .limit(SHOWN)
    ).all()
    ids = {one for row in rows for one in (row.a_id, row.b_id)}
    customers = {
        one.id: one
        for one in session.scalars(
            select(Customer)
            .where(Customer.id.in_(ids))
            .options(selectinload(Customer.owner), selectinload(Customer.party).selectinload(Party.points))
        )
    }
    return [
        Pair(row.id, customers[row.a_id], customers[row.b_id], tuple(row.grounds.split(",")), row.score, row.state)
        for row in rows
    ]


def dismiss_pair(session: Session, actor: Actor, *, pair_id: int, again: bool = False) -> None:
    """These are two; again=True takes that back."""
    require(actor, permissions.MANAGE)
    pair = session.get(DuplicatePair, pair_id, with_for_update=True)
    if pair is None:
        raise NotFound
    for one in (pair.a_id, pair.b_id):
        permissions.readable(session, actor, one)
    pair.state = "open" if again else "dismissed"
    session.flush()
