"""Who may see and change customers and contacts; the packages above add their reasons here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    extract,
    false,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from engine import clock
from engine.actor import Actor
from engine.errors import Forbidden, NotFound, RuleViolation
from engine.forms import reference
from engine.i18n import Sentence, _
from processes.kernel import phone_number
from processes.kernel.references import ScopedRecords
from processes.kernel.working_time import business_date
from processes.lookup import operations as lookup
from processes.organization.permissions import (
    addressed,
    below,
    granted,
    grants_of,
    of_people_below,
    own,
    within_scope,
)
from processes.organization.rules import SCOPE_LEVELS
from processes.party.models import Competitor, Contact, Customer, FieldRule, Party
from processes.party.rules.sight import FIELDS, NUMBERS

CUSTOMER = "party.customer"
CONTACT = "party.contact"
COMPETITOR = "party.competitor"
FIELD_RULE = "party.field_rule"
"""Record types."""

FOUND_AS = "party"
"""The kind of the words parties are found by; customers and contacts are found as the parties they are."""

MODULE = "customer"
"""The part of the house a scope grant names."""

USE = "party.customer.use"
"""Work with customers at all: one's own, the pool, what is shared."""
READ = "party.customer.read"
MANAGE = "party.customer.manage"
"""Make and change customers."""
MANAGE_ANY = "party.all_customers.manage"
"""Change customers whoever owns them."""

EXPORT = "party.customer.export"
"""Take lists about customers along as files; each is noted."""

READ_WHOLE = "party.sensitive.read"
"""See phones, mails and codes whole, whoever owns the customer."""
MANAGE_FIELD_RULES = "party.field_rule.manage"
"""Decide who sees sensitive fields hidden, masked or whole."""
MERGE_POOL = "party.team.merge"
"""Merge customers nobody owns."""

NEGLECTED_DAYS = SOON_DAYS = 30

PARTS = ("contacts", "records", "opportunities")
"""What hangs on a customer and may be kept back from somebody the customer is shared with."""

Leads = Callable[[Actor, str], "ColumnElement[bool]"]
"""(actor, part) -> the customers one reason opens; part "" = the customer itself, else one of PARTS that hangs on it"""
More = Callable[[Session, Actor, Customer], "Iterable[Sentence]"]


def _no_more(_session: Session, _actor: Actor, _customer: Customer) -> Iterable[Sentence]:
    return ()


@dataclass(frozen=True)
class Road:
    """One reason for which somebody sees customers; `visible_customers` asks all of them, `roads_to` one by one."""

    name: str
    title: Sentence
    leads: Leads
    more: More = _no_more
    """what is worth knowing when the road leads there: which grant, shared by whom and until when"""


_ROADS: dict[str, Road] = {}
_WORKED_ALSO: dict[str, Leads] = {}
_NOTES: dict[str, More] = {}


def seen_by(road: Road) -> None:
    """Declared once for each road, here and by the packages above (shared …)."""
    _ROADS[road.name] = road


def worked_also(package: str, leads: Leads) -> None:
    """Declared once by a package above: further customers somebody may work on."""
    _WORKED_ALSO[package] = leads


def noted(package: str, note: More) -> None:
    """Declared once by a package above: what people take for a reason and is none (watched, took part …)."""
    _NOTES[package] = note


def _grants(session: Session, actor: Actor, customer: Customer) -> Iterable[Sentence]:
    for grant in grants_of(session, actor, MODULE):
        there = select(Customer.id).where(
            Customer.id == customer.id, granted(actor, MODULE, Customer.owner_id.expression, by=grant.id)
        )
        if session.scalar(there) is not None:
            yield _("Data scope of “{whom}”: {level}", whom=str(grant), level=SCOPE_LEVELS[grant.level])


for _road in (
    Road("own", _("Is its owner"), lambda actor, _part: own(actor, Customer.owner_id.expression)),
    Road(
        "below",
        _("Stands above its owner in the line of command"),
        lambda actor, _part: of_people_below(actor, MODULE, Customer.owner_id.expression),
    ),
    Road(
        "granted",
        _("A data scope opens it"),
        lambda actor, _part: granted(actor, MODULE, Customer.owner_id.expression),
        _grants,
    ),
    Road("pool", _("It has no owner: the pool is everybody’s"), lambda _actor, _part: Customer.owner_id.is_(None)),
    Road("all", _("May read every customer"), lambda actor, _part: true() if actor.may(READ) else false()),
):
    seen_by(_road)


