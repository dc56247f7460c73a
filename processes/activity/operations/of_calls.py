"""Contact records that calls have become: how many by each agent, and those of one call."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from engine import clock
from engine.actor import Actor
from engine.errors import Conflict
from engine.i18n import _
from processes.activity.models import ContactRecord
from processes.activity.permissions import visible_records
from processes.organization.permissions import require
from processes.party.models import Contact
from processes.party.permissions import CONTACT, CUSTOMER
from processes.telephony.models import Agent, Call
from processes.telephony.operations import Asked
from processes.telephony.permissions import CALL, TEAM, watched_agents

MOST_SHOWN = 10
JUST_NOW = timedelta(hours=1)
"""Who writes of a call later than that says of which."""


def recorded_by_agents(session: Session, actor: Actor, asked: Asked) -> dict[int, int]:
    """Agent -> of how many of the calls asked for he has written a contact record; ix_contact_record_source."""
    require(actor, TEAM)
    wanted = (
        select(Agent.id, func.count(Call.id.distinct()))
        .select_from(Call)
        .join(ContactRecord, (ContactRecord.source_id == Call.id) & (ContactRecord.source_type == CALL))
        .join(Agent, Agent.person_id == ContactRecord.person_id)
        .where(
            asked.period.holds(Call.started_at.expression),
            Call.ended_at.is_not(None),
            ContactRecord.state == "active",
            watched_agents(actor),
        )
        .group_by(Agent.id)
    )
    if asked.direction:
        wanted = wanted.where(Call.direction == asked.direction)
    if asked.agent_id is not None:
        wanted = wanted.where(Agent.id == asked.agent_id)
    return dict(session.execute(wanted).all())


def records_of_call(session: Session, actor: Actor, call_id: int) -> list[ContactRecord]:
    """What was written of a call, as far as the actor may read it, newest first."""
    wanted = (
        select(ContactRecord)
        .where(
            ContactRecord.source_type == CALL,
            ContactRecord.source_id == call_id,
            ContactRecord.state == "active",
            visible_records(actor),
        )
        .options(joinedload(ContactRecord.person), joinedload(ContactRecord.customer))
        .order_by(ContactRecord.id.desc())
        .limit(MOST_SHOWN)
    )
    return list(session.scalars(wanted))


def own_record_of_call(session: Session, actor: Actor, call_id: int, customer_id: int) -> ContactRecord | None:
    """What the actor himself has written of a call for this customer."""
    found = records_of_call(session, actor, call_id)
    return next((one for one in found if (one.person_id, one.customer_id) == (actor.person_id, customer_id)), None)


def demand_first(session: Session, actor: Actor, call_id: int, customer_id: int) -> None:
    """Refuse a second record of one's own of a call with the same customer, under its lock."""
    if own_record_of_call(session, actor, call_id, customer_id) is not None:
        raise Conflict(
            _("Your record of this call stands already; this one was not saved."),
            remedy=_("Open it from the page of the call and add to it what is missing."),
        )


def call_just_made(session: Session, actor: Actor, customer_id: int) -> int | None:
    """The call the actor dialled last to this customer or somebody there, unless he has written of it already."""
    there = select(Contact.id).where(Contact.organization_id == customer_id)
    wanted = (
        select(Call.id)
        .where(
            Call.asked_by == actor.person_id,
            Call.started_at > clock.now() - JUST_NOW,
            or_(
                and_(Call.record_type == CUSTOMER, Call.record_id == customer_id),
                and_(Call.record_type == CONTACT, Call.record_id.in_(there)),
            ),
        )
        .order_by(Call.id.desc())
    )
    call_id = session.scalars(wanted.limit(1)).first()
    if call_id is None or own_record_of_call(session, actor, call_id, customer_id) is not None:
        return None
    return call_id
