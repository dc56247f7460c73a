"""A party itself: its name as it is compared, and the ways to reach it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import phone_number
from processes.kernel.entry import Entry
from processes.party import rules
from processes.party.models import Competitor, Contact, ContactPoint, Customer, NameGram, Party
from processes.party.operations.finding import keep_found

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")

POINTS = {"phone": "phone", "email": "mail", "wechat": "wechat"}
"""field of a form -> kind of a way to reach somebody"""


def read_mail(value: Any) -> str:
    if not isinstance(value, str) or not _MAIL.fullmatch(value.strip()):
        raise RuleViolation(_("{text} is not a mail address.", text=str(value)))
    return value.strip().casefold()


def read_points(entry: Entry) -> None:
    """Fields phone, email and wechat."""
    entry.parsed("phone", lambda value: phone_number.parse(str(value)))
    entry.parsed("email", read_mail)
    entry.text("wechat", longest=60)


def make_party(session: Session, actor: Actor, *, kind: str, name: str, **more: Any) -> Party:
    party = Party(kind=kind, created_by=actor.person_id, changed_by=actor.person_id, **more)
    _call(party, name)
    session.add(party)
    session.flush()
    keep_grams(session, party)
    keep_found(session, party)
    return party


def rename(session: Session, party: Party, name: str) -> None:
    """The one place a party's name changes: its parts that show it, and what it is found by, change with it."""
    if party.name == name:
        return
    _call(party, name)
    for part in (
        *_of(session, Customer, Customer.id, party),
        *_of(session, Contact, Contact.person_id, party),
        *_of(session, Competitor, Competitor.id, party),
    ):
        part.name = name
    for contact in _of(session, Contact, Contact.organization_id, party):
        contact.employer, contact.employer_key = name, party.name_key
    session.flush()
    keep_grams(session, party)
    keep_found(session, party)


def set_points(session: Session, party: Party, given: Mapping[str, Any]) -> None:
    """The first phone, mail and WeChat number; further ones stay. An empty value takes the first one away."""
    for field, kind in POINTS.items():
        if field not in given:
            continue
        first = next((one for one in party.points if one.kind == kind), None)
        value = given[field]
        if first is not None and not value:
            party.points.remove(first)
            session.delete(first)
        elif first is not None:
            first.value = value
        elif value:
            party.points.append(ContactPoint(kind=kind, value=value))
    session.flush()
    if POINTS.keys() & given.keys():
        keep_found(session, party)


def grams(core: str) -> Iterable[str]:
    """Pairs of neighbouring signs; a single sign by itself."""
    return {core[at : at + 2] for at in range(max(len(core) - 1, 1))} if core else ()


def _of(session: Session, model: Any, column: Any, party: Party) -> Iterable[Any]:
    return session.scalars(select(model).where(column == party.id))


def key_of(name: str) -> str:
    key = rules.name_key(name)
    if not key:
        raise RuleViolation(_("A name has at least one letter or digit."))
    return key


def _call(party: Party, name: str) -> None:
    key = key_of(name)
    party.name, party.name_key = name, key
    party.name_core = rules.name_core(name) if party.kind == "organization" else key
    party.name_sound = rules.sound(party.name_core)


def keep_grams(session: Session, party: Party) -> None:
    """What a party is found by when its name is only nearly known."""
    session.execute(delete(NameGram).where(NameGram.party_id == party.id))
    session.add_all(NameGram(gram=gram, party_id=party.id) for gram in grams(party.name_core))
    session.flush()
