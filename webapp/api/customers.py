"""Customers and contacts: listed, found, made, changed and closed, with the masks of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from engine.catalog import Hidden, Look, Masked, Register
from engine.errors import AppError, NotFound, Problem
from engine.i18n import _
from processes.party import masking, operations, permissions
from processes.party.manifest import CONTACTS, CUSTOMERS
from processes.party.models import Contact, Customer, Party
from webapp.api.answers import Names, Person
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "customers"

Kind = Literal["organization", "person"]
State = Literal["open", "locked", "closed"]
Level = Literal["A", "B", "C", "D"]
Stage = Literal["prospect", "contacted", "interested", "dealt", "lost"]
Role = Literal["decides", "influences", "uses", "pays", "technical", "other"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Short = Annotated[str, msgspec.Meta(max_length=60)]
Phone = Annotated[str, msgspec.Meta(max_length=40, description="As people write it; kept as E.164.")]
Mail = Annotated[str, msgspec.Meta(max_length=254)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class CustomersQuery(ListQuery):
    view: Literal["", "mine", "team", "pool", "due"] = ""
    """mine: those you hold | team: those of the people below you | pool | due: yours that are to be contacted today"""
    state: State | None = None
    level: Level | None = None
    stage: Stage | None = None
    industry: Annotated[str, msgspec.Meta(max_length=20)] = ""
    region: Annotated[str, msgspec.Meta(max_length=2)] = ""
    owner_id: Id | None = None
    contacts_made_from: Count | None = None
    """spoken to at least that often"""
    contacts_made_to: Count | None = None
    """spoken to at most that often; 0 = never"""
    people_from: Count | None = None
    """at least that many contact persons who work there still"""
    people_to: Count | None = None


class ContactsQuery(ListQuery):
    view: Literal["", "key_people", "never", "birthdays"] = ""
    """key_people: who decides or influences and was not spoken to for 30 days | never: nobody has spoken to them |
    birthdays: in the next 30 days
    """
    customer_id: Id | None = None
    role: Role | None = None
    state: Literal["active", "left"] | None = None


class CustomerLine(Answer):
    """A customer. What the caller may not see whole is masked (138****1234), and `masked` names it; what a rule keeps
    from him altogether is empty, and `hidden` names it.
    """

    id: int
    version: int
    kind: str
    name: str
    state: str
    """open (in the pool) | locked (has an owner) | closed"""
    level: str
    stage: str
    industry: str
    region: str
    city: str
    source: str
    owner: Person | None
    phone: str | None
    email: str | None
    wechat: str | None
    credit_code: str | None
    address: str
    website: str
    note: str
    birthday: date | None
    last_contact_at: datetime | None
    contacts_made: int
    """how often it was spoken to"""
    next_contact_on: date | None
    created_at: datetime
    changed_at: datetime
    masked: list[str]
    hidden: list[str]


class ContactLine(Answer):
    """A person at an organisation, masked like its customer."""

    id: int
    version: int
    name: str
    customer_id: int | None
    employer: str
    title: str
    role: str
    is_main: bool
    state: str
    """active | left"""
    phone: str | None
    email: str | None
    wechat: str | None
    birthday: date | None
    last_contact_at: datetime | None
    next_contact_on: date | None
    masked: list[str]
    hidden: list[str]


class Seen(Body):
    version: Version


class Merged(AppError):
    """The customer has become part of another one."""

    status = 308
    code = "merged"

    def __init__(self, survivor: Customer) -> None:
        now = _("This is now the customer {id}, {name}.", id=survivor.id, name=survivor.name)
        super().__init__(now, problems=(Problem("customer_id", now, rule="merged"),))
        self.location = f"{PREFIX}/customers/{survivor.id}"


class CustomerFields(Body):
    level: Level | msgspec.UnsetType = msgspec.UNSET
    stage: Stage | msgspec.UnsetType = msgspec.UNSET
    industry: Annotated[str, msgspec.Meta(max_length=20)] | msgspec.UnsetType = msgspec.UNSET
    region: Annotated[str, msgspec.Meta(max_length=2)] | msgspec.UnsetType = msgspec.UNSET
    city: Annotated[str, msgspec.Meta(max_length=40)] | msgspec.UnsetType = msgspec.UNSET
    source: Annotated[str, msgspec.Meta(max_length=20)] | msgspec.UnsetType = msgspec.UNSET
    phone: Phone | msgspec.UnsetType | None = msgspec.UNSET
    email: Mail | msgspec.UnsetType | None = msgspec.UNSET
    wechat: Short | msgspec.UnsetType | None = msgspec.UNSET
    credit_code: Annotated[str, msgspec.Meta(max_length=18)] | msgspec.UnsetType | None = msgspec.UNSET
    address: Annotated[str, msgspec.Meta(max_length=300)] | msgspec.UnsetType = msgspec.UNSET
    website: Annotated[str, msgspec.Meta(max_length=200)] | msgspec.UnsetType = msgspec.UNSET
    note: Annotated[str, msgspec.Meta(max_length=5000)] | msgspec.UnsetType = msgspec.UNSET
    birthday: date | msgspec.UnsetType | None = msgspec.UNSET


class NewCustomer(CustomerFields, kw_only=True):
    name: Name
    kind: Kind = "organization"


class CustomerChange(CustomerFields, kw_only=True):
    """What is left out stays as it is; null empties it."""

    version: Version
    name: Name | msgspec.UnsetType = msgspec.UNSET


class ContactFields(Body):
    title: Short | msgspec.UnsetType = msgspec.UNSET
    role: Role | msgspec.UnsetType = msgspec.UNSET
    is_main: bool | msgspec.UnsetType = msgspec.UNSET
    phone: Phone | msgspec.UnsetType | None = msgspec.UNSET
    email: Mail | msgspec.UnsetType | None = msgspec.UNSET
    wechat: Short | msgspec.UnsetType | None = msgspec.UNSET
    birthday: date | msgspec.UnsetType | None = msgspec.UNSET


class NewContact(ContactFields, kw_only=True):
    name: Name
    customer_id: Id | msgspec.UnsetType = msgspec.UNSET
    """the organisation, when it is a customer"""
    employer: Annotated[str, msgspec.Meta(max_length=200)] | msgspec.UnsetType = msgspec.UNSET
    """its name, when it is none"""


class ContactChange(ContactFields, kw_only=True):
    """What is left out stays as it is; null empties it."""

    version: Version
    name: Name | msgspec.UnsetType = msgspec.UNSET
    employer: Annotated[str, msgspec.Meta(max_length=200)] | msgspec.UnsetType = msgspec.UNSET


CUSTOMER_ORDERS = {
    "id": Customer.id,
    "name": Customer.name,
    "created_at": Customer.created_at,
    "last_contact_at": Customer.last_contact_at,
    "contacts_made": Customer.contacts_made,
    "next_contact_on": Customer.next_contact_on,
}
CONTACT_ORDERS = {"id": Contact.id, "name": Contact.name}


@endpoint("GET", "/customers", tag=TAG)
def list_customers(call: Call, query: CustomersQuery) -> Page[CustomerLine]:
    """The customers you may see. `q` takes two characters of a name, pinyin, its initials, the last digits of a number;
    `order` takes id, name, created_at, last_contact_at, contacts_made and next_contact_on.
    """
    call.demand(permissions.USE)
    asked = (
        (Customer.state, query.state),
        (Customer.level, query.level),
        (Customer.stage, query.stage),
        (Customer.industry, query.industry or None),
        (Customer.region, query.region or None),
        (Customer.owner_id, query.owner_id),
    )
    bounds = (
        (Customer.contacts_made, query.contacts_made_from, query.contacts_made_to),
        (Customer.people_known, query.people_from, query.people_to),
    )
    wanted = _asked(call, CUSTOMERS, select(Customer), query, query.view, asked).options(
        selectinload(Customer.party).selectinload(Party.points)
    )
    for counted, least, most in bounds:
        wanted = wanted.where(counted >= least) if least is not None else wanted
        wanted = wanted.where(counted <= most) if most is not None else wanted
    total = total_of(call.session, query, wanted, Customer.id)
    ordered = wanted.order_by(*ordering(query, CUSTOMER_ORDERS, "-id", Customer.id))
    found = [row.Customer for row in rows(call.session, query, ordered)]
    lines = _customers(call, found)
    return page_of(query, found, total, lambda one: lines[one.id])


@endpoint("GET", "/customers/{customer_id}", tag=TAG, refusals=(308,))
def get_customer(call: Call, customer_id: Id) -> CustomerLine:
    """One customer. Of one that was merged into another: 308, with the address of that one in `Location`."""
    call.demand(permissions.USE)
    survivor = permissions.survivor_of(call.session, call.actor, customer_id)
    if survivor is not None:
        raise Merged(survivor)
    return _customer(call, permissions.readable(call.session, call.actor, customer_id))


@endpoint("POST", "/customers", tag=TAG, status=201, refusals=(422,))
def create_customer(call: Call, body: NewCustomer) -> CustomerLine:
    """Enter a customer. An organisation of the same name, or with the same credit code, is refused."""
    call.demand(permissions.MANAGE)
    made = operations.create_customer(call.session, call.actor, values=_given(body))
    call.headers["Location"] = f"{PREFIX}/customers/{made.id}"
    return _customer(call, made)


@endpoint("PATCH", "/customers/{customer_id}", tag=TAG, refusals=(409, 422))
def change_customer(call: Call, customer_id: Id, body: CustomerChange) -> CustomerLine:
    """Change what you may work on."""
    call.demand(permissions.MANAGE)
    changed = operations.change_customer(
        call.session, call.actor, record_id=customer_id, version=body.version, values=_given(body)
    )
    return _customer(call, changed)


@endpoint("POST", "/customers/{customer_id}/actions/close", tag=TAG, refusals=(409,))
def close_customer(call: Call, customer_id: Id, body: Seen) -> CustomerLine:
    """No longer served: out of the pool, the queues and its owner's hands. Its history stays."""
    call.demand(permissions.MANAGE)
    operations.close_customer(call.session, call.actor, record_id=customer_id, version=body.version)
    return _customer(call, permissions.readable(call.session, call.actor, customer_id))


