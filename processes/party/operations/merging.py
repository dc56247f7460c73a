"""Two parties that are one (合并): everything moves to the kept one, the other leads there; undone exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from engine import clock, events, journal
from engine.actor import Actor
from engine.errors import Conflict, Forbidden, NotFound, RuleViolation
from engine.i18n import Sentence, _
from processes.kernel.columns import lock_for_change, stamp
from processes.organization.permissions import require
from processes.party import permissions
from processes.party.models import Competitor, Contact, Customer, DuplicatePair, Party, PartyMerge
from processes.party.operations import hanging, parties
from processes.party.operations.finding import keep_found

MERGED, UNMERGED = "party.merged", "party.unmerged"
"""kept_id, gone_id, merge_id; inside the transaction, after our own rows have moved."""

OF_PARTY: Mapping[str, Sentence] = {
    "name": _("Name"),
    "credit_code": _("Credit code"),
    "birthday": _("Birthday"),
    "address": _("Address"),
    "website": _("Website"),
    "note": _("Note"),
}
OF_CUSTOMER: Mapping[str, Sentence] = {
    "level": _("Level"),
    "stage": _("Stage"),
    "industry": _("Industry"),
    "region": _("Province"),
    "city": _("City"),
    "source": _("Source"),
    "protected_until": _("Protected until"),
}
"""What is chosen field by field."""


@dataclass(frozen=True)
class Choice:
    """A field in which the two differ."""

    field: str
    title: Sentence
    kept: Any
    gone: Any
    usual: str
    """kept | gone: what is taken unless somebody chooses: the kept one's, where it says anything"""


@dataclass(frozen=True)
class Preview:
    kept: Party
    gone: Party
    customers: tuple[Customer | None, Customer | None]
    choices: tuple[Choice, ...]
    moves: Mapping[str, int]
    """table -> rows that would move"""
    owners_differ: bool


def preview(session: Session, actor: Actor, *, kept_id: int, gone_id: int) -> Preview:
    """Both side by side; raises what merging them would raise."""
    kept, gone = _both(session, actor, kept_id, gone_id)
    customers = session.get(Customer, kept_id), session.get(Customer, gone_id)
    moves: dict[str, int] = {}
    for mover in hanging.movers():
        count = len(hanging.movable(session, mover, kept_id, gone_id))
        if count:
            moves[mover.table.name] = moves.get(mover.table.name, 0) + count
    return Preview(kept, gone, customers, tuple(_choices(kept, gone, *customers)), moves, _owners_differ(*customers))


def merge(
    session: Session,
    actor: Actor,
    *,
    kept_id: int,
    gone_id: int,
    choose: Mapping[str, str] | None = None,
    owner: str = "",
    reason: str = "",
) -> PartyMerge:
    """choose: {field: "kept" | "gone"}; owner: whose the customer is when both have one, told by "kept" or "gone"."""
    kept, gone = _both(session, actor, kept_id, gone_id)
    for one in sorted((kept_id, gone_id)):
        lock_for_change(session, Party, one)
    if kept.state != "active" or gone.state != "active":
        raise Conflict(_("One of the two has been merged in the meantime."))
    customers = session.get(Customer, kept_id), session.get(Customer, gone_id)
    _check_owner(session, actor, customers, owner)
    contacts = session.scalars(
        select(Contact.id).where(
            or_(Contact.organization_id.in_((kept_id, gone_id)), Contact.person_id.in_((kept_id, gone_id)))
        )
    ).all()
    chosen = customers[("kept", "gone").index(owner)] if owner else None
    owner_id = chosen.owner_id if chosen is not None else None
    before = hanging.values_of(session, (kept_id, gone_id), contacts)
    record = PartyMerge(
        kept_id=kept_id, gone_id=gone_id, reason=reason.strip()[:300], at=clock.now(), actor_id=actor.person_id
    )
    session.add(record)
    _put_away(session, kept, gone, customers[1])
    made = _make_competitor(session, kept_id, gone_id)
    _keep_single_contacts(session, kept, gone)
    taken = {one.field: (choose or {}).get(one.field, one.usual) for one in _choices(kept, gone, *customers)}
    _take(session, actor, kept, gone, customers, taken)
    session.flush()
    rows = hanging.move(session, kept_id, gone_id)
    _call_alike(session, kept)
    session.expire_all()
    record.moved = {
        "rows": rows,
        "values": hanging.changed(before, hanging.values_of(session, (kept_id, gone_id), contacts)),
        "made": made,
        "owner": owner,
    }
    session.flush()
    keep_found(session, kept, gone)
    _note(session, actor, kept, gone, "merged")
    events.publish(session, MERGED, kept_id=kept_id, gone_id=gone_id, merge_id=record.id, by=actor, owner_id=owner_id)
    return record


