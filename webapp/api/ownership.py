"""Whose customers are: the pool, locking and releasing, watching and sharing (handing_over.py: given to others)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from engine import clock
from processes.kernel.working_time import business_date
from processes.ownership import rules
from processes.ownership.models import Share
from processes.ownership.operations import (
    apply_for,
    handing,
    history,
    limits,
    protecting,
    reading,
    release as give_back,
    reopening,
    requests,
    sharing,
    unlocking,
    watching,
)
from processes.party.models import Customer
from processes.party.permissions import readable
from webapp.api.answers import Action, Names, Person
from webapp.api.endpoint import Answer, Body, Call, Empty, Id, endpoint
from webapp.api.paging import ListQuery, Page, page_of, rows, total_of

TAG = "ownership"

Reason = Annotated[str, msgspec.Meta(max_length=300)]


class PoolQuery(ListQuery):
    view: Literal["all", "mine", "new", "watched", "applied"] = "all"
    """mine: my department's pool | new: never contacted | watched | applied: I have applied for them"""
    level: Annotated[str, msgspec.Meta(max_length=1)] = ""
    industry: Annotated[str, msgspec.Meta(max_length=20)] = ""
    region: Annotated[str, msgspec.Meta(max_length=2)] = ""


class PoolLine(Answer):
    id: int
    name: str
    level: str
    stage: str
    industry: str
    region: str
    open_since: datetime | None
    last_contact_at: datetime | None
    contacts_made: int


class LockUsage(Answer):
    used: int
    """what counts: customers held and applied for"""
    pending: int
    most: int | None
    """null = no limit"""
    is_full: bool
    text: str
    """37/50"""


class OwnershipStretch(Answer):
    owner: Person
    started_at: datetime
    how: str
    """created | applied | assigned | handed_over | by_rule | imported | undone | merged"""
    reason: str
    by: Person
    ended_at: datetime | None
    ended_how: str
    ended_reason: str


class OwnershipDetail(Answer):
    customer_id: int
    state: str
    """open | locked | closed"""
    owner: Person | None
    owned_since: datetime | None
    unlocks_on: date | None
    """when it goes back to the pool by itself, as things stand"""
    days_left: int | None
    protected_until: date | None
    """no rule unlocks it until that day"""
    my_place: int | None
    """your application's among those that wait for it; null = you have none"""
    applications: int | None
    """how many wait for it; null = you have none among them"""
    watched: bool
    in_focus: bool
    history: list[OwnershipStretch]
    actions: list[Action]


class ReleaseCustomer(Body):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    pool: Id | None = None
    """the department whose pool it goes to; null = everybody's"""


class ProtectCustomer(Body):
    until: date | None
    """null = no longer"""
    reason: Reason = ""
    """needed with a day"""


class LockCustomer(Body):
    reason: Reason = ""


class LockApplication(Body):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class AppliedForLock(Answer):
    instance_id: int


class CustomerNote(Body):
    note: Reason = ""


class FocusNote(CustomerNote, kw_only=True):
    until: date | None = None


class NewShare(Body):
    person: Id | None = None
    department: Id | None = None
    """one of the two"""
    level: Literal["read", "work"] = "read"
    until: date | None = None
    parts: list[Literal["contacts", "records", "opportunities"]] = msgspec.field(
        default_factory=lambda: ["contacts", "records"]
    )


class ShareLine(Answer):
    id: int
    customer_id: int
    customer: str
    person: Person | None
    department_id: int | None
    level: str
    until: date | None
    parts: list[str]


class ShareList(Answer):
    items: list[ShareLine]


class NotedCustomer(Answer):
    customer_id: int
    name: str
    note: str
    until: date | None


class NotedCustomers(Answer):
    items: list[NotedCustomer]


@endpoint("GET", "/customers/pool", tag=TAG)
def list_pool(call: Call, query: PoolQuery) -> Page[PoolLine]:
    """The open customers, those that fell open last first. `q` looks in the name; `order` is not taken."""
    found = reading.pool(
        call.actor, query.view, text=query.q, level=query.level, industry=query.industry, region=query.region
    )
    total = total_of(call.session, query, found, Customer.id)
    return page_of(query, [row.Customer for row in rows(call.session, query, found)], total, _pool_line)