def visible_customers(actor: Actor, part: str = "") -> ColumnElement[bool]:
    """Own ones, those within one's scope, the pool's, and what packages above add; with the right, all. Whoever may not
    work with customers at all sees none, on no road.

    part: only those of which the actor sees this part too.
    """
    there = Customer.state != "merged"
    if not actor.may(USE):
        return false()
    if actor.may(READ):
        return there
    return and_(there, or_(*(road.leads(actor, part) for road in _ROADS.values())))


def roads() -> Iterable[Road]:
    return _ROADS.values()


def roads_to(session: Session, actor: Actor, customer: Customer) -> list[Road]:
    """The roads on which this person sees this customer; none = for him it does not exist."""
    here = Customer.id == customer.id, Customer.state != "merged"
    return [
        road
        for road in _ROADS.values()
        if session.scalar(select(Customer.id).where(*here, road.leads(actor, ""))) is not None
    ]


def notes_on(session: Session, actor: Actor, customer: Customer) -> list[Sentence]:
    """What ties this person to the customer without opening it."""
    return [note for source in _NOTES.values() for note in source(session, actor, customer)]


def workable_customers(actor: Actor, part: str = "") -> ColumnElement[bool]:
    """Those one may change: own ones, those of the people below, what is shared for work; with the right, all."""
    if actor.may(MANAGE_ANY):
        return true()
    return or_(within_scope(actor, MODULE, Customer.owner_id), *(leads(actor, part) for leads in _WORKED_ALSO.values()))


_EMPLOYER, _PERSONAL = aliased(Customer), aliased(Customer)


def visible_contacts(actor: Actor) -> ColumnElement[bool]:
    """Those of the customers one may see, and those nobody's customer employs that one has entered oneself."""
    if not actor.may(USE):
        return false()
    if actor.may(READ):
        return true()
    # Asked of each contact. OFFSET 0 keeps PostgreSQL from reading all customers one may see before the first contact.
    seen = select(Customer.id).where(visible_customers(actor, "contacts")).correlate(Contact).offset(0)
    unattached = ~exists(select(_EMPLOYER.id).where(_EMPLOYER.id == Contact.organization_id))
    is_customer = exists(select(_PERSONAL.id).where(_PERSONAL.id == Contact.person_id))
    return or_(
        exists(seen.where(Customer.id == Contact.organization_id)),
        exists(seen.where(Customer.id == Contact.person_id)),
        (Contact.created_by == actor.person_id) & unattached & ~is_customer,
    )


def visible_field_rules(_actor: Actor) -> ColumnElement[bool]:
    """Whoever may open the register sees them all."""
    return true()


def own_customers(actor: Actor) -> ColumnElement[bool]:
    return and_(Customer.owner_id == actor.person_id, Customer.state == "locked")


def customers_below(actor: Actor) -> ColumnElement[bool]:
    return Customer.owner_id.in_(below(actor.person_id))


def customers_in_pool(actor: Actor) -> ColumnElement[bool]:
    """Whoever works with customers at all sees the whole pool."""
    return Customer.state == "open" if actor.may(USE) else false()


def customers_due(actor: Actor) -> ColumnElement[bool]:
    """Own ones whose day has come; ix_customer_owner carries it."""
    return and_(own_customers(actor), Customer.next_contact_on <= business_date(clock.now()))


def key_people_neglected(_actor: Actor) -> ColumnElement[bool]:
    """Who decides or influences, works there still, and was not spoken to for 30 days or ever."""
    since = clock.now() - timedelta(days=NEGLECTED_DAYS)
    long_ago = or_(Contact.last_contact_at < since, Contact.last_contact_at.is_(None))
    return and_(Contact.role.in_(("decides", "influences")), Contact.state == "active", long_ago)


def contacts_never_spoken_to(_actor: Actor) -> ColumnElement[bool]:
    """Who works there still."""
    return and_(Contact.state == "active", Contact.last_contact_at.is_(None))


def birthdays_soon(_actor: Actor) -> ColumnElement[bool]:
    """Of people who work there still, today or in the next 30 days, across the turn of the year."""
    first, last = (business_date(clock.now() + timedelta(days=days)) for days in (0, SOON_DAYS))
    on = extract("month", Party.birthday) * 100 + extract("day", Party.birthday)
    begins, ends = first.month * 100 + first.day, last.month * 100 + last.day
    soon = on.between(begins, ends) if begins <= ends else or_(on >= begins, on <= ends)
    return and_(Contact.state == "active", Contact.person_id.in_(select(Party.id).where(soon)))


