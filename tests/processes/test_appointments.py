"""Appointments: proposed by the policy, one per contact, put off with a reason, following the customer's fate."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import events
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from processes.activity import operations
from processes.activity.models import Appointment
from processes.activity.operations import AppointmentTaken, planning
from processes.activity.permissions import MANAGE_POLICIES, RECORD
from processes.activity.subscribers import COMMENTED
from processes.comments import operations as comments
from processes.messaging.models import SentMessage
from processes.notices.models import Notice
from processes.organization import operations as organization
from processes.party.models import Customer
from processes.party.operations import close_customer, create_contact, mark_left
from tests.conftest import TestClock
from tests.processes.followers import contact_of, customer_of, seller
from tests.processes.test_contact_records import note

MONDAY = date(2026, 11, 23)


def plan(session: Session, actor: Any, customer: Customer, **more: Any) -> Appointment:
    return operations.make_appointment(session, actor, values={"customer": customer.id, **more})


def notices(session: Session, kind: str) -> list[Notice]:
    return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))


def test_the_most_particular_policy_proposes_and_bounds_the_day(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1", None, MANAGE_POLICIES)
    customer = customer_of(session, actor, "甲公司", level="B")
    boss = contact_of(session, customer, "陈平", role="decides")
    assert plan(session, actor, customer).due_on == MONDAY + timedelta(days=14)
    values = {"level": "B", "role": "decides", "days": 3, "most_days": 5}
    operations.create_policy(session, actor, values=values)
    made = plan(session, actor, customer, contact=boss.id)
    assert made.due_on == MONDAY + timedelta(days=3)
    with pytest.raises(InvalidForm) as refusal:
        operations.reschedule(
            session, actor, appointment_id=made.id, due_on=MONDAY + timedelta(days=6), reason="出差", version=1
        )
    assert refusal.value.problems[0].where == "due_on"
    note(session, actor, customer, contact=boss.id, next_on=MONDAY + timedelta(days=5), next_at="14:30", purpose="报价")
    (_whole, next_one) = operations.open_of(session, customer.id)
    assert (next_one.due_on, next_one.at, next_one.purpose) == (MONDAY + timedelta(days=5), "14:30", "报价")
    assert (made.state, made.record_id is not None) == ("done", True)
    with pytest.raises(InvalidForm):
        note(session, actor, customer, contact=boss.id, next_on=MONDAY + timedelta(days=6))


def test_a_record_may_end_the_following_up(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    contact = contact_of(session, customer, "陈平")
    plan(session, actor, customer)
    note(session, actor, customer, contact=contact.id, plans=False)
    assert operations.open_of(session, customer.id) == [], "it was the plan with the customer as a whole"
    assert customer.next_contact_on is None


def test_the_frequency_lands_on_a_holiday_or_a_make_up_saturday(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1", None, MANAGE_POLICIES)
    operations.create_policy(session, actor, values={"days": 7, "most_days": 30})
    customer = customer_of(session, actor, "甲公司")
    for contacted, due in (("2026-09-11", "2026-09-18"), ("2026-09-13", "2026-09-20"), ("2026-09-24", "2026-10-08")):
        clock.turn_to(clock().fromisoformat(f"{contacted}T03:00:00+00:00"))
        note(session, actor, customer)
        (made,) = operations.open_of(session, customer.id)
        assert made.due_on.isoformat() == due
        operations.cancel(session, actor, appointment_id=made.id, reason="再试")


def test_a_second_attempt_shows_who_has_it_and_may_join_or_take_over(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor = seller(session, "S1", boss.person_id)
    customer = customer_of(session, actor, "甲公司")
    contact, other = contact_of(session, customer, "陈平"), contact_of(session, customer, "林一")
    made = plan(session, actor, customer, contact=contact.id)
    plan(session, boss, customer, contact=other.id)  # different contacts of one customer may each have one
    with pytest.raises(AppointmentTaken) as refusal:
        plan(session, boss, customer, contact=contact.id)
    assert refusal.value.appointment_id == made.id
    assert actor.name in str(refusal.value)
    operations.join(session, boss, appointment_id=made.id)
    operations.join(session, boss, appointment_id=made.id)
    assert made.joined == [boss.person_id]
    assert [one.person_id for one in notices(session, operations.TAKEN_OVER)] == [actor.person_id]
    operations.take_over(session, boss, appointment_id=made.id, reason="重要客户")
    assert (made.person_id, made.joined) == (boss.person_id, [])
    (move,) = operations.moves(session, made.id)
    assert (move.from_person, move.to_person, move.reason) == (actor.person_id, boss.person_id, "重要客户")
    assert len(notices(session, operations.TAKEN_OVER)) == 2
    note(session, actor, customer, contact=contact.id)
    (next_one,) = [one for one in operations.open_of(session, customer.id) if one.contact_id == contact.id]
    assert next_one.person_id == boss.person_id, "who had it keeps following up"


@pytest.mark.databases("postgresql")
def test_of_two_at_once_one_has_the_appointment_and_the_other_is_told_who(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor = seller(session, "S1", boss.person_id)
    customer = customer_of(session, actor, "甲公司")
    contact_id, customer_id = contact_of(session, customer, "陈平").id, customer.id
    session.commit()
    barrier, outcomes = threading.Barrier(2), []

    def attempt(who: Any) -> None:
        barrier.wait()
        try:
            with transaction() as own:
                plan(own, who, own.get_one(Customer, customer_id), contact=contact_id)
            outcomes.append("made")
        except AppointmentTaken as refusal:
            outcomes.append("taken" if refusal.appointment_id else "?")
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=attempt, args=(who,)) for who in (boss, actor)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["made", "taken"]


def test_the_database_itself_allows_one_open_appointment_per_contact(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    contact = contact_of(session, customer, "陈平")
    plan(session, actor, customer, contact=contact.id)
    with pytest.raises(AppointmentTaken):
        planning.make(session, actor, customer, contact, person_id=actor.person_id, due_on=MONDAY)


def test_the_third_postponement_tells_the_superior(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor, other = seller(session, "S1", boss.person_id), seller(session, "S2")
    customer = customer_of(session, actor, "甲公司")
    made = plan(session, actor, customer, due_on=MONDAY)
    for count, days in ((1, 1), (2, 3), (2, 2), (3, 4), (4, 5)):
        operations.reschedule(
            session, actor, appointment_id=made.id, due_on=MONDAY + timedelta(days=days), reason=f"第{days}天"
        )
        assert made.postponed == count, "brought forward is not put off"
        told = notices(session, operations.POSTPONED)
        assert [one.person_id for one in told] == ([boss.person_id] if count >= 3 else [])
    assert [one.reason for one in operations.moves(session, made.id)] == ["第1天", "第3天", "第2天", "第4天", "第5天"]
    assert customer.next_contact_on == MONDAY + timedelta(days=5)
    with pytest.raises(InvalidForm):
        operations.reschedule(session, actor, appointment_id=made.id, due_on=MONDAY + timedelta(days=6), reason=" ")
    with pytest.raises(NotFound):
        operations.cancel(session, other, appointment_id=made.id, reason="x")
    operations.cancel(session, actor, appointment_id=made.id, reason="客户关门")
    assert (made.state, made.closing) == ("cancelled", "客户关门")
    assert session.scalar(select(Customer.next_contact_on)) is None
    with pytest.raises(Conflict):
        operations.cancel(session, actor, appointment_id=made.id, reason="x")


def test_open_appointments_are_closed_when_the_customer_is_unlocked(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    contact = contact_of(session, customer, "陈平")
    made = [plan(session, actor, customer), plan(session, actor, customer, contact=contact.id)]
    events.publish(
        session, "ownership.released", customer_id=customer.id, owner_id=actor.person_id, how="unlocked", by_id=0
    )
    assert {(one.state, one.closing) for one in made} == {("cancelled", "unlocked")}
    assert (customer.next_contact_on, contact.next_contact_on) == (None, None)


@pytest.mark.parametrize("parts", [("appointments", "contacts"), ("contacts",)])
def test_the_appointment_follows_a_customer_that_is_handed_over_where_chosen(
    session: Session, clock: TestClock, parts: tuple[str, ...]
) -> None:
    actor, other = seller(session, "S1"), seller(session, "S2")
    customer = customer_of(session, actor, "甲公司")
    made = plan(session, actor, customer)
    customer.owner_id = other.person_id
    events.publish(
        session,
        "ownership.handed_over",
        customer_id=customer.id,
        from_id=actor.person_id,
        to_id=other.person_id,
        batch_id=1,
        parts=parts,
    )
    if "appointments" in parts:
        assert (made.state, made.person_id) == ("open", other.person_id)
        assert [one.from_person for one in operations.moves(session, made.id)] == [actor.person_id]
    else:
        assert (made.state, made.closing, customer.next_contact_on) == ("cancelled", "handed_over", None)


def test_what_others_had_planned_in_the_pool_is_the_new_owners(session: Session, clock: TestClock) -> None:
    actor, other = seller(session, "S1"), seller(session, "S2")
    customer = customer_of(session, None, "甲公司")
    made = plan(session, other, customer)
    customer.owner_id, customer.state = actor.person_id, "locked"
    events.publish(
        session, "ownership.locked", customer_id=customer.id, owner_id=actor.person_id, how="applied", by_id=0
    )
    assert (made.state, made.person_id) == ("open", actor.person_id)


def test_a_closed_customer_has_no_appointment(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    made = plan(session, actor, customer)
    close_customer(session, actor, record_id=customer.id)
    assert (made.state, made.closing, customer.state) == ("cancelled", "closed", "closed")


def test_the_appointment_moves_with_the_person_and_the_new_owner_decides(session: Session, clock: TestClock) -> None:
    actor, other = seller(session, "S1"), seller(session, "S2")
    old, new = customer_of(session, actor, "甲公司"), customer_of(session, other, "乙公司")
    contact = contact_of(session, old, "陈平")
    made = plan(session, actor, old, contact=contact.id)
    mark_left(session, SYSTEM, record_id=contact.id)
    assert (made.customer_id, made.state) == (old.id, "open"), "nobody knows yet where he went"
    again = create_contact(session, SYSTEM, values={"person": contact.person_id, "customer": new.id})
    assert (made.customer_id, made.contact_id, made.person_id) == (new.id, again.id, other.person_id)
    assert (old.next_contact_on, contact.next_contact_on) == (None, None)
    assert new.next_contact_on == again.next_contact_on == made.due_on


def test_policies_are_laid_down_by_whoever_may(session: Session, clock: TestClock) -> None:
    actor, other = seller(session, "S1", None, MANAGE_POLICIES), seller(session, "S2")
    with pytest.raises(Forbidden):
        operations.create_policy(session, other, values={"days": 1, "most_days": 2})
    with pytest.raises(InvalidForm) as refusal:
        operations.create_policy(session, actor, values={"days": 0, "level": "Z"})
    assert {one.where for one in refusal.value.problems} == {"days", "most_days", "level"}
    made = operations.create_policy(session, actor, values={"days": 5, "most_days": 9, "level": "A"})
    for values in ({"days": 5, "most_days": 9, "level": "A"}, {"days": 9, "most_days": 5}):
        with pytest.raises(RuleViolation, match=r"already|latest"):
            operations.create_policy(session, actor, values=values)
    operations.change_policy(session, actor, record_id=made.id, version=made.version, values={"days": 6})
    assert [one.days for one in operations.policies(session)] == [6]
    operations.remove_policy(session, actor, record_id=made.id)
    assert operations.policies(session) == []


def test_a_leaver_does_not_keep_following_up(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor = seller(session, "S1", boss.person_id)
    customer = customer_of(session, actor, "甲公司")
    plan(session, actor, customer)
    organization.archive_employee(session, SYSTEM, record_id=actor.person_id)
    note(session, boss, customer)
    (made,) = operations.open_of(session, customer.id)
    assert made.person_id == boss.person_id
    assert session.scalar(select(func.count()).select_from(Appointment).where(Appointment.state == "done")) == 1


def signed_in(monkeypatch: pytest.MonkeyPatch, *actors: Actor) -> None:
    """These people have logins with these rights."""
    known = {one.person_id: one for one in actors}
    monkeypatch.setattr(CATALOG, "actors", lambda _session, ids: {one: known[one] for one in ids if one in known})


def test_whoever_wrote_a_record_hears_of_a_comment_by_sms_too(
    session: Session, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The general notice of comments has the same key: he is told once."""
    boss = seller(session, "H")
    actor = seller(session, "S1", boss.person_id)
    signed_in(monkeypatch, boss, actor)
    organization.change_employee(session, SYSTEM, record_id=actor.person_id, values={"phone": "13800138001"})
    made = note(session, actor, customer_of(session, actor, "甲公司"))
    said = comments.add_comment(session, boss, record_type=RECORD, record_id=made.id, text="报价前先问交期")
    comments.add_comment(session, actor, record_type=RECORD, record_id=made.id, text="好的")
    told = session.scalars(select(Notice).where(Notice.person_id == actor.person_id)).all()
    assert [(one.kind, one.key) for one in told] == [(COMMENTED, f"comment:{said.id}")]
    texts = session.scalars(select(SentMessage).where(SentMessage.channel == "sms")).all()
    assert [one.recipient.split()[-1] for one in texts] == ["+8613800138001"]