def undo_merge(session: Session, actor: Actor, *, merge_id: int) -> PartyMerge:
    """As if it had not been: rows go back, values too, but for what has been changed since."""
    require(actor, permissions.MANAGE)
    record = session.get(PartyMerge, merge_id)
    if record is None:
        raise NotFound
    _demand(session, actor, permissions.party_of(session, record.kept_id))
    for one in sorted((record.kept_id, record.gone_id)):
        lock_for_change(session, Party, one)
    session.refresh(record, with_for_update=True)
    kept, gone = session.get_one(Party, record.kept_id), session.get_one(Party, record.gone_id)
    if record.undone_at is not None:
        raise Conflict(_("This has been taken back already."))
    if kept.state != "active":
        raise RuleViolation(
            _("{name} has been merged into another one since.", name=kept.name),
            remedy=_("Take that back first."),
        )
    moved, values = record.moved, record.moved["values"]
    session.flush()
    hanging.move_back(session, moved["rows"], kept.id, gone.id)
    for model in (Party, Customer, Competitor, Contact):
        changed = values.get(model.__tablename__, {})
        for key in sorted(changed, key=lambda one: int(one) != kept.id):  # the kept one gives the name back first
            hanging.restore(session, model, int(key), changed[key])
    session.expire_all()
    for key in moved["made"].get(Competitor.__tablename__, []):
        session.delete(session.get_one(Competitor, key))
    for party in (kept, gone):
        parties.keep_grams(session, party)
    keep_found(session, kept, gone)
    record.undone_at, record.undone_by = clock.now(), actor.person_id
    session.flush()
    _note(session, actor, kept, gone, "unmerged")
    events.publish(session, UNMERGED, kept_id=kept.id, gone_id=gone.id, merge_id=record.id, by=actor)
    return record


def merges_into(session: Session, party_id: int) -> list[PartyMerge]:
    """What has become part of this party and may be taken back, the newest first."""
    wanted = select(PartyMerge).where(PartyMerge.kept_id == party_id, PartyMerge.undone_at.is_(None))
    return list(session.scalars(wanted.order_by(PartyMerge.id.desc())))


# ------------------------------------------------------------------------------------------------- may it be


def _both(session: Session, actor: Actor, kept_id: int, gone_id: int) -> tuple[Party, Party]:
    require(actor, permissions.MANAGE)
    kept, gone = session.get(Party, kept_id), session.get(Party, gone_id)
    if kept is None or gone is None:
        raise NotFound
    for one in (kept, gone):
        _demand(session, actor, one)
    if kept_id == gone_id:
        raise RuleViolation(_("These are not two."))
    if kept.kind != gone.kind:
        raise RuleViolation(_("An organisation and a person are never the same."))
    if kept.state != "active" or gone.state != "active":
        raise Conflict(_("One of the two has been merged in the meantime."))
    if session.get(Customer, kept_id) is None and session.get(Customer, gone_id) is not None:
        raise RuleViolation(_("Keep the one that is a customer."))
    return kept, gone


def _demand(session: Session, actor: Actor, party: Party) -> None:
    customer = session.get(Customer, party.id)
    if customer is not None and customer.owner_id is None and actor.may(permissions.MERGE_POOL):
        permissions.readable(session, actor, party.id)
        return
    if customer is not None:
        permissions.demand_work(session, actor, party.id)
        return
    if actor.may(permissions.MANAGE_ANY):
        return
    contacts = select(Contact.id).where(Contact.person_id == party.id)
    seen = contacts.where(permissions.visible_contacts(actor))
    if party.kind == "person" and len(session.scalars(seen).all()) == len(session.scalars(contacts).all()):
        return
    raise NotFound


def _owners_differ(one: Customer | None, other: Customer | None) -> bool:
    return (
        one is not None
        and other is not None
        and None not in {one.owner_id, other.owner_id}
        and one.owner_id != other.owner_id
    )


def _check_owner(
    session: Session, actor: Actor, customers: tuple[Customer | None, Customer | None], owner: str
) -> None:
    one, other = customers
    if one is None or other is None or not _owners_differ(one, other):
        return
    if not permissions.decides_between(session, actor, one, other):
        raise Forbidden(
            _("Both have an owner: a superior of both chooses."), remedy=_("Ask the superior to merge them.")
        )
    if owner not in {"kept", "gone"}:
        raise RuleViolation(_("Both have an owner: choose one."), code="choose_owner")