@endpoint("GET", "/contacts", tag=TAG)
def list_contacts(call: Call, query: ContactsQuery) -> Page[ContactLine]:
    """The contacts you may see. `q` finds them by their name or where they work; `order` takes id and name."""
    call.demand(permissions.USE)
    asked = (
        (Contact.organization_id, query.customer_id),
        (Contact.role, query.role),
        (Contact.state, query.state),
    )
    wanted = _asked(call, CONTACTS, select(Contact), query, query.view, asked).options(
        selectinload(Contact.person).selectinload(Party.points)
    )
    total = total_of(call.session, query, wanted, Contact.id)
    ordered = wanted.order_by(*ordering(query, CONTACT_ORDERS, "-id", Contact.id))
    found = [row.Contact for row in rows(call.session, query, ordered)]
    lines = _contacts(call, found)
    return page_of(query, found, total, lambda one: lines[one.id])


@endpoint("GET", "/contacts/{contact_id}", tag=TAG)
def get_contact(call: Call, contact_id: Id) -> ContactLine:
    """One contact."""
    call.demand(permissions.USE)
    return _contact(call, _readable_contact(call, contact_id))


@endpoint("POST", "/contacts", tag=TAG, status=201, refusals=(422,))
def create_contact(call: Call, body: NewContact) -> ContactLine:
    """Enter somebody one speaks with."""
    call.demand(permissions.MANAGE)
    values = _given(body)
    if "customer_id" in values:
        values["customer"] = values.pop("customer_id")
    made = operations.create_contact(call.session, call.actor, values=values)
    call.headers["Location"] = f"{PREFIX}/contacts/{made.id}"
    return _contact(call, made)