def test_merged_customers_have_one_history_and_one_plan_and_each_its_own_when_it_is_taken_back(
    session: Session, clock: TestClock
) -> None:
    actor = seller(session, "S1")
    kept, gone = customer_of(session, actor, "甲公司"), customer_of(session, actor, "甲集团")
    contact = contact_of(session, gone, "陈平")
    note(session, actor, kept)
    clock.advance(hours=1)
    note(session, actor, gone, contact=contact.id)
    note(session, actor, gone)
    before = {one.id: one.due_on for one in operations.open_of(session, gone.id)}
    assert len(before) == 2
    facts = {"kept_id": kept.id, "gone_id": gone.id, "merge_id": 7}
    events.publish(session, "party.merged", **facts)
    session.refresh(kept)
    assert (kept.contacts_made, kept.last_contact_at) == (3, clock())
    assert [one.contact_id for one in operations.open_of(session, kept.id)] == [None, contact.id]
    assert operations.open_of(session, gone.id) == []
    note(session, actor, kept)
    events.publish(session, "party.unmerged", **facts)
    session.refresh(kept)
    session.refresh(gone)
    assert (kept.contacts_made, gone.contacts_made) == (2, 2)
    assert {one.id: one.due_on for one in operations.open_of(session, gone.id)} == before
    assert gone.next_contact_on == min(before.values())


def test_whose_customer_it_is_no_more_hears_nothing_of_what_is_said_about_it(
    session: Session, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = seller(session, "H")
    former, present = seller(session, "S1", boss.person_id), seller(session, "S2", boss.person_id)
    signed_in(monkeypatch, boss, former, present)
    customer = customer_of(session, former, "甲公司")
    made = note(session, former, customer)
    customer.owner_id = present.person_id
    session.flush()
    comments.add_comment(session, boss, record_type=RECORD, record_id=made.id, text="他走后才谈成")
    told = session.scalars(select(Notice).where(Notice.person_id == former.person_id)).all()
    assert [one.kind for one in told] == []
    assert session.scalars(select(SentMessage).where(SentMessage.channel == "sms")).all() == []
