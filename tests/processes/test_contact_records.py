"""Contact records: noted once, mended for a day by versions, voided with a reason, and what customers show of them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.events import subscribe
from processes.activity import operations
from processes.activity.models import Appointment, ContactRecord
from processes.activity.permissions import POOL, may_write
from processes.party.models import Customer
from processes.party.operations import close_customer
from processes.party.permissions import MANAGE_ANY, USE
from tests.conftest import TestClock
from tests.processes.followers import SELL, contact_of, customer_of, seller

WORDS = {"way": "call", "content": "谈了价格和交货时间", "result": "reached"}


def note(session: Session, actor: Any, customer: Customer, **more: Any) -> ContactRecord:
    kept = {
        name: more.pop(name)
        for name in ("origin", "plans", "next_on", "next_at", "purpose", "appointment_id", "attachments")
        if name in more
    }
    return operations.create_record(session, actor, values={"customer": customer.id, **WORDS, **more}, **kept)


def test_a_contact_is_noted_with_everything_it_leads_to(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司", level="A")
    contact = contact_of(session, customer, "陈平", role="decides")
    version, heard = customer.version, []

    @subscribe(operations.RECORDED)
    def hear(_session: Session, **facts: Any) -> None:
        heard.append(facts)

    made = note(session, actor, customer, contact=contact.id, place="总部", next_step="发报价")
    assert (made.is_qualified, made.at, made.state, made.person_id) == (True, clock(), "active", actor.person_id)
    assert (customer.last_contact_at, customer.last_qualified_at, customer.contacts_made) == (clock(), clock(), 1)
    assert (contact.last_contact_at, contact.contacts_made) == (clock(), 1)
    assert customer.version == version, "nobody's open form goes stale"
    assert heard[0]["qualified"] is True
    plan = session.scalars(select(Appointment)).one()
    assert (plan.contact_id, plan.person_id, plan.state) == (contact.id, actor.person_id, "open")
    assert plan.due_on.isoformat() == "2026-11-30"
    assert customer.next_contact_on == contact.next_contact_on == plan.due_on


def test_the_same_wish_is_the_same_record(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer, other = customer_of(session, actor, "甲公司"), customer_of(session, actor, "乙公司")
    first = note(session, actor, customer, origin="call:7")
    assert note(session, actor, customer, origin="call:7") is first
    with pytest.raises(Conflict):
        note(session, actor, other, origin="call:7")
    assert session.scalar(select(func.count()).select_from(ContactRecord)) == 1


@pytest.mark.databases("postgresql")
def test_sent_twice_at_once_it_is_noted_once(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    customer_id, made = customer.id, []
    session.commit()
    barrier = threading.Barrier(4)

    def send() -> None:
        barrier.wait()
        with transaction() as own:
            made.append(note(own, actor, own.get_one(Customer, customer_id), origin="form:1").id)
        Sessions.remove()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 4
    assert len(set(made)) == 1
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(Appointment)) == 1
    assert session.get_one(Customer, customer_id).contacts_made == 1


@pytest.mark.databases("postgresql")
def test_two_who_note_at_once_leave_one_plan_and_the_right_count(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor = seller(session, "S1", boss.person_id)
    customer_id = customer_of(session, actor, "甲公司").id
    session.commit()
    barrier, done = threading.Barrier(2), []

    def send(who: Any) -> None:
        for _each in range(3):
            barrier.wait(20)
            with transaction() as own:
                note(own, who, own.get_one(Customer, customer_id))
            Sessions.remove()
        done.append(who)

    threads = [threading.Thread(target=send, args=(who,)) for who in (boss, actor)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 2
    session.expire_all()
    open_ones = select(func.count()).select_from(Appointment).where(Appointment.state == "open")
    assert session.scalar(open_ones) == 1
    assert session.get_one(Customer, customer_id).contacts_made == 6


def test_a_backdated_record_counts_but_never_moves_a_newer_date(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    note(session, actor, customer)
    (plan,) = operations.open_of(session, customer.id)
    clock.advance(hours=1)
    note(session, actor, customer, at=clock() - timedelta(days=10))
    assert customer.last_contact_at == clock() - timedelta(hours=1)
    assert customer.contacts_made == 2
    (still,) = operations.open_of(session, customer.id)
    assert (still.id, still.due_on) == (plan.id, plan.due_on), "it never overwrites a newer plan"
    operations.cancel(session, actor, appointment_id=still.id, reason="客户不要了")
    note(session, actor, customer, at=clock() - timedelta(days=3))
    assert operations.open_of(session, customer.id) == [], "nor makes a plan where the newer word was none"
    for at in (clock() + timedelta(days=1), clock() - timedelta(days=61)):
        with pytest.raises(InvalidForm) as refusal:
            note(session, actor, customer, at=at)
        assert refusal.value.problems[0].where == "at"


def test_it_is_mended_for_a_day_by_whoever_wrote_it(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor = seller(session, "S1", boss.person_id)
    customer = customer_of(session, actor, "甲公司")
    made = note(session, actor, customer, content="已联系")
    assert (made.is_qualified, customer.last_qualified_at) == (False, None)
    version = made.version
    operations.edit_record(session, actor, record_id=made.id, version=version, values={"content": "谈了价格和交货时间"})
    assert (made.is_qualified, customer.last_qualified_at) == (True, made.at)
    (was,) = operations.versions(session, made.id)
    assert (was.number, was.values["content"]) == (1, "已联系")
    with pytest.raises(Conflict):
        operations.edit_record(session, actor, record_id=made.id, version=version, values={"content": "别的内容"})
    with pytest.raises(Forbidden):
        operations.edit_record(session, boss, record_id=made.id, values={"content": "别的内容"})
    operations.edit_record(session, actor, record_id=made.id, values={"content": made.content})
    assert len(operations.versions(session, made.id)) == 1, "what changes nothing leaves no version"
    clock.advance(hours=24, minutes=1)
    with pytest.raises(RuleViolation) as refusal:
        operations.edit_record(session, actor, record_id=made.id, values={"content": "太晚了"})
    assert refusal.value.code == "window_over"


def test_a_void_record_stays_and_counts_no_more(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor, other = seller(session, "S1", boss.person_id), seller(session, "S2")
    customer = customer_of(session, actor, "甲公司")
    contact = contact_of(session, customer, "陈平")
    first = note(session, actor, customer, contact=contact.id)
    clock.advance(days=2)
    second = note(session, actor, customer, contact=contact.id)
    assert customer.last_contact_at == contact.last_contact_at == second.at
    with pytest.raises(InvalidForm):
        operations.void_record(session, boss, record_id=second.id, reason="  ")
    with pytest.raises(NotFound):
        operations.void_record(session, other, record_id=second.id, reason="误录")
    operations.void_record(session, boss, record_id=second.id, reason="误录")
    assert (second.state, second.void_reason) == ("void", "误录")
    assert customer.last_contact_at == contact.last_contact_at == first.at
    assert (customer.contacts_made, contact.contacts_made) == (1, 1)
    with pytest.raises(RuleViolation):
        operations.void_record(session, boss, record_id=second.id, reason="再来")
    with pytest.raises(RuleViolation):
        operations.edit_record(session, actor, record_id=second.id, values={"content": "改一改"})
    operations.void_record(session, actor, record_id=first.id, reason="误录")
    assert (customer.last_contact_at, customer.last_qualified_at, customer.contacts_made) == (None, None, 0)


def test_the_house_may_have_customers_of_the_pool_spoken_to_by_whoever_locks_them(
    session: Session, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = seller(session, "H")
    actor, other = seller(session, "S1", boss.person_id), seller(session, "S2")
    pool, owned = customer_of(session, None, "乙公司"), customer_of(session, actor, "甲公司")
    planned = operations.make_appointment(session, actor, values={"customer": pool.id})
    monkeypatch.setattr(POOL, "is_for_all", False)
    plan = {"appointment_id": planned.id}
    for refused in (
        lambda: note(session, actor, pool),
        lambda: operations.make_appointment(session, other, values={"customer": pool.id}),
        lambda: operations.take_over(session, other, **plan),
        lambda: operations.cancel(session, other, reason="不去", **plan),
        lambda: operations.reschedule(session, actor, due_on=operations.today(), reason="改期", **plan),
    ):
        with pytest.raises(Forbidden) as refusal:
            refused()
        assert refusal.value.code == "pool_is_closed"
        assert pool.name in str(refusal.value.message)
        assert refusal.value.remedy
    assert not may_write(session, actor, pool)
    assert operations.cancel(session, actor, reason="不去", **plan).state == "cancelled", "his own he may end"
    note(session, boss, owned)
    manager = replace(other, permissions=frozenset({*SELL, MANAGE_ANY}))
    note(session, manager, pool)
    pool.owner_id, pool.state = other.person_id, "locked"
    note(session, other, pool)


def test_who_may_note_a_contact(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor, other = seller(session, "S1", boss.person_id), seller(session, "S2")
    owned, pool = customer_of(session, actor, "甲公司"), customer_of(session, None, "乙公司")
    note(session, boss, owned)
    note(session, other, pool)
    with pytest.raises(NotFound):
        note(session, other, owned)
    with pytest.raises(NotFound):
        operations.create_record(session, other, values={**WORDS, "customer": 999_999})
    stranger = contact_of(session, pool, "林一")
    with pytest.raises(InvalidForm) as refusal:
        note(session, actor, owned, contact=stranger.id)
    assert refusal.value.problems[0].where == "contact"
    reader = seller(session, "S3")
    with pytest.raises(Forbidden):
        note(session, replace(reader, permissions=frozenset({USE})), pool)
    close_customer(session, actor, record_id=owned.id)
    with pytest.raises(RuleViolation) as closed:
        note(session, actor, owned)
    assert closed.value.code == "customer_closed"


def test_everything_wrong_is_named_at_once(session: Session, clock: TestClock) -> None:
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    wrong = {"way": "pigeon", "content": "", "result": "perhaps", "at": "yesterday", "source_type": "telephony.call"}
    with pytest.raises(InvalidForm) as refusal:
        note(session, actor, customer, **wrong)
    assert {one.where for one in refusal.value.problems} == {"way", "content", "result", "at", "source_id"}
    assert session.scalar(select(func.count()).select_from(ContactRecord)) == 0
    assert engine_clock.now() == clock()
    with pytest.raises(InvalidForm):
        note(session, actor, customer, at=datetime(2026, 11, 22, 10))
    note(session, actor, customer, at=datetime(2026, 11, 22, 10, tzinfo=UTC))