@endpoint("PATCH", "/contacts/{contact_id}", tag=TAG, refusals=(409, 422))
def change_contact(call: Call, contact_id: Id, body: ContactChange) -> ContactLine:
    """Change a contact of a customer you may work on."""
    call.demand(permissions.MANAGE)
    _readable_contact(call, contact_id)
    changed = operations.change_contact(
        call.session, call.actor, record_id=contact_id, version=body.version, values=_given(body)
    )
    return _contact(call, changed)


@endpoint("POST", "/contacts/{contact_id}/actions/leave", tag=TAG, refusals=(409,))
def leave(call: Call, contact_id: Id, body: Seen) -> ContactLine:
    """The person works there no longer; what was said stays."""
    call.demand(permissions.MANAGE)
    _readable_contact(call, contact_id)
    operations.mark_left(call.session, call.actor, record_id=contact_id, version=body.version)
    return _contact(call, _readable_contact(call, contact_id))


def _asked(
    call: Call,
    register: Register,
    wanted: Select[Any],
    query: ListQuery,
    view: str,
    asked: tuple[tuple[Any, Any], ...],
) -> Select[Any]:
    """The register's own scope, views and search: the interface has no second opinion on them."""
    wanted = wanted.where(
        register.scope(call.actor), *(column == value for column, value in asked if value is not None)
    )
    wanted = wanted.where(*(one.where(call.actor) for one in register.views if one.name == view))
    return wanted.where(register.finds(call.session, call.actor, query.q)) if query.q and register.finds else wanted