@endpoint("GET", "/customers/lock-usage", tag=TAG)
def get_usage(call: Call) -> LockUsage:
    """How many customers you hold, and how many you may."""
    return usage_of(limits.usage(call.session, call.actor.person_id))


@endpoint("GET", "/customers/watched", tag=TAG)
def list_watched(call: Call) -> NotedCustomers:
    """The customers you watch."""
    found = watching.watched(call.session, call.actor, limit=200)
    return NotedCustomers(
        items=[NotedCustomer(customer_id=w.customer_id, name=w.customer.name, note=w.note, until=None) for w in found]
    )


@endpoint("GET", "/customers/focus", tag=TAG)
def list_focus(call: Call) -> NotedCustomers:
    """Your list of few, what comes next first."""
    found = watching.focused(call.session, call.actor)
    return NotedCustomers(
        items=[
            NotedCustomer(customer_id=f.customer_id, name=f.customer.name, note=f.note, until=f.until) for f in found
        ]
    )


@endpoint("GET", "/customers/shared", tag=TAG)
def list_shared(call: Call) -> ShareList:
    """What is shared with you or your department."""
    return _shares(call, sharing.shared_with(call.session, call.actor, limit=200))


@endpoint("GET", "/customers/{customer_id}/ownership", tag=TAG)
def get_ownership(call: Call, customer_id: Id) -> OwnershipDetail:
    """Whose a customer is and was, when it unlocks, and what you may do about it."""
    return _detail(call, readable(call.session, call.actor, customer_id))


@endpoint("GET", "/customers/{customer_id}/shares", tag=TAG)
def list_shares(call: Call, customer_id: Id) -> ShareList:
    """With whom it is shared; for its owner and those above him."""
    return _shares(call, sharing.shares_of(call.session, call.actor, customer_id))


@endpoint("POST", "/customers/{customer_id}/actions/lock", tag=TAG, refusals=(409, 422))
def lock(call: Call, customer_id: Id, body: LockCustomer) -> OwnershipDetail:
    """Take a customer of the pool yourself; for those who may assign. Others apply."""
    customer = readable(call.session, call.actor, customer_id)
    handing.take_oneself(call.session, call.actor, customer_id=customer_id, reason=body.reason)
    return _detail(call, customer)


@endpoint("POST", "/customers/{customer_id}/actions/apply", tag=TAG, status=201, refusals=(409, 422))
def apply(call: Call, customer_id: Id, body: LockApplication) -> AppliedForLock:
    """Apply for a customer of the pool: starts the process in which your superior decides."""
    return AppliedForLock(instance_id=apply_for(call.session, call.actor, customer_id=customer_id, reason=body.reason))


@endpoint("POST", "/customers/{customer_id}/actions/release", tag=TAG, refusals=(409, 422))
def release(call: Call, customer_id: Id, body: ReleaseCustomer) -> OwnershipDetail:
    """Give it back to the pool and say why."""
    give_back(call.session, call.actor, customer_id=customer_id, reason=body.reason, pool_id=body.pool)
    return _detail(call, readable(call.session, call.actor, customer_id))


@endpoint("POST", "/customers/{customer_id}/actions/reopen", tag=TAG, refusals=(409, 422))
def reopen(call: Call, customer_id: Id, body: Empty) -> OwnershipDetail:
    """A closed customer is served again: it comes into the pool. For who had it last, and those who may assign."""
    return _detail(call, reopening.reopen(call.session, call.actor, customer_id=customer_id))


@endpoint("POST", "/customers/{customer_id}/actions/protect", tag=TAG, refusals=(422,))
def protect(call: Call, customer_id: Id, body: ProtectCustomer) -> OwnershipDetail:
    """Keep rules of unlocking off it until a day; for those above its owner."""
    kept = protecting.protect(call.session, call.actor, customer_id=customer_id, until=body.until, reason=body.reason)
    return _detail(call, kept)


@endpoint("POST", "/customers/{customer_id}/actions/watch", tag=TAG, refusals=(422,))
def watch(call: Call, customer_id: Id, body: CustomerNote) -> OwnershipDetail:
    """Watch a customer of the pool, or one of your people."""
    watching.watch(call.session, call.actor, customer_id=customer_id, note=body.note)
    return _detail(call, readable(call.session, call.actor, customer_id))


