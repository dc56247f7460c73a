"""Who may see which calls, and who keeps the register of agents."""

from __future__ import annotations

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, func, literal, or_, select, true
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG, RecordKind
from engine.errors import Forbidden, NotFound
from engine.i18n import _
from processes.kernel.working_time import ZONE
from processes.organization.permissions import below
from processes.telephony.models import Agent, Call, CallCriterion, CallLeg

CALL = "telephony.call"
"""The record type of a call."""

READ_CALLS = "telephony.call.read"
TEAM = "telephony.team.read"
"""The wallboard and the statistics, of the calls and agents one may see."""
MANAGE_AGENTS = "telephony.agent.manage"
SCORE = "telephony.team.score"
"""Draw samples of the calls of people below and say how well they spoke."""
MANAGE_CRITERIA = "telephony.criterion.manage"
WRITE_RECORDINGS = "telephony.recording.write"
"""Say where calls can be listened to: for the program that records them."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Those one was rung by, spoke in or asked for, and those of the people below; of the queues they serve, those that
    nobody has taken; with the right, all.
    """
    if actor.may(READ_CALLS):
        return true()
    mine = select(Agent.id).where(_own_or_below(actor))
    part = select(CallLeg.id).where(CallLeg.call_id == Call.id, CallLeg.agent_id.in_(mine)).correlate(Call).limit(1)
    return or_(
        Call.agent_id.in_(mine),
        Call.asked_by == actor.person_id,
        part.scalar_subquery().is_not(None),  # asked for each call by its key; as EXISTS, all parts would be hashed
        and_(Call.agent_id.is_(None), Call.queue != "", _in_queue_of(below(actor.person_id))),
    )


def _in_queue_of(persons: ScalarSelect[int]) -> ColumnElement[bool]:
    """While all of them speak, a call waits in the queue and rings at nobody."""
    queues = literal(",") + Agent.queues + ","
    named = func.replace(queues, literal(",") + Call.queue + ",", "") != queues
    return exists().where(Agent.person_id.in_(persons), Agent.state == "active", named).correlate(Call)


def _own_or_below(actor: Actor) -> ColumnElement[bool]:
    return or_(Agent.person_id == actor.person_id, Agent.person_id.in_(below(actor.person_id)))


def watched_agents(actor: Actor) -> ColumnElement[bool]:
    """Whose calls are counted for the actor: his own, those of people below; with the right, everybody's."""
    return true() if actor.may(READ_CALLS) else _own_or_below(actor)


def scored_agents(actor: Actor) -> ColumnElement[bool]:
    """Whose calls the actor scores: those whose calls are counted for him, but not his own."""
    return watched_agents(actor) & (Agent.person_id != actor.person_id)


def visible_criteria(_actor: Actor) -> ColumnElement[bool]:
    """What is asked of whoever speaks on the telephone is no secret."""
    return CallCriterion.id.is_not(None)


def visible_agents(actor: Actor) -> ColumnElement[bool]:
    """Who can be reached under which extension is no secret; archived ones are."""
    return true() if actor.may(MANAGE_AGENTS) else Agent.state == "active"


def readable(session: Session, actor: Actor, call_id: int) -> Call:
    call = session.scalars(select(Call).where(Call.id == call_id, visible_to(actor))).first()
    if call is None:
        raise NotFound
    return call


def takes_part(session: Session, actor: Actor, call: Call) -> bool:
    """Rung, spoke, or asked for it: only they note, transfer and hang up."""
    if call.asked_by == actor.person_id:
        return True
    mine = select(Agent.id).where(Agent.person_id == actor.person_id).scalar_subquery()
    rung = select(CallLeg.id).where(CallLeg.call_id == call.id, CallLeg.agent_id == mine)
    owner = select(Call.id).where(Call.id == call.id, Call.agent_id == mine)
    return session.scalar(rung) is not None or session.scalar(owner) is not None


def demand_part(session: Session, actor: Actor, call: Call) -> None:
    if not takes_part(session, actor, call):
        raise Forbidden(_("Only those who take part in the call may do this."))


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not change this; ask an administrator for the right “{permission}”.", permission=permission)
        )


def _may_read(session: Session, actor: Actor, call_id: int) -> bool:
    return session.scalar(select(Call.id).where(Call.id == call_id, visible_to(actor))) is not None


def _title(session: Session, call_id: int) -> str:
    """By when it was: comments, notices and tasks that name it are read by people who may not see its number whole."""
    at = session.scalar(select(Call.started_at).where(Call.id == call_id))
    return str(_("Call of {moment}", moment=f"{at.astimezone(ZONE):%Y-%m-%d %H:%M}")) if at is not None else ""


CATALOG.records[CALL] = RecordKind(_may_read, _title)