def sees_all_whole(actor: Actor) -> bool:
    return actor.may(READ_WHOLE) or actor.may(MANAGE_ANY)


_AT = aliased(Contact)


def _seen_whole(actor: Actor) -> lookup.SeenWhole:
    """Whether the actor sees a party's numbers unmasked: a customer he may work on, or somebody employed there. As soon
    as a rule keeps any number back from him, none: parts of numbers then find what masks show, and no more.
    """
    free = ~_kept_back(actor, FieldRule.sees != "visible")

    def of(party_id: Any) -> ColumnElement[bool]:
        if sees_all_whole(actor):
            return free
        works_at = select(_AT.organization_id).where(_AT.person_id == party_id).correlate_except(_AT)
        concerned: Any = union_all(select(party_id).correlate(party_id.table), works_at)
        mine = select(Customer.id).where(Customer.id.in_(concerned), workable_customers(actor, "contacts")).offset(0)
        return and_(free, exists(mine.correlate_except(Customer)))

    return of


def _kept_back(actor: Actor, how: ColumnElement[bool], among: Collection[str] = NUMBERS) -> ColumnElement[bool]:
    """A rule of this kind speaks to the actor about one of these fields, usually numbers; which of several holds
    (rules.sight) is not asked here: the search rather finds too little.
    """
    if actor.person_id == 0:
        return false()
    narrowing = FieldRule.narrows if sees_all_whole(actor) else true()
    return exists(select(FieldRule.id).where(addressed(actor, FieldRule), FieldRule.field.in_(among), how, narrowing))


def is_kept_back(session: Session, actor: Actor) -> bool:
    """A rule keeps something of a sensitive field from this person."""
    return bool(session.scalar(select(_kept_back(actor, FieldRule.sees != "visible", tuple(FIELDS)))))


Guess = Callable[[Actor, str], None]
_GUESSES: list[Guess] = []


def guesses_counted_by(count: Guess) -> None:
    """Declared by whoever counts the numbers (E.164) a person asks for; raises when he tries out one after another."""
    _GUESSES[:] = [count]


def asks_for_number(actor: Actor, number: str) -> None:
    """Told on every road on which a whole number finds somebody whose number the asker sees masked: there are only ten
    thousand of 138****1234.
    """
    for count in _GUESSES:
        count(actor, number)


def _found(actor: Actor, text: str) -> lookup.Found:
    if number := number_in(text):
        asks_for_number(actor, number)
    hidden = _kept_back(actor, FieldRule.sees == "hidden")
    return lookup.found(FOUND_AS, text, seen_whole=_seen_whole(actor), unless=hidden)


def _meets(actor: Actor, text: str, party_id: Any) -> ColumnElement[bool]:
    hidden = _kept_back(actor, FieldRule.sees == "hidden")
    return lookup.meets(FOUND_AS, text, party_id, seen_whole=_seen_whole(actor), unless=hidden)


def number_in(text: str) -> str:
    """The telephone number a text is; "" for all others."""
    try:
        return phone_number.parse(text)
    except RuleViolation:
        return ""


def found_customers(session: Session, actor: Actor, text: str) -> ColumnElement[bool]:
    """By two characters of the name, pinyin, initials, the last digits of a number; the scope stands beside it.

    How is decided by how many there are, for each way takes a hundred times as long where another is right. A few are
    looked up and named, then narrowed to what the actor sees. More are a set that customers are held against, in the
    order they are shown in, until a page is full. Of words that very many have ("s") no set is made: each customer that
    is met is asked whether he has them, and soon a page is full.
    """
    found = _found(actor, text)
    ids = lookup.few(session, found)
    if ids is not None:
        return Customer.id.in_(ids)
    if lookup.is_frequent(session, FOUND_AS, text):
        return _meets(actor, text, Customer.id.expression)
    return Customer.id.in_(found)


_HIMSELF, _THERE = aliased(Contact), aliased(Contact)


