"""How parties stand to each other, and against whom we stand at a customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from engine import journal
from engine.actor import Actor
from engine.errors import InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import Sentence, _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.organization.permissions import require
from processes.party import permissions
from processes.party.models import Competitor, CompetitorAt, Contact, Customer, Party, Relation
from processes.party.operations import parties

KINDS: Mapping[str, Sentence] = {
    "parent": _("is above"),
    "supplier": _("supplies"),
    "partner": _("is partner of"),
    "family": _("is family of"),
    "friend": _("is a friend of"),
    "colleague": _("is a colleague of"),
    "other": _("has to do with"),
}
FROM_BELOW: Mapping[str, Sentence] = {**KINDS, "parent": _("is below"), "supplier": _("is supplied by")}
"""the same, read from the other side"""
AT: Mapping[str, Sentence] = {
    "incumbent": _("supplies already"),
    "bidding": _("bids"),
    "lost": _("has lost"),
}
_MOST = 60


@dataclass(frozen=True)
class Link:
    """One line of the table, one edge of the graph, as read from the party in the middle."""

    id: int
    what: str
    """relation | contact | employer | competitor"""
    kind: str
    title: Sentence
    party_id: int
    name: str
    note: str
    customer_id: int | None
    """where the other one is a customer the reader may open"""
    contact_id: int | None = None


def links(session: Session, actor: Actor, party_id: int) -> list[Link]:
    """Relations told, employments and competitors; those the reader may not see are left out."""
    permissions.readable(session, actor, party_id)
    rows = session.scalars(
        select(Relation)
        .where(or_(Relation.a_id == party_id, Relation.b_id == party_id))
        .options(selectinload(Relation.a), selectinload(Relation.b))
        .order_by(Relation.id)
        .limit(_MOST)
    ).all()
    contacts = session.scalars(
        select(Contact)
        .where(
            or_(Contact.organization_id == party_id, Contact.person_id == party_id),
            Contact.state == "active",
            permissions.visible_contacts(actor),
        )
        .order_by(Contact.is_main.desc(), Contact.id)
        .limit(_MOST)
    ).all()
    others = {row.b_id if row.a_id == party_id else row.a_id for row in rows}
    others |= {one.organization_id for one in contacts if one.organization_id}
    customers = set(session.scalars(select(Customer.id).where(Customer.id.in_(others))))
    seen = set(
        session.scalars(select(Customer.id).where(Customer.id.in_(others), permissions.visible_customers(actor)))
    )
    found = []
    for row in rows:
        other, titles = (row.b, KINDS) if row.a_id == party_id else (row.a, FROM_BELOW)
        if other.state == "active" and (other.id in seen or other.id not in customers):
            shown = other.id if other.id in seen else None
            found.append(Link(row.id, "relation", row.kind, titles[row.kind], other.id, other.name, row.note, shown))
    for one in contacts:
        if one.organization_id == party_id:
            words = _("Contact")
            found.append(Link(one.id, "contact", one.role, words, one.person_id, one.name, one.title, None, one.id))
        elif one.organization_id in seen:
            at, words = one.organization_id, _("works at")
            found.append(Link(one.id, "employer", "", words, at, one.employer, one.title, at))
    return [*found, *_competitors(session, party_id)]


def _competitors(session: Session, party_id: int) -> list[Link]:
    rows = session.scalars(
        select(CompetitorAt)
        .where(CompetitorAt.customer_id == party_id)
        .options(selectinload(CompetitorAt.competitor))
        .order_by(CompetitorAt.id)
    )
    return [
        Link(row.id, "competitor", row.role, AT[row.role], row.competitor_id, row.competitor.name, row.note, None)
        for row in rows
    ]


def add_relation(session: Session, actor: Actor, *, party_id: int, values: Mapping[str, Any]) -> Relation:
    """values: other (a customer), kind, note; told as "this one <kind> the other"."""
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, party_id)
    entry = Entry(session, values, is_new=True)
    entry.reference("other", Party, required=True)
    entry.choice("kind", KINDS, required=True)
    entry.text("note", longest=300)
    clean = entry.finish()
    other = clean["other"]
    permissions.readable(session, actor, other.id)
    if other.id == party_id:
        raise InvalidForm([Problem("other", _("Nobody is related to itself."))])
    both = or_(
        (Relation.a_id == party_id) & (Relation.b_id == other.id),
        (Relation.a_id == other.id) & (Relation.b_id == party_id),
    )
    if session.scalar(select(Relation.id).where(both, Relation.kind == clean["kind"])) is not None:
        raise InvalidForm([Problem("other", _("This has been told already."))])
    relation = Relation(
        a_id=party_id, b_id=other.id, kind=clean["kind"], note=clean.get("note") or "", created_by=actor.person_id
    )
    session.add(relation)
    session.flush()
    after = {"kind": relation.kind, "other": {"id": other.id, "name": other.name}}
    journal.audit(session, actor, permissions.CUSTOMER, party_id, "relation_added", None, after)
    return relation


def remove_relation(session: Session, actor: Actor, *, party_id: int, relation_id: int) -> None:
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, party_id)
    relation = session.get(Relation, relation_id)
    if relation is None or party_id not in {relation.a_id, relation.b_id}:
        raise NotFound
    other = relation.b_id if relation.a_id == party_id else relation.a_id
    journal.audit(
        session,
        actor,
        permissions.CUSTOMER,
        party_id,
        "relation_removed",
        {"kind": relation.kind, "other": other},
        None,
    )
    session.delete(relation)
    session.flush()


# ------------------------------------------------------------------------------------------------- competitors

RECORD_TYPE = permissions.COMPETITOR


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.text("name", required=True, longest=200)
    for name in ("strengths", "weaknesses", "price_notes"):
        entry.text(name, longest=5000)
    return {name: "" if value is None else value for name, value in entry.finish().items()}


def create_competitor(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Competitor:
    """values: name, strengths, weaknesses, price_notes. A firm that is stored already plays a further part."""
    require(actor, permissions.MANAGE)
    clean = _read(session, values, is_new=True)
    key = parties.key_of(clean["name"])
    party = session.scalars(
        select(Party).where(Party.name_key == key, Party.kind == "organization", Party.state == "active")
    ).first()
    if party is None:
        party = parties.make_party(session, actor, kind="organization", name=clean["name"])
    elif session.get(Competitor, party.id) is not None:
        raise InvalidForm([Problem("name", _("This competitor is there already."))])
    competitor = Competitor(id=party.id, **{**clean, "name": party.name})
    records.create(session, actor, RECORD_TYPE, competitor, clean)
    return competitor


def change_competitor(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Competitor:
    require(actor, permissions.MANAGE)
    competitor = lock_for_change(session, Competitor, record_id, version)
    clean = _read(session, values, is_new=False)
    if clean.get("name", competitor.name) != competitor.name:
        if session.get(Customer, record_id) is not None:
            raise InvalidForm([Problem("name", _("This is a customer, too: change its name there."))])
        parties.rename(session, session.get_one(Party, record_id), clean["name"])
    records.change(session, actor, RECORD_TYPE, competitor, clean)
    return competitor


def archive_competitor(session: Session, actor: Actor, *, record_id: int) -> None:
    require(actor, permissions.MANAGE)
    records.archive(session, actor, RECORD_TYPE, lock_for_change(session, Competitor, record_id))


def put_competitor_at(session: Session, actor: Actor, *, customer_id: int, values: Mapping[str, Any]) -> CompetitorAt:
    """values: competitor, role, note. Once at each customer: the same again changes what was said."""
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, customer_id)
    entry = Entry(session, values, is_new=True)
    entry.reference("competitor", Competitor, required=True)
    entry.choice("role", AT, required=True)
    entry.text("note", longest=300)
    clean = entry.finish()
    competitor = clean["competitor"]
    if competitor.id == customer_id:
        raise RuleViolation(_("Nobody competes at itself."))
    wanted = select(CompetitorAt).where(
        CompetitorAt.customer_id == customer_id, CompetitorAt.competitor_id == competitor.id
    )
    row = session.scalars(wanted).first()
    if row is None:
        row = CompetitorAt(customer_id=customer_id, competitor_id=competitor.id, created_by=actor.person_id)
        session.add(row)
    row.role, row.note = clean["role"], clean.get("note") or ""
    session.flush()
    after = {"competitor": {"id": competitor.id, "name": competitor.name}, "role": row.role}
    journal.audit(session, actor, permissions.CUSTOMER, customer_id, "competitor_put", None, after)
    return row


def remove_competitor_at(session: Session, actor: Actor, *, customer_id: int, row_id: int) -> None:
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, customer_id)
    row = session.get(CompetitorAt, row_id)
    if row is None or row.customer_id != customer_id:
        raise NotFound
    before = {"competitor": row.competitor_id, "role": row.role}
    journal.audit(session, actor, permissions.CUSTOMER, customer_id, "competitor_removed", before, None)
    session.delete(row)
    session.flush()
