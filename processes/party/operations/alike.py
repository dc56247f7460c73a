"""Who is there already: customers, contacts and employers that look like the one asked for (查重, row 85).

Each road is an index of its own (ix_party_name_core, ix_party_name_sound, uq_party_credit_code, ix_contact_point_value,
ix_contact_employer_key, the key of party_gram) with a limit, so that it costs the same however many parties there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session, selectinload

from engine import clock
from engine.actor import Actor
from engine.catalog import Hidden
from engine.errors import InvalidForm, Problem
from engine.i18n import Sentence, _
from processes.organization.models import Employee
from processes.party import masking, permissions
from processes.party.models import Contact, ContactPoint, Customer, DuplicateDecision, NameGram, Party
from processes.party.operations.parties import grams
from processes.party.rules import alike as rules

MOST = 20
"""Lines shown; who looks like more than that was asked too little."""
_EACH = 30
_COMMON = 1500
"""A pair of signs in more names than that ("科技") tells nothing apart."""
_RAREST = 4
_REASONABLY_SHARED = 0.4


@dataclass(frozen=True)
class Alike:
    """Somebody who is there already, as the asker may see him."""

    party_id: int | None
    """None: an employer that is only a name"""
    kind: str
    part: str
    """customer | contact | employer | party, or what a package above names"""
    name: str
    owner: str
    """whose customer it is; "" = in the pool, or no customer at all"""
    state: str
    grounds: tuple[str, ...]
    score: int
    verdict: str
    is_visible: bool
    phone: str = ""
    city: str = ""
    record_id: int | None = None
    """of the contact, where it is one; only for whom it concerns"""

    @property
    def reasons(self) -> list[Sentence]:
        return [rules.GROUNDS[one] for one in self.grounds]


Finder = Callable[[Session, rules.Facts], Iterable[int]]
_LOOKS_ALSO: dict[str, Finder] = {}
_VERDICTS: dict[str, str] = dict(rules.USUAL)


def look_also(package: str, finder: Finder) -> None:
    """Declared once by a package above (leads, members): ids of further parties to compare with."""
    _LOOKS_ALSO[package] = finder


def lay_down(verdicts: Mapping[str, str]) -> None:
    """The house's verdicts, from its settings (rules.alike.house_rules)."""
    _VERDICTS.update(verdicts)


def verdicts() -> Mapping[str, str]:
    return _VERDICTS


def find_alike(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    name: str = "",
    credit_code: str = "",
    phones: Collection[str] = (),
    mails: Collection[str] = (),
    exclude: Collection[int] = (),
) -> list[Alike]:
    """The most alike first. What the asker may not see is told by name, owner and state, the rest is masked."""
    for phone in phones:
        permissions.asks_for_number(actor, phone)
    asked = rules.Facts(kind, name, credit_code, frozenset(phones), frozenset(mails))
    found = _candidates(session, asked) - set(exclude)
    parties = session.scalars(
        select(Party).where(Party.id.in_(found), Party.state == "active").options(selectinload(Party.points))
    )
    findings = {
        party: finding for party in parties if (finding := rules.compare(asked, facts_of(party), _VERDICTS)) is not None
    }
    best = sorted(findings, key=lambda one: (-findings[one].score, one.id))[:MOST]
    lines = _told(session, actor, {party: findings[party] for party in best}, asked)
    return [*lines, *_employers(session, asked)]


def facts_of(party: Party) -> rules.Facts:
    reached: dict[str, set[str]] = {"phone": set(), "mail": set()}
    for one in party.points:
        reached.setdefault(one.kind, set()).add(one.value)
    return rules.Facts(
        party.kind, party.name, party.credit_code or "", frozenset(reached["phone"]), frozenset(reached["mail"])
    )


# ------------------------------------------------------------------------------------------------- what asks first


def settle(hits: Iterable[Alike], reason: str | None) -> list[Alike]:
    """Refuse what is there already, ask a reason for what looks like it; returns those the reason speaks of."""
    doubted = [one for one in hits if one.verdict == "warn"]
    problems = [_refusal(one) for one in hits if one.verdict == "block"]
    if problems:
        raise InvalidForm(problems)
    if doubted and not (reason or "").strip():
        raise InvalidForm([_question(one) for one in doubted[:3]])
    if doubted:
        rules.check_reason(reason or "")
    return doubted


