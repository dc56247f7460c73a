"""The words a party is found by: its name, its numbers, and the employer of whom no customer employs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from processes.lookup import operations as lookup, rules as words
from processes.lookup.operations import Described
from processes.party.models import Contact, Party
from processes.party.permissions import FOUND_AS


def keep_found(session: Session, *parties: Party) -> None:
    """After a change of name, numbers, code or employer; in the same transaction."""
    lookup.keep(session, FOUND_AS, _described(session, parties))


def _described(session: Session, parties: Sequence[Party]) -> list[Described]:
    ids = [one.id for one in parties]
    told = select(Contact.person_id, Contact.employer).where(
        Contact.person_id.in_(ids), Contact.organization_id.is_(None), Contact.state == "active"
    )
    employers: dict[int, set[str]] = {}
    for person, employer in session.execute(told):
        employers.setdefault(person, set()).update(words.tokens_of_name(employer))
    return [
        (one.id, words.tokens_of_name(one.name) | employers.get(one.id, set()), set(_numbers(one)))
        if one.state != "merged"
        else (one.id, set[str](), set[str]())
        for one in parties
    ]


def _numbers(party: Party) -> Iterable[str]:
    for point in party.points:
        if point.kind == "phone":
            yield from words.tokens_of_number(point.value)
        else:
            yield point.value.casefold()[: words.LONGEST]
    if party.credit_code:
        yield party.credit_code.casefold()


def _next(session: Session, after: int, most: int) -> list[Described]:
    wanted = select(Party).where(Party.id > after).order_by(Party.id).limit(most).options(selectinload(Party.points))
    return _described(session, session.scalars(wanted).all())


lookup.SOURCES[FOUND_AS] = _next