# ------------------------------------------------------------------------------------------------- what happens


def _choices(kept: Party, gone: Party, customer: Customer | None, other: Customer | None) -> list[Choice]:
    found = [_choice(name, title, kept, gone) for name, title in OF_PARTY.items()]
    if customer is not None and other is not None:
        found += [_choice(name, title, customer, other) for name, title in OF_CUSTOMER.items()]
    return [one for one in found if one is not None]


def _choice(name: str, title: Sentence, kept: Any, gone: Any) -> Choice | None:
    ours, theirs = getattr(kept, name), getattr(gone, name)
    if ours == theirs or theirs in (None, ""):
        return None
    return Choice(name, title, ours, theirs, "gone" if ours in (None, "") else "kept")


def _put_away(session: Session, kept: Party, gone: Party, customer: Customer | None) -> None:
    """Out of the unique indexes first: the kept one may take over its name and code."""
    gone.state, gone.merged_into_id = "merged", kept.id
    if customer is not None:
        customer.state = "merged"
    session.flush()
    pair = select(DuplicatePair).where(
        DuplicatePair.a_id == min(kept.id, gone.id), DuplicatePair.b_id == max(kept.id, gone.id)
    )
    for one in session.scalars(pair):
        session.delete(one)


def _make_competitor(session: Session, kept_id: int, gone_id: int) -> dict[str, list[int]]:
    """The part moves with its party: its key is the party's."""
    theirs = session.get(Competitor, gone_id)
    if theirs is None or theirs.state != "active":
        return {}
    ours = session.get(Competitor, kept_id)
    theirs.state = "archived"
    if ours is not None:
        return {}
    words = {name: getattr(theirs, name) for name in ("name", "strengths", "weaknesses", "price_notes", "is_demo")}
    session.add(Competitor(id=kept_id, **words))
    session.flush()
    return {Competitor.__tablename__: [kept_id]}


def _keep_single_contacts(session: Session, kept: Party, gone: Party) -> None:
    """One employment of a person at a place, one main contact of an organisation: the kept one's stand."""
    mine = select(Contact).where(Contact.state == "active")
    if kept.kind == "organization":
        ours = session.scalars(mine.where(Contact.organization_id == kept.id)).all()
        theirs = session.scalars(mine.where(Contact.organization_id == gone.id)).all()
        there, has_main = {one.person_id for one in ours}, any(one.is_main for one in ours)
        for one in theirs:
            one.is_main = one.is_main and not has_main
            one.state = "left" if one.person_id in there else one.state
    else:
        ours = session.scalars(mine.where(Contact.person_id == kept.id)).all()
        there = {one.organization_id for one in ours if one.organization_id}
        for one in session.scalars(mine.where(Contact.person_id == gone.id)):
            one.state = "left" if one.organization_id in there else one.state
    session.flush()


def _take(
    session: Session,
    actor: Actor,
    kept: Party,
    gone: Party,
    customers: tuple[Customer | None, Customer | None],
    taken: Mapping[str, str],
) -> None:
    for name, side in taken.items():
        if side != "gone":
            continue
        if name == "name":
            parties.rename(session, kept, gone.name)
        elif name in OF_PARTY:
            setattr(kept, name, getattr(gone, name))
        elif customers[0] is not None and customers[1] is not None:
            setattr(customers[0], name, getattr(customers[1], name))
    for one in (kept, customers[0]):
        if one is not None:
            stamp(one, actor)


def _call_alike(session: Session, kept: Party) -> None:
    """Contacts that have moved show the name of the one they belong to now."""
    of, words = (
        (Contact.organization_id, {"employer": kept.name, "employer_key": kept.name_key})
        if kept.kind == "organization"
        else (Contact.person_id, {"name": kept.name})
    )
    session.execute(
        update(Contact).where(of == kept.id).values(**words), execution_options={"synchronize_session": False}
    )


def _note(session: Session, actor: Actor, kept: Party, gone: Party, action: str) -> None:
    for one, other in ((kept, gone), (gone, kept)):
        if session.get(Customer, one.id) is not None:
            after = {"with": {"id": other.id, "name": other.name}}
            journal.audit(session, actor, permissions.CUSTOMER, one.id, action, None, after)
