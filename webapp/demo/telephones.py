"""A month of telephone calls of the demo company, and so many of today that the wallboard has something to show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from processes.activity.models import ContactRecord
from processes.kernel.periods import begin_of
from processes.kernel.working_time import business_date
from processes.party.models import Contact, ContactPoint, Customer
from processes.telephony.models import Agent, Call, CallLeg
from processes.telephony.permissions import CALL
from processes.telephony.rules import EXCHANGE
from webapp.demo.calls import OURS

_Told = tuple[dict[str, Any], list[dict[str, Any]]]
"""a call and the parts of those it rang at"""

SEED = 20261129
DAYS, ON_A_WORKING_DAY, ON_A_FREE_DAY, TODAY = 30, 26, 4, 14
OPEN_HOURS = (9, 9, 10, 10, 10, 11, 11, 13, 14, 14, 15, 15, 16, 17)
"""when people call: more in the morning"""
STRANGERS = 100
"""numbers nobody knows, +86 199 0002 00xx"""


def tell(session: Session, now: datetime) -> None:
    """In bulk and in their order, as the exchange would have told them: lists show the last one told first."""
    chance = Random(SEED)  # noqa: S311 - the same every time, no secret
    agents = list(session.scalars(select(Agent.id).where(Agent.is_demo | (Agent.created_by == 0)).order_by(Agent.id)))
    known = select(ContactPoint.value).where(ContactPoint.kind == "phone")
    known = known.where(ContactPoint.party_id.in_(select(Contact.person_id).union(select(Customer.id))))
    numbers = list(session.scalars(known.order_by(ContactPoint.value).limit(400)))
    if not agents or not numbers:
        return
    rung = [_call(chance, number, at, now, agents, numbers) for number, at in enumerate(sorted(_moments(chance, now)))]
    noted = _with_records(session, chance, now)
    told = sorted([*rung, *(one for _record, one in noted)], key=lambda one: one[0]["started_at"])
    calls = [call for call, _legs in told]
    ids = session.scalars(insert(Call).returning(Call.id, sort_by_parameter_order=True), calls).all()
    of_uuid = {call["uuid"]: key for call, key in zip(calls, ids, strict=True)}
    rows = [{"call_id": of_uuid[call["uuid"]], **part} for call, parts in told for part in parts]
    session.execute(insert(CallLeg), rows)
    for record, (call, _legs) in noted:
        record.source_type, record.source_id = CALL, of_uuid[call["uuid"]]
    session.flush()


def _with_records(session: Session, chance: Random, now: datetime) -> list[tuple[ContactRecord, _Told]]:
    """What the agents noted of their calls this month came of calls: they dialled and wrote."""
    number = func.min(ContactPoint.value)
    dialled = (
        select(ContactRecord, Agent.id, number)
        .join(Agent, Agent.person_id == ContactRecord.person_id)
        .join(Contact, Contact.id == ContactRecord.contact_id)
        .join(ContactPoint, (ContactPoint.party_id == Contact.person_id) & (ContactPoint.kind == "phone"))
        .where(ContactRecord.way == "call", ContactRecord.at > now - timedelta(days=DAYS), ContactRecord.at < now)
        .group_by(ContactRecord.id, Agent.id)
        .order_by(ContactRecord.id)
    )
    return [(record, _dialled(chance, record, agent, whose, now)) for record, agent, whose in session.execute(dialled)]


def _dialled(chance: Random, record: ContactRecord, agent: int, whose: str, now: datetime) -> _Told:
    answered = record.result != "not_reached"
    begun = record.at - timedelta(seconds=chance.randrange(90, 400))
    taken = begun + timedelta(seconds=chance.randrange(5, 25)) if answered else None
    cause = "normal" if answered else "no_answer"
    call = {
        "uuid": f"demo-record-{record.id}", "exchange": EXCHANGE, "direction": "out", "number": whose,
        "agent_id": agent, "queue": "", "did": "", "state": "ended", "result": "answered" if answered else "no_answer",
        "cause": cause, "ended_by": "agent", "started_at": begun, "answered_at": taken, "ended_at": record.at,
        "transfers": [], "note": "",
    }  # fmt: skip
    leg = {
        "agent_id": agent, "state": "over", "rung_at": begun, "answered_at": taken, "over_at": record.at,
        "cause": cause, "closed_at": min(record.at + timedelta(seconds=40), now),
    }  # fmt: skip
    return call, [leg]


def _moments(chance: Random, now: datetime) -> Iterator[datetime]:
    """When it rang: in office hours of the days before, in what there has been of today."""
    today = business_date(now)
    for ago in range(1, DAYS):
        day = today - timedelta(days=ago)
        for _each in range(ON_A_WORKING_DAY if day.weekday() < 5 else ON_A_FREE_DAY):
            yield begin_of(day) + timedelta(hours=chance.choice(OPEN_HOURS), seconds=chance.randrange(3600))
    begun = max(begin_of(today), now - timedelta(hours=8))
    for _each in range(TODAY):
        yield begun + (now - timedelta(minutes=12) - begun) * chance.random() if now - begun > _SOME else begun


_SOME = timedelta(minutes=15)


def _call(chance: Random, number: int, at: datetime, now: datetime, agents: list[int], numbers: list[str]) -> _Told:
    incoming, answered = chance.random() < 0.7, chance.random() < 0.82
    stranger = incoming and chance.random() < 0.25
    rung = chance.sample(agents, len(agents)) if incoming else [chance.choice(agents)]
    wait = timedelta(seconds=min(chance.choice((4, 6, 8, 11, 14, 19, 26, 38)), 38))
    talk = timedelta(seconds=chance.randrange(25, 520))
    ended = min(at + wait + (talk if answered else timedelta()), now)
    result = "answered" if answered else "missed" if incoming else chance.choice(("no_answer", "busy", "cancelled"))
    given_up = not answered and incoming and chance.random() < 0.7
    whose = f"+861990002{chance.randrange(STRANGERS):04d}" if stranger else chance.choice(numbers)
    call: dict[str, Any] = {
        "uuid": f"demo-month-{number}",
        "exchange": EXCHANGE,
        "direction": "in" if incoming else "out",
        "number": whose,
        "did": OURS if incoming else "",
        "queue": "demo" if incoming else "",
        "agent_id": rung[0] if answered or not incoming else None,
        "state": "ended",
        "result": result,
        "cause": "caller_left" if given_up else "normal" if answered else "no_answer",
        "ended_by": "customer" if answered or given_up else "exchange",
        "started_at": at,
        "answered_at": at + wait if answered else None,
        "ended_at": ended,
        "transfers": [],
        "note": "",
    }
    put_away = timedelta(seconds=chance.randrange(8, 150))
    parts = [
        {
            "agent_id": agent,
            "state": "over",
            "rung_at": at + timedelta(seconds=1),
            "answered_at": at + wait if answered and place == 0 else None,
            "over_at": ended if place == 0 or not answered else at + wait,
            "cause": "answered_elsewhere" if answered and place else "normal" if answered else call["cause"],
            "closed_at": min(ended + put_away, now) if answered and place == 0 else None,
        }
        for place, agent in enumerate(rung)
    ]
    return call, parts