@endpoint("POST", "/customers/{customer_id}/actions/unwatch", tag=TAG)
def unwatch(call: Call, customer_id: Id, body: Empty) -> OwnershipDetail:
    """Watch it no more."""
    watching.unwatch(call.session, call.actor, customer_id=customer_id)
    return _detail(call, readable(call.session, call.actor, customer_id))


@endpoint("POST", "/customers/{customer_id}/actions/focus", tag=TAG, refusals=(422,))
def focus(call: Call, customer_id: Id, body: FocusNote) -> OwnershipDetail:
    """Put one of your customers on your list of few."""
    watching.focus(call.session, call.actor, customer_id=customer_id, note=body.note, until=body.until)
    return _detail(call, readable(call.session, call.actor, customer_id))


@endpoint("POST", "/customers/{customer_id}/actions/unfocus", tag=TAG)
def unfocus(call: Call, customer_id: Id, body: Empty) -> OwnershipDetail:
    """Take it off your list of few."""
    watching.unfocus(call.session, call.actor, customer_id=customer_id)
    return _detail(call, readable(call.session, call.actor, customer_id))


@endpoint("POST", "/customers/{customer_id}/actions/share", tag=TAG, refusals=(422,))
def share(call: Call, customer_id: Id, body: NewShare) -> ShareList:
    """Share it with a person or a department, to read or to work on."""
    sharing.share(
        call.session,
        call.actor,
        customer_id=customer_id,
        person_id=body.person,
        department_id=body.department,
        level=body.level,
        until=body.until,
        parts=body.parts,
    )
    return _shares(call, sharing.shares_of(call.session, call.actor, customer_id))


@endpoint("POST", "/customer-shares/{share_id}/actions/revoke", tag=TAG, status=204, refusals=(422,))
def revoke(call: Call, share_id: Id, body: Empty) -> None:
    """Take a share back."""
    sharing.revoke(call.session, call.actor, share_id=share_id)


def usage_of(one: rules.Usage) -> LockUsage:
    return LockUsage(used=one.used, pending=one.pending, most=one.most, is_full=one.is_full, text=str(one))


def _pool_line(customer: Customer) -> PoolLine:
    return PoolLine(
        id=customer.id,
        name=customer.name,
        level=customer.level,
        stage=customer.stage,
        industry=customer.industry,
        region=customer.region,
        open_since=customer.open_since,
        last_contact_at=customer.last_contact_at,
        contacts_made=customer.contacts_made,
    )


def _detail(call: Call, customer: Customer) -> OwnershipDetail:
    session, actor = call.session, call.actor
    stretches = history(session, customer.id)
    names = Names(session, [customer.owner_id, *(s.owner_id for s in stretches), *(s.by_id for s in stretches)])
    due = unlocking.countdown(session, customer)
    mine = requests.pending_of(session, actor.person_id, [customer.id])
    place, applications = requests.places(session, list(mine.values())).get(customer.id, (None, None))
    return OwnershipDetail(
        customer_id=customer.id,
        state=customer.state,
        owner=names.maybe(customer.owner_id),
        owned_since=customer.owned_since,
        unlocks_on=due.on if due is not None else None,
        days_left=due.days_left(business_date(clock.now())) if due is not None else None,
        protected_until=customer.protected_until,
        my_place=place,
        applications=applications,
        watched=watching.is_watched(session, actor, customer.id),
        in_focus=watching.is_focused(session, actor, customer.id),
        history=[
            OwnershipStretch(
                owner=names(one.owner_id),
                started_at=one.started_at,
                how=one.how,
                reason=one.reason,
                by=names(one.by_id),
                ended_at=one.ended_at,
                ended_how=one.ended_how,
                ended_reason=one.ended_reason,
            )
            for one in stretches
        ],
        actions=[
            Action(action=m.name, allowed=m.refusal is None, reason=str(m.refusal) if m.refusal else "")
            for m in reading.moves(session, actor, customer)
        ],
    )


def _shares(call: Call, shares: Sequence[Share]) -> ShareList:
    names = Names(call.session, [one.person_id for one in shares])
    return ShareList(
        items=[
            ShareLine(
                id=one.id,
                customer_id=one.customer_id,
                customer=one.customer.name,
                person=names.maybe(one.person_id),
                department_id=one.department_id,
                level=one.level,
                until=one.until,
                parts=one.parts,
            )
            for one in shares
        ]
    )
