"""Who may be at the other end of a call, with what is known of each: for the pop-up and the call's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from processes.kernel.known_numbers import Known
from processes.telephony import permissions
from processes.telephony.models import Call
from processes.telephony.operations import Matches
from webapp.skin import callers
from webapp.skin.callers import Story, Way

MOST = 5
"""A switchboard is everybody's number; so many are offered, the others are counted."""


@dataclass(frozen=True)
class Heard:
    """Somebody known under the number, or whom the call was said to be about."""

    known: Known
    story: Story
    is_meant: bool
    """the call is about this one"""


@dataclass(frozen=True)
class Ends:
    """Everybody who may be at the other end. With several and nobody named, one chooses by what one does for whom."""

    people: Sequence[Heard] = ()
    more: int = 0
    strangers: Sequence[Way] = ()
    """what can be done with a number nobody is known under"""

    @property
    def meant(self) -> Heard | None:
        """Whom the call is about: who was named, else the only one there is."""
        named = next((one for one in self.people if one.is_meant), None)
        return named or (self.people[0] if len(self.people) == 1 else None)

    @property
    def ways(self) -> Sequence[Way]:
        return self.meant.story.ways if self.meant is not None else () if self.people else self.strangers


def ends(session: Session, actor: Actor, call: Call, match: Matches) -> Ends:
    about = _subject(session, actor, call)
    people = list(match.people)
    named = [one for one in people if (one.record_type, one.record_id) == about]
    if about is not None and not named:  # called from another phone
        named = [Known(*about, _title(session, about))]
    shown = [*named, *(one for one in people if one not in named)]
    told = [
        Heard(one, callers.story(session, actor, one.record_type, one.record_id, call.id), one in named)
        for one in shown[:MOST]
    ]
    is_stranger = not shown and not match.hidden and permissions.takes_part(session, actor, call)
    strangers = callers.ways_for_stranger(actor, call.number, call.id) if is_stranger else ()
    return Ends(told, len(shown) - len(told), strangers)


def _subject(session: Session, actor: Actor, call: Call) -> tuple[str, int] | None:
    """What the call is about, as far as the reader may know."""
    if call.record_type is None or call.record_id is None:
        return None
    if not CATALOG.may_read(session, actor, call.record_type, call.record_id):
        return None
    return call.record_type, call.record_id


def _title(session: Session, about: tuple[str, int]) -> str:
    kind = CATALOG.record_kind(about[0])
    return kind.title(session, about[1]) if kind is not None else ""
