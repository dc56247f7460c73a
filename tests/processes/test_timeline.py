"""What passed between a customer and us, in one order and with nobody else's."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine.actor import Actor
from processes.activity import operations
from processes.party.models import ContactPoint, Customer
from processes.party.permissions import CONTACT, CUSTOMER
from processes.telephony.models import Agent, Call, CallLeg
from tests.conftest import TestClock
from tests.processes.followers import contact_of, customer_of, seller
from tests.processes.test_contact_records import note


def test_the_timeline_lies_in_one_order_and_is_paged(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司", phone="13800138000")
    for _each in range(5):
        note(session, actor, customer)
        clock.advance(hours=1)
    (open_one,) = operations.open_of(session, customer.id)
    operations.cancel(session, actor, appointment_id=open_one.id, reason="客户出差")
    first, more = operations.timeline(session, actor, customer, size=4)
    assert [one.kind for one in first] == ["appointment", "record", "record", "record"]
    assert more
    rest, more = operations.timeline(session, actor, customer, before=first[-1].at, size=4)
    assert ([one.kind for one in rest], more) == (["record", "record"], False)
    assert len({one.what.id for one in (*first, *rest) if one.kind == "record"}) == 5


def call_of(session: Session, actor: Actor, number: str, about: tuple[str, int] | None = None) -> int:
    """A call the actor took, some minutes after the one before."""
    agent = session.scalars(select(Agent).where(Agent.person_id == actor.person_id)).first()
    agent = agent or Agent(person_id=actor.person_id, extension="8101")
    count = session.scalar(select(func.count()).select_from(Call)) or 0
    at = engine_clock.now() + timedelta(minutes=count)
    call = Call(
        uuid=f"t-{count}",
        exchange="telephony",
        direction="in",
        number=number,
        agent=agent,
        state="ended",
        result="answered",
        started_at=at,
        answered_at=at,
        ended_at=at,
        transfers=[],
        record_type=about[0] if about else None,
        record_id=about[1] if about else None,
    )
    call.legs.append(CallLeg(agent=agent, state="over", rung_at=at, answered_at=at, over_at=at))
    session.add(call)
    session.flush()
    return call.id


def test_calls_stand_with_whom_they_were_about_from_whatever_phone(session: Session) -> None:
    actor = seller(session, "S1")
    ours = customer_of(session, actor, "甲公司", phone="13800138000")
    sister = customer_of(session, actor, "乙公司")
    session.add(ContactPoint(party_id=sister.id, kind="phone", value="+8613800138000", label="", rank=0))
    person = contact_of(session, ours, "刘工")
    shared = call_of(session, actor, "+8613800138000")
    ours_only = call_of(session, actor, "+8613800138000", (CUSTOMER, ours.id))
    elsewhere = call_of(session, actor, "+8613700137000", (CUSTOMER, ours.id))
    persons = call_of(session, actor, "", (CONTACT, person.id))
    call_of(session, actor, "+8613700137000")

    def of(customer: Customer) -> list[int]:
        return [one.what.id for one in operations.timeline(session, actor, customer)[0] if one.kind == "call"]

    assert of(ours) == [persons, elsewhere, ours_only, shared]
    assert of(sister) == [shared]
    without_number = customer_of(session, actor, "无号公司")
    assert of(without_number) == []
    without = call_of(session, actor, "+8613700137000", (CUSTOMER, without_number.id))
    assert of(without_number) == [without]
