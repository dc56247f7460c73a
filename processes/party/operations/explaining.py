"""Why somebody sees a customer, and what one person sees of all: asked of the very conditions the lists are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Forbidden, NotFound
from engine.i18n import Sentence, _
from processes.organization.models import Employee, ScopeGrant
from processes.organization.permissions import MANAGE_SCOPES, below, grants_of
from processes.party import masking, permissions
from processes.party.models import Customer
from processes.party.rules.sight import Sight

COUNTED_TO = 10_000
"""Counting stops there."""


@dataclass(frozen=True)
class Reason:
    name: str
    title: Sentence
    more: Sequence[Sentence] = ()


@dataclass(frozen=True)
class Explanation:
    person: Employee
    customer: Customer
    may_open: bool
    """has the right to work with customers at all; without it no road leads anywhere"""
    reasons: Sequence[Reason]
    """none = for this person the customer does not exist"""
    notes: Sequence[Sentence]
    """what ties the person to it and opens nothing"""
    works: bool
    """may change it"""
    parts: Mapping[str, bool]
    """what hangs on it -> seen"""
    fields: Mapping[str, Sight]

    @property
    def sees(self) -> bool:
        return self.may_open and bool(self.reasons)


@dataclass(frozen=True)
class Overview:
    """What one person sees of all customers."""

    person: Employee
    may_open: bool
    total: int
    by_road: Sequence[tuple[Reason, int]]
    """each road with how many customers it opens; one customer may stand on several"""
    grants: Sequence[ScopeGrant]
    fields: Mapping[tuple[str, bool], Sight]
    """(customer.phone …, on a customer he works on) -> what he sees"""


def may_explain(session: Session, actor: Actor, customer: Customer) -> bool:
    """Who decides on scopes, and whoever stands above the owner."""
    if actor.may(MANAGE_SCOPES):
        return True
    above = select(Employee.id).where(Employee.id == customer.owner_id, Employee.id.in_(below(actor.person_id)))
    return session.scalar(above) is not None


def explain(session: Session, actor: Actor, *, customer_id: int, person_id: int) -> Explanation:
    """Every road on which this person sees this customer."""
    customer = permissions.readable(session, actor, customer_id)
    if not may_explain(session, actor, customer):
        raise Forbidden(_("Only whoever stands above the owner, or decides on data scopes, may ask this."))
    person, eyes = _eyes(session, person_id)
    reasons = [
        Reason(road.name, road.title, tuple(road.more(session, eyes, customer)))
        for road in permissions.roads_to(session, eyes, customer)
    ]
    return Explanation(
        person=person,
        customer=customer,
        may_open=eyes.may(permissions.USE),
        reasons=reasons,
        notes=permissions.notes_on(session, eyes, customer),
        works=eyes.may(permissions.MANAGE) and permissions.may_work(session, eyes, customer.id),
        parts={part: permissions.may_see(session, eyes, customer.id, part) for part in permissions.PARTS},
        fields=masking.sights_of(session, eyes, customer),
    )


def overlook(session: Session, person_id: int) -> Overview:
    """What this person sees; the caller has asked for the right to know."""
    person, eyes = _eyes(session, person_id)

    def count(*conditions: object) -> int:
        wanted = select(Customer.id).where(Customer.state != "merged", *conditions).limit(COUNTED_TO)  # type: ignore[arg-type]
        return session.scalar(select(func.count()).select_from(wanted.subquery())) or 0

    return Overview(
        person=person,
        may_open=eyes.may(permissions.USE),
        total=count(permissions.visible_customers(eyes)),
        by_road=[(Reason(road.name, road.title), count(road.leads(eyes, ""))) for road in permissions.roads()],
        grants=grants_of(session, eyes, permissions.MODULE),
        fields=masking.all_sights(session, eyes),
    )


def _eyes(session: Session, person_id: int) -> tuple[Employee, Actor]:
    """The person, and the actor he is when he signs in; without a login he has no rights."""
    person = session.get(Employee, person_id)
    if person is None or not person.is_active:
        raise NotFound
    known = CATALOG.actors(session, [person_id]) if CATALOG.actors is not None else {}
    return person, known.get(person_id) or Actor(person_id=person_id, name=person.name)
