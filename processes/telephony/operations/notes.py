"""What agents write about a call while they speak, and the pop-up they put away."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, live
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import InvalidForm, NotFound, Problem
from engine.forms import unprintable
from engine.i18n import _
from processes.telephony import permissions, rules
from processes.telephony.models import Agent, Call, CallLeg
from processes.telephony.operations.calls import PUSH

Record = tuple[str, int]


def write_note(session: Session, actor: Actor, *, call_id: int, text: str) -> Call:
    """Keep the note as it is now; saved while one types, so the same again is nothing new."""
    call = _own_call(session, actor, call_id)
    text = text.replace("\r\n", "\n")
    if len(text) > rules.LONGEST_NOTE:
        raise InvalidForm([Problem("text", _("At most {count} characters fit here.", count=rules.LONGEST_NOTE))])
    if unprintable(text):
        raise InvalidForm([Problem("text", _("This contains characters that cannot be printed."))])
    if text != call.note:
        call.note, call.note_by, call.note_at = text, actor.person_id, clock.now()
        session.flush()
        live.push(session, [actor.person_id], PUSH, {"call": call.id, "state": call.state})  # to the other open pages
    return call


def link_record(session: Session, actor: Actor, *, call_id: int, record: Record | None) -> Call:
    """Say what the call was about."""
    call = _own_call(session, actor, call_id)
    if record is not None and not CATALOG.may_read(session, actor, *record):
        raise InvalidForm([Problem("record", _("There is no such record."))])
    call.record_type, call.record_id = record or (None, None)
    session.flush()
    return call


def keep_subject(session: Session, actor: Actor, *, call_id: int, record: Record) -> None:
    """What was said in it is noted with this record, so one's own call was about it, unless somebody said otherwise."""
    call = session.get(Call, call_id)
    if call is not None and call.record_id is None and permissions.takes_part(session, actor, call):
        link_record(session, actor, call_id=call_id, record=record)


def put_away(session: Session, actor: Actor, *, call_id: int) -> None:
    """The agent has seen it: the pop-up of this call comes no more. The note stays with the call."""
    agent = select(Agent.id).where(Agent.person_id == actor.person_id).scalar_subquery()
    leg = session.scalars(select(CallLeg).where(CallLeg.call_id == call_id, CallLeg.agent_id == agent)).first()
    if leg is None:
        raise NotFound
    leg.closed_at = leg.closed_at or clock.now()
    session.flush()


def put_away_with(session: Session, actor: Actor, numbers: Collection[str]) -> int:
    """What was said with these numbers is noted elsewhere: their ended calls stand in nobody's way any more."""
    mine = select(Agent.id).where(Agent.person_id == actor.person_id).scalar_subquery()
    legs = session.scalars(
        select(CallLeg)
        .join(Call, Call.id == CallLeg.call_id)
        .where(CallLeg.agent_id == mine, CallLeg.state == "over", CallLeg.closed_at.is_(None), Call.number.in_(numbers))
    ).all()
    for leg in legs:
        leg.closed_at = clock.now()
        live.push(session, [actor.person_id], PUSH, {"call": leg.call_id, "state": "ended"})
    session.flush()
    return len(legs)


def _own_call(session: Session, actor: Actor, call_id: int) -> Call:
    call = permissions.readable(session, actor, call_id)
    permissions.demand_part(session, actor, call)
    session.refresh(call, with_for_update=True)
    return call