def ask_first(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    values: Mapping[str, Any],
    reason: str | None,
    exclude: Collection[int] = (),
) -> list[Alike]:
    """Look before somebody is kept with these values (name, credit_code, phone, email), one asker at a time."""
    facts = rules.Facts(kind, str(values.get("name") or ""))
    phone, mail = values.get("phone") or "", values.get("email") or ""
    one_at_a_time(session, facts.sound if kind == "organization" else "", phone, mail)
    hits = find_alike(
        session,
        actor,
        kind=kind,
        name=facts.name,
        credit_code=str(values.get("credit_code") or ""),
        phones=[phone] if phone else [],
        mails=[mail] if mail else [],
        exclude=exclude,
    )
    return settle(hits, reason)


def keep_decisions(session: Session, actor: Actor, party_id: int, doubted: Iterable[Alike], reason: str) -> None:
    for one in doubted:
        if one.party_id is None:
            continue
        session.add(
            DuplicateDecision(
                party_id=party_id,
                other_id=one.party_id,
                grounds=",".join(one.grounds)[:60],
                reason=reason.strip()[:300],
                at=clock.now(),
                actor_id=actor.person_id,
            )
        )
    session.flush()


def one_at_a_time(session: Session, *signs: str) -> None:
    """Two who enter the same customer at once must each see the other: whoever has the same sign waits.

    The unique indexes hold for one name written in different ways; this is for names that only sound or end alike.
    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    for sign in sorted({one for one in signs if one}):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"yunliu.party.{sign}"))))


def _refusal(one: Alike) -> Problem:
    where = "credit_code" if "credit_code" in one.grounds else "name"
    if one.owner:
        said = _("{name} is there already; it is {owner}'s.", name=one.name, owner=one.owner)
    elif one.part == "customer":
        said = _("{name} is there already; it lies in the pool.", name=one.name)
    else:
        said = _("{name} is there already.", name=one.name)
    return Problem(where, said, _remedy(one))


def _remedy(one: Alike) -> Sentence:
    """What the asker can do: nobody opens what is hidden from him."""
    if one.is_visible:
        return _("Open that one, or tell the two apart by the name.")
    if one.owner:
        return _("Ask {owner} or your superior, or tell the two apart by the name.", owner=one.owner)
    return _("Ask your superior, or tell the two apart by the name.")


def _question(one: Alike) -> Problem:
    why = one.reasons[0]
    said = (
        _("This looks like {name} of {owner}: {why}.", name=one.name, owner=one.owner, why=why)
        if one.owner
        else _("This looks like {name}: {why}.", name=one.name, why=why)
    )
    return Problem("duplicate_reason", said, _("If it is another one, say why."))


# ------------------------------------------------------------------------------------------------- candidates


def _candidates(session: Session, asked: rules.Facts) -> set[int]:
    roads: list[Select[Any]] = []
    if asked.core:
        same = Party.kind == asked.kind
        roads.append(select(Party.id).where(Party.name_core == asked.core, same, Party.state == "active").limit(_EACH))
        if asked.kind == "organization":
            roads.append(
                select(Party.id).where(Party.name_sound == asked.sound, same, Party.state == "active").limit(_EACH)
            )
    if asked.credit_code:
        roads.append(select(Party.id).where(Party.credit_code == asked.credit_code, Party.state == "active").limit(1))
    reached = [*(("phone", one) for one in asked.phones), *(("mail", one) for one in asked.mails)]
    if reached:
        roads.append(
            select(ContactPoint.party_id)
            .where(tuple_(ContactPoint.kind, ContactPoint.value).in_(reached))
            .limit(_EACH * len(reached))
        )
    found = set[int]()
    if roads:
        parts = [road.subquery() for road in roads]
        found |= set(session.scalars(union_all(*(select(part.c[0]) for part in parts))))
    if asked.kind == "organization":
        found |= _nearly(session, asked.core)
    for finder in _LOOKS_ALSO.values():
        found |= set(finder(session, asked))
    return found


def _nearly(session: Session, core: str) -> set[int]:
    """Those that share the rare ones of the name's pairs of signs, the most shared first."""
    wanted = sorted(grams(core))
    if not wanted:
        return set()
    counts = union_all(
        *(
            select(literal(one).label("gram"), func.count().label("n")).select_from(
                select(NameGram.party_id).where(NameGram.gram == one).limit(_COMMON).subquery()
            )
            for one in wanted
        )
    )
    known = {row.gram: row.n for row in session.execute(counts) if row.n}
    rare = [gram for gram in sorted(known, key=lambda one: known[one]) if known[gram] < _COMMON][:_RAREST]
    if not rare:
        return set()
    shared = func.count()
    statement = (
        select(NameGram.party_id)
        .where(NameGram.gram.in_(rare))
        .group_by(NameGram.party_id)
        .having(shared >= max(1, round(len(rare) * _REASONABLY_SHARED)))
        .order_by(shared.desc(), NameGram.party_id)
        .limit(_EACH)
    )
    return set(session.scalars(statement))


