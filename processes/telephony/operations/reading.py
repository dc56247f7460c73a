"""Calls as pages and interfaces ask for them: those that are live, those that were, those that pop up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from engine import clock
from engine.actor import Actor
from engine.catalog import CATALOG, Hidden, Masked
from processes.kernel import known_numbers
from processes.kernel.known_numbers import Known
from processes.telephony import permissions
from processes.telephony.models import Agent, Call, CallCommand, CallLeg

View = Literal["all", "missed", "in", "out"]
VIEWS: tuple[View, ...] = ("all", "missed", "in", "out")

WRAP_UP = timedelta(minutes=10)
"""How long the pop-up of a call stays after its end, unless it is put away."""
MOST_POPS = 3
SHOWN_TAIL = 4
"""So many digits of a masked number are shown, and found."""


@dataclass(frozen=True)
class Matches:
    """Who is known under a number, as far as the reader may know. hidden: how many more there are."""

    people: tuple[Known, ...] = ()
    hidden: int = 0
    shown: str = ""
    """the number as the reader may see it: whole, Masked or Hidden"""


def calls(actor: Actor) -> Select[Call]:
    """Every call the actor may see, with what a list shows of it."""
    shown = joinedload(Call.agent).joinedload(Agent.person)
    legs = selectinload(Call.legs).joinedload(CallLeg.agent).joinedload(Agent.person)
    return select(Call).where(permissions.visible_to(actor)).options(shown, legs)


def live_calls(session: Session, actor: Actor) -> list[Call]:
    open_ones = calls(actor).where(Call.ended_at.is_(None)).order_by(Call.started_at, Call.id)
    return list(session.scalars(open_ones.limit(200)))


def past_calls(
    session: Session, actor: Actor, *, view: View = "all", text: str = "", before: int | None = None, size: int = 20
) -> tuple[list[Call], bool]:
    """A page of the calls that are over, newest first, and whether there is more."""
    wanted = calls(actor).where(Call.ended_at.is_not(None))
    if view == "missed":
        wanted = wanted.where(Call.result == "missed")
    elif view != "all":
        wanted = wanted.where(Call.direction == view)
    if text:
        digits = "".join(sign for sign in text if sign.isdigit()).removeprefix("0")
        found = [Call.note.icontains(text, autoescape=True)]
        if digits:
            found.append(Call.number.contains(digits, autoescape=True))
        wanted = wanted.where(or_(*found))
    if before is not None:
        wanted = wanted.where(Call.id < before)
    rows = list(session.scalars(wanted.order_by(Call.id.desc()).limit(size + 1)))
    page = rows[:size]
    if not text:
        return page, len(rows) > size
    told = _not_guessed(session, actor, page, text)
    return told, bool(told) and len(rows) > size  # "there is more" would tell of a number that is not shown


def _not_guessed(session: Session, actor: Actor, rows: list[Call], text: str) -> list[Call]:
    """Without those found by digits the reader's mask does not show: nobody guesses a number digit by digit."""
    seen = known_numbers.shown(session, actor, {row.number for row in rows})
    digits = "".join(sign for sign in text if sign.isdigit()).removeprefix("0")

    def is_told(row: Call) -> bool:
        number = seen[row.number]
        if not isinstance(number, Masked) or text.casefold() in row.note.casefold():
            return True
        return not isinstance(number, Hidden) and len(digits) <= SHOWN_TAIL and row.number.endswith(digits)

    return [row for row in rows if is_told(row)]


def pops(session: Session, actor: Actor) -> list[Call]:
    """What stands before this person now: calls that ring at or are spoken by him, and those just over.

    Those are the ones he spoke in, and the ones he dialled in vain until he dials that number again. The pop-up of one
    that somebody else has taken is closed by the leg's end, that of one he gave up himself by its own.
    """
    agent = select(Agent.id).where(Agent.person_id == actor.person_id, Agent.state == "active").scalar_subquery()
    over_at = func.coalesce(CallLeg.over_at, Call.ended_at)
    later = aliased(Call)
    dialled_again = exists().where(later.number == Call.number, later.asked_by == actor.person_id, later.id > Call.id)
    in_vain = and_(Call.asked_by == actor.person_id, Call.result.not_in(("", "answered", "cancelled")), ~dialled_again)
    was_his = or_(CallLeg.answered_at.is_not(None), in_vain)
    just_over = and_(CallLeg.state == "over", was_his, over_at > clock.now() - WRAP_UP)
    legs = selectinload(Call.legs).joinedload(CallLeg.agent).joinedload(Agent.person)
    wanted = (
        select(Call)
        .join(CallLeg, CallLeg.call_id == Call.id)
        .where(
            CallLeg.agent_id == agent,
            CallLeg.closed_at.is_(None),
            or_(CallLeg.state.in_(("ringing", "talking")), just_over),
        )
        .options(legs)
        .order_by(Call.ended_at.is_not(None), Call.id.desc())
    )
    return list(session.scalars(wanted.limit(MOST_POPS)))


def matches(session: Session, actor: Actor, numbers: list[str]) -> dict[str, Matches]:
    """Who is known under these numbers; extensions are our own agents."""
    outside = sorted({number for number in numbers if number.startswith("+")})
    found: dict[str, Matches] = {}
    for number, people in known_numbers.find_many(session, outside).items() if outside else ():
        seen = [one for one in people if CATALOG.may_read(session, actor, one.record_type, one.record_id)]
        found[number] = Matches(tuple(seen), len(people) - len(seen))
    inside = {number for number in numbers if number and not number.startswith("+")}
    if inside:
        colleagues = select(Agent).where(Agent.extension.in_(inside)).options(joinedload(Agent.person))
        for agent in session.scalars(colleagues):
            known = Known("organization.employee", agent.person_id, agent.person.name, agent.extension)
            found[agent.extension] = Matches((known,))
    shown = known_numbers.shown(session, actor, outside)
    return {number: replace(found.get(number, Matches()), shown=shown.get(number, number)) for number in numbers}


def history_of(session: Session, actor: Actor, number: str, *, before: int | None = None, size: int = 3) -> list[Call]:
    """The last calls with a number, as far as the actor may see them."""
    if not number:
        return []
    wanted = calls(actor).where(Call.number == number, Call.ended_at.is_not(None))
    if before is not None:
        wanted = wanted.where(Call.id < before)
    return list(session.scalars(wanted.order_by(Call.id.desc()).limit(size)))


def commands_of(session: Session, call_id: int) -> list[CallCommand]:
    return list(session.scalars(select(CallCommand).where(CallCommand.call_id == call_id).order_by(CallCommand.id)))


def agents(session: Session) -> list[Agent]:
    active = select(Agent).where(Agent.state == "active").options(joinedload(Agent.person))
    return list(session.scalars(active.order_by(Agent.extension)))