def found_contacts(session: Session, actor: Actor, text: str) -> ColumnElement[bool]:
    """By the person, or by where he works; in the same three ways."""
    found = _found(actor, text)
    ids = lookup.few(session, found)
    if ids is not None:
        himself = select(_HIMSELF.id).where(_HIMSELF.person_id.in_(ids))
        return Contact.id.in_(union(himself, select(_THERE.id).where(_THERE.organization_id.in_(ids))))
    if lookup.is_frequent(session, FOUND_AS, text):
        person_id, organization_id = Contact.person_id.expression, Contact.organization_id.expression
        return or_(_meets(actor, text, person_id), _meets(actor, text, organization_id))
    these = select(found.cte().c.record_id)
    return or_(Contact.person_id.in_(these), Contact.organization_id.in_(these))


def among_visible(session: Session, actor: Actor, ids: Collection[int]) -> set[int]:
    """Those of these customers the actor sees."""
    return set(session.scalars(select(Customer.id).where(Customer.id.in_(ids), visible_customers(actor))))


def readable(session: Session, actor: Actor, customer_id: int) -> Customer:
    """Raises NotFound for what does not exist and for what the actor may not see alike."""
    found = session.scalars(select(Customer).where(Customer.id == customer_id, visible_customers(actor))).first()
    if found is None:
        raise NotFound
    return found


def may_name(session: Session, actor: Actor, party_id: Any) -> bool:
    """Whether histories may name this party to the actor: a customer he sees, or one that is part of another now."""
    if not isinstance(party_id, int):
        return False
    told = or_(visible_customers(actor), Customer.state == "merged") if actor.may(USE) else false()
    return session.scalar(select(Customer.id).where(Customer.id == party_id, told)) is not None


def may_see(session: Session, actor: Actor, customer_id: int, part: str) -> bool:
    """Whether the actor sees this part of a customer."""
    there = select(Customer.id).where(Customer.id == customer_id, visible_customers(actor, part))
    return session.scalar(there) is not None


def may_work(session: Session, actor: Actor, customer_id: int, part: str = "") -> bool:
    """Whether the actor may change this customer, or the part of it that hangs on it."""
    mine = select(Customer.id).where(Customer.id == customer_id, workable_customers(actor, part))
    return session.scalar(mine) is not None


def demand_work(session: Session, actor: Actor, customer_id: int, part: str = "") -> None:
    """Raise NotFound or Forbidden unless the actor may change this customer, or the part that hangs on it."""
    customer = readable(session, actor, customer_id)
    if not may_work(session, actor, customer_id, part):
        message, remedy = not_yours(customer.name)
        raise Forbidden(message, remedy=remedy)


def not_yours(name: str) -> tuple[Sentence, Sentence]:
    """What whoever sees a customer, or somebody there, is told when it is not his to work on, and what helps."""
    return _("{customer} is not yours to work on.", customer=name), _(
        "Apply for the lock, or ask its owner to share it."
    )


def visible_competitors(_actor: Actor) -> ColumnElement[bool]:
    """Whom the company stands against is no secret in it."""
    return Competitor.state == "active"


reference(COMPETITOR, ScopedRecords(Competitor.id, Competitor.name, visible_competitors))
reference(CUSTOMER, ScopedRecords(Customer.id, Customer.name, visible_customers))
reference(CONTACT, ScopedRecords(Contact.id, Contact.name, visible_contacts, also=(Contact.title,)))


def decides_between(session: Session, actor: Actor, one: Customer, other: Customer) -> bool:
    """Whether the actor may choose an owner of two: the superior of both, never one of them."""
    if actor.may(MANAGE_ANY):
        return True
    both = select(Customer.id).where(
        Customer.id.in_((one.id, other.id)), within_scope(actor, MODULE, Customer.owner_id)
    )
    return actor.person_id not in {one.owner_id, other.owner_id} and len(session.scalars(both).all()) == 2


def party_of(session: Session, party_id: int) -> Party:
    """The party, or the one it was merged into."""
    party = session.get_one(Party, party_id)
    while party.merged_into_id is not None:
        party = session.get_one(Party, party.merged_into_id)
    return party


def survivor_of(session: Session, actor: Actor, customer_id: int) -> Customer | None:
    """The customer that this one was merged into, where the actor may see it; None for one that stands by itself."""
    party = session.get(Party, customer_id)
    if party is None or party.merged_into_id is None:
        return None
    try:
        return readable(session, actor, party_of(session, customer_id).id)
    except NotFound:
        return None