# ------------------------------------------------------------------------------------------------- as they are told


def _told(session: Session, actor: Actor, findings: Mapping[Party, rules.Finding], asked: rules.Facts) -> list[Alike]:
    ids = [party.id for party in findings]
    if not ids:
        return []
    customers = {
        one.id: one
        for one in session.scalars(select(Customer).where(Customer.id.in_(ids)).options(selectinload(Customer.owner)))
    }
    contacts: dict[int, Contact] = {}
    for contact in session.scalars(select(Contact).where(Contact.person_id.in_(ids)).order_by(Contact.id)):
        contacts.setdefault(contact.person_id, contact)
    seen = set(session.scalars(select(Customer.id).where(Customer.id.in_(ids), permissions.visible_customers(actor))))
    if contacts:
        wanted = select(Contact.person_id).where(Contact.person_id.in_(ids), permissions.visible_contacts(actor))
        seen |= set(session.scalars(wanted))
    employers = {one.organization_id for one in contacts.values() if one.organization_id}
    whose = (
        select(Customer.id, Employee.name)
        .join(Employee, Employee.id == Customer.owner_id)
        .where(Customer.id.in_(employers))
    )
    owners = {row.id: row.name for row in session.execute(whose)}
    of_customers = masking.of_customers(session, actor, list(customers.values()))
    of_contacts = masking.of_contacts(session, actor, list(contacts.values()))

    def number_of(party: Party) -> str:
        """As the actor sees it where he sees the record; of all others the last digits, unless a rule hides them."""
        number, customer, contact = party.first("phone") or "", customers.get(party.id), contacts.get(party.id)
        seen_as = number
        if customer is not None:
            seen_as = of_customers(customer, "phone", number)
        elif contact is not None:
            seen_as = of_contacts(contact, "phone", number)
        if party.id in seen or isinstance(seen_as, Hidden):
            return seen_as
        return f"****{number[-4:]}" if number else ""

    return [
        _line(
            party,
            finding,
            customers.get(party.id),
            contacts.get(party.id),
            owners,
            party.id in seen,
            asked,
            number_of(party),
        )
        for party, finding in findings.items()
    ]


def _line(
    party: Party,
    finding: rules.Finding,
    customer: Customer | None,
    contact: Contact | None,
    owners: Mapping[int, str],
    is_visible: bool,
    asked: rules.Facts,
    number: str,
) -> Alike:
    hidden = party.kind == "person" and not is_visible and party.name_key != asked.key
    owner = ""
    if customer is not None and customer.owner is not None:
        owner = customer.owner.name
    elif contact is not None and contact.organization_id:
        owner = owners.get(contact.organization_id, "")
    return Alike(
        party_id=party.id,
        kind=party.kind,
        part="customer" if customer is not None else "contact" if contact is not None else "party",
        name=rules.masked_name(party.name) if hidden else party.name,
        owner=owner,
        state=customer.state if customer is not None else contact.state if contact is not None else party.state,
        grounds=finding.grounds,
        score=finding.score,
        verdict=finding.verdict,
        is_visible=is_visible,
        phone=number,
        city=customer.city if customer is not None and is_visible else "",
        record_id=contact.id if contact is not None and is_visible else None,
    )


def _employers(session: Session, asked: rules.Facts) -> list[Alike]:
    """Firms that contacts work at and that are none of ours yet: free text, one line each."""
    if asked.kind != "organization" or not asked.key:
        return []
    statement = (
        select(Contact.employer, func.count(), func.max(Contact.id))
        .where(Contact.employer_key == asked.key, Contact.organization_id.is_(None), Contact.state == "active")
        .group_by(Contact.employer)
        .limit(3)
    )
    rows = session.execute(statement).all()
    return [
        Alike(
            party_id=None,
            kind="organization",
            part="employer",
            name=employer,
            owner="",
            state=str(count),
            grounds=("employer",),
            score=80,
            verdict=_VERDICTS["employer"],
            is_visible=False,
        )
        for employer, count, _newest in rows
    ]
