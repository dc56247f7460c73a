"""Who can be written to together: packages that keep people offer them here, by department, list, stage …"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a group, as their package knows them."""

    name: str
    number: str | None
    """E.164"""
    record: tuple[str, int] | None = None
    has_left: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    """what a text may say of them besides the name"""


@dataclass(frozen=True)
class Group:
    """A way to choose people: by these records of a register."""

    register: str
    """what one picks from, e.g. "organization.department"; also the name of the way"""
    title: Sentence
    find: Callable[[Session, Actor, Sequence[int]], list[Person]]
    """ids of picked records -> their people, as far as the actor may see them"""
    hint: Sentence | None = None


_GROUPS: dict[str, Group] = {}


def register(group: Group) -> None:
    """Declared once by each package that keeps people, when it is imported."""
    _GROUPS[group.register] = group


def groups() -> tuple[Group, ...]:
    return tuple(_GROUPS.values())


def find(session: Session, actor: Actor, chosen: Mapping[str, Sequence[int]]) -> list[Person]:
    """Everybody of these groups, in their order; one may come more than once. Unknown groups are passed over."""
    return [
        person
        for group in _GROUPS.values()
        if chosen.get(group.register)
        for person in group.find(session, actor, chosen[group.register])
    ]