def _given(body: Body) -> dict[str, Any]:
    """What was sent, and nothing else; the version is the caller's, not the record's."""
    named = {name: getattr(body, name) for name in body.__struct_fields__ if name != "version"}
    return {name: value for name, value in named.items() if value is not msgspec.UNSET}


def _readable_contact(call: Call, contact_id: int) -> Contact:
    wanted = select(Contact).where(Contact.id == contact_id, permissions.visible_contacts(call.actor))
    found = call.session.scalars(wanted).first()
    if found is None:
        raise NotFound
    return found


def _seen(look: Look, record: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Values as this caller sees them, and the names of those that are masked or hidden."""
    shown = {name: look(record, name, getattr(record, name)) for name in names}
    hidden = [name for name in names if isinstance(shown[name], Hidden)]
    masked = [name for name in names if isinstance(shown[name], Masked) and name not in hidden]
    empty = {name: "" if name == "address" else None for name in hidden}
    return shown | {name: str(shown[name]) for name in masked} | empty | {"masked": masked, "hidden": hidden}


def _customer(call: Call, customer: Customer) -> CustomerLine:
    return _customers(call, [customer])[customer.id]


def _customers(call: Call, found: list[Customer]) -> Mapping[int, CustomerLine]:
    look = masking.of_customers(call.session, call.actor, found)
    names = Names(call.session, (one.owner_id for one in found))
    sensitive = ("phone", "email", "wechat", "credit_code", "address")
    plain = (
        *("id", "version", "kind", "name", "state", "level", "stage", "industry", "region", "city", "source"),
        *("website", "note", "birthday", "last_contact_at", "contacts_made", "next_contact_on"),
        *("created_at", "changed_at"),
    )
    lines = {}
    for one in found:
        shown = _seen(look, one, sensitive)
        values = {name: getattr(one, name) for name in plain}
        lines[one.id] = CustomerLine(owner=names.maybe(one.owner_id), **values, **shown)
    return lines


def _contact(call: Call, contact: Contact) -> ContactLine:
    return _contacts(call, [contact])[contact.id]


def _contacts(call: Call, found: list[Contact]) -> Mapping[int, ContactLine]:
    look = masking.of_contacts(call.session, call.actor, found)
    at = _customers_at(call.session, found)
    plain = (
        *("id", "version", "name", "employer", "title", "role", "is_main", "state"),
        *("birthday", "last_contact_at", "next_contact_on"),
    )
    lines = {}
    for one in found:
        shown = _seen(look, one, ("phone", "email", "wechat"))
        values = {name: getattr(one, name) for name in plain}
        where = one.organization_id if one.organization_id in at else None
        lines[one.id] = ContactLine(customer_id=where, **values, **shown)
    return lines


def _customers_at(session: Session, found: list[Contact]) -> set[int]:
    ids = {one.organization_id for one in found if one.organization_id is not None}
    return set(session.scalars(select(Customer.id).where(Customer.id.in_(ids)))) if ids else set()
