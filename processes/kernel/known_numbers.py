"""Whose a phone number is: packages that keep numbers answer here, so that calls and messages find their people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG, Hidden, Masked
from engine.i18n import Sentence, _
from processes.kernel import phone_number


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody with this number."""

    record_type: str
    """e.g. "organization.employee"; with `record_id` it leads to the record's page"""
    record_id: int
    name: str
    note: str = ""
    """what helps to tell two of them apart: department, company"""


Finder = Callable[[Session, Sequence[str]], Mapping[str, Sequence[Known]]]
"""E.164 numbers -> who has them; numbers nobody has may be missing."""

Mask = Callable[[Session, Actor, Collection[str]], Mapping[str, str]]
"""Numbers -> how one may see them: whole, or engine.catalog.Masked."""

_FINDERS: dict[str, Finder] = {}
_MASKS: dict[str, Mask] = {}


def register(package: str, finder: Finder) -> None:
    """Declared once by each package that keeps numbers, when it is imported."""
    _FINDERS[package] = finder


def mask_by(package: str, mask: Mask) -> None:
    """Declared once by each package whose rules keep numbers back from people."""
    _MASKS[package] = mask


def shown(session: Session, actor: Actor, numbers: Collection[str]) -> dict[str, str]:
    """How the actor may see these numbers, for lists that are about calls and not about the people behind them."""
    seen = {number: number for number in numbers}
    for _package, mask in sorted(_MASKS.items()):
        seen |= {number: text for number, text in mask(session, actor, seen).items() if text != number}
    return seen


def written_to(session: Session, persons: Iterable[int], number: str) -> str | Sentence:
    """A number in words that are sent to all of these people: as whoever sees least of it may see it."""
    ids = sorted(set(persons))
    actors = CATALOG.actors(session, ids) if CATALOG.actors is not None else {}
    seen = [shown(session, actors.get(one) or Actor(one, ""), [number])[number] for one in ids]
    masked = [one for one in seen if isinstance(one, Masked)]
    if any(isinstance(one, Hidden) for one in masked):
        return _("a hidden number")
    return str(masked[0]) if masked else phone_number.shown(number)


def find(session: Session, number: str) -> list[Known]:
    """Everybody who is known under this E.164 number, in the order of the packages' names."""
    return find_many(session, [number])[number]


def find_many(session: Session, numbers: Sequence[str]) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {number: [] for number in numbers}
    for _package, finder in sorted(_FINDERS.items()):
        for number, people in finder(session, numbers).items():
            found[number].extend(people)
    return found
