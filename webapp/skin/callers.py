"""What a call's pop-up says of whoever calls, told by the pages that know them; the telephone knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence


@dataclass(frozen=True)
class Line:
    """One thing worth knowing: the next appointment, what was said last, an open opportunity."""

    icon: str
    text: Sentence | str
    tone: str = ""


@dataclass(frozen=True)
class Way:
    """Something to do for the caller, at the foot of the pop-up."""

    url: str
    icon: str
    title: Sentence
    is_primary: bool = False


@dataclass(frozen=True)
class Story:
    lines: Sequence[Line] = ()
    ways: Sequence[Way] = ()


Teller = Callable[[Session, Actor, int, int], Story]
"""(session, actor, record id, call id) -> what to show; asked only of records the actor may read"""
Offer = Callable[[Actor, str, int], Iterable[Way]]
"""(actor, number, call id) -> what can be done with a number nobody is known under"""


@dataclass(frozen=True)
class Caller:
    """Who is to be rung because of a record, as far as the reader may know."""

    number: str
    names: Sequence[str] = ()


Asked = Callable[[Session, Actor, int], Caller | None]
"""(session, actor, record id) -> who is behind a record; asked only of records the actor may read"""

_TELLERS: dict[str, list[tuple[int, Teller]]] = {}
_OFFERS: list[Offer] = []
_BEHIND: dict[str, Asked] = {}
_ABOUT: list[tuple[str, Sentence]] = []


def tell_of(record_type: str, teller: Teller, *, order: int = 100) -> None:
    """Declared once by each room that knows something of such a record: the customer, then what is open for sale."""
    tellers = _TELLERS.setdefault(record_type, [])
    if all(known is not teller for _order, known in tellers):
        tellers.append((order, teller))
        tellers.sort(key=lambda one: one[0])


def story(session: Session, actor: Actor, record_type: str, record_id: int, call_id: int) -> Story:
    """What all of them tell, in order."""
    told = [teller(session, actor, record_id, call_id) for _order, teller in _TELLERS.get(record_type, ())]
    return Story([line for one in told for line in one.lines], [way for one in told for way in one.ways])


def offer_to_strangers(offer: Offer) -> None:
    """Declared once by pages that can enter whoever calls from an unknown number."""
    if offer not in _OFFERS:
        _OFFERS.append(offer)


def ways_for_stranger(actor: Actor, number: str, call_id: int) -> list[Way]:
    return [way for offer in _OFFERS for way in offer(actor, number, call_id)]


def may_be_about(register: str, title: Sentence) -> None:
    """Declared once: a call may be said to have been about a record of this register."""
    if all(name != register for name, _title in _ABOUT):
        _ABOUT.append((register, title))


def subjects() -> Sequence[tuple[str, Sentence]]:
    return tuple(_ABOUT)


def rings_behind(record_type: str, asked: Asked) -> None:
    """Declared once by the room whose records have somebody at the other end."""
    _BEHIND.setdefault(record_type, asked)


def behind(session: Session, actor: Actor, record_type: str, record_id: int) -> Caller | None:
    asked = _BEHIND.get(record_type)
    return asked(session, actor, record_id) if asked is not None else None
