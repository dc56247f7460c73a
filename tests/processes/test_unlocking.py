"""Customers nobody speaks to go back to the pool: at night, once, after warnings; a contact saved meanwhile wins."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine import runtime
from engine.actor import SYSTEM
from engine.clock import now
from engine.db import Sessions
from engine.errors import Forbidden, NotFound, RuleViolation
from engine.i18n import _
from processes.activity import permissions as activity
from processes.activity.operations import create_record
from processes.kernel.working_time import business_date
from processes.notices.models import Notice
from processes.ownership import jobs, operations as ownership
from processes.ownership.models import Ownership, UnlockEvent, UnlockRule
from processes.ownership.operations import handing, holding, nightly, protecting, registries, unlock_rules, unlocking
from processes.ownership.permissions import MANAGE_RULES
from processes.party.models import Customer
from tests.processes.company import Company
from tests.processes.sellers import check_whole, owned, seller, superior
from webapp import bootstrap


@pytest.fixture(scope="module", autouse=True)
def _joined_parts() -> None:
    bootstrap.join_parts()


def rule(session: Session, days: int = 10, *, active: bool = True, **values: Any) -> UnlockRule:
    made = unlock_rules.create_unlock_rule(
        session, SYSTEM, values={"name": "久未跟踪", "kind": "no_contact", "days": days, **values}
    )
    return unlock_rules.activate(session, SYSTEM, record_id=made.id) if active else made


def contacted(session: Session, customer: Customer) -> None:
    """As activity will note a qualified contact."""
    session.execute(update(Customer).where(Customer.id == customer.id).values(last_qualified_at=now()))
    session.flush()


def state_of(customer_id: int) -> str:
    session = Sessions()
    session.rollback()
    return session.scalars(select(Customer.state).where(Customer.id == customer_id)).one()


def walk() -> tuple[int, int]:
    Sessions().commit()
    night = nightly.walk()
    assert night.failed == 0
    return night.unlocked, night.warned


def test_day_n_is_locked_n_plus_1_unlocks_and_twice_a_night_unlocks_once(
    session: Session, company: Company, clock: Any
) -> None:
    rule(session)
    customer = owned(session, "甲公司", company.li).id
    clock.advance(days=10)
    assert walk() == (0, 1), "one day left: warned"
    assert walk() == (0, 0), "warned once"
    clock.advance(days=1)
    assert walk() == (1, 0)
    assert walk() == (0, 0)
    assert state_of(customer) == "open"
    own = Sessions()
    kinds = own.scalars(select(UnlockEvent.kind).order_by(UnlockEvent.id)).all()
    assert kinds == ["warn_1", "unlocked"]
    event = own.scalars(select(UnlockEvent).where(UnlockEvent.kind == "unlocked")).one()
    assert (event.rule["name"], event.rule["base"], event.due_on) == ("久未跟踪", "2026-11-23", date(2026, 12, 4))
    (stretch,) = ownership.history(own, customer)
    assert (stretch.ended_how, stretch.ended_reason, stretch.ended_by) == ("unlocked", "久未跟踪", 0)
    told = own.execute(select(Notice.person_id, Notice.kind).order_by(Notice.id)).all()
    both = {company.li.id, company.wang.id}
    assert {person for person, kind in told if kind == "ownership.unlocks_soon"} == both
    assert {person for person, kind in told if kind == "ownership.unlocked"} == both
    check_whole(own)


def test_a_rule_set_in_force_today_counts_from_today(session: Session, company: Company, clock: Any) -> None:
    customer = owned(session, "甲公司", company.li).id
    clock.advance(days=100)
    drafted = rule(session, active=False, starts_on="2026-01-01")
    assert walk() == (0, 0), "a draft does nothing"
    own = Sessions()
    unlock_rules.activate(own, SYSTEM, record_id=drafted.id)
    assert walk() == (0, 0)
    due = unlocking.countdown(Sessions(), Sessions().get_one(Customer, customer))
    assert due is not None
    assert due.days_left(business_date(now())) == 11


def test_a_contact_a_protection_or_an_approval_keeps_it(session: Session, company: Company, clock: Any) -> None:
    rule(session)
    spoken, protected, held, gone = (owned(session, name, company.li) for name in ("甲", "乙", "丙", "丁"))
    clock.advance(days=5)
    contacted(session, spoken)
    session.execute(update(Customer).where(Customer.id == protected.id).values(protected_until=date(2026, 12, 31)))
    registries.HOLDBACKS["test"] = lambda _session, _ids: {held.id: _("A quotation is being approved.")}
    ids = {one.id: name for one, name in ((spoken, "spoken"), (protected, "protected"), (held, "held"), (gone, "gone"))}
    clock.advance(days=6)
    try:
        assert walk()[0] == 1
    finally:
        del registries.HOLDBACKS["test"]
    open_ones = Sessions().scalars(select(Customer.id).where(Customer.state == "open")).all()
    assert [ids[one] for one in open_ones] == ["gone"]


def test_a_superior_protects_a_customer_and_the_pool_forgets_it(session: Session, company: Company, clock: Any) -> None:
    customer, li, wang = owned(session, "甲公司", company.li), seller(company.li), superior(company.wang)
    until = date(2027, 3, 1)
    for who, refusal in ((li, Forbidden), (seller(company.zhao), NotFound)):
        with pytest.raises(refusal):
            protecting.protect(session, who, customer_id=customer.id, until=until, reason="战略客户")
    for day, reason in ((date(2020, 1, 1), "战略客户"), (until, " ")):
        with pytest.raises(RuleViolation):
            protecting.protect(session, wang, customer_id=customer.id, until=day, reason=reason)
    protecting.protect(session, wang, customer_id=customer.id, until=until, reason="战略客户")
    assert customer.protected_until == until
    handing.hand_over(session, wang, customer_ids=[customer.id], to_id=company.zhao.id)
    session.refresh(customer)
    assert customer.protected_until == until, "it stays with whom it is handed over to"
    protecting.protect(session, wang, customer_id=customer.id, until=None)
    assert customer.protected_until is None
    protecting.protect(session, wang, customer_id=customer.id, until=until, reason="战略客户")
    ownership.release(session, seller(company.zhao), customer_id=customer.id, reason="没有需求")
    session.refresh(customer)
    assert customer.protected_until is None


def test_a_three_character_contact_record_does_not_qualify(session: Session, company: Company, clock: Any) -> None:
    rule(session)
    li = seller(company.li, activity.WRITE)
    short, long = owned(session, "甲公司", company.li).id, owned(session, "乙公司", company.li).id
    clock.advance(days=5)
    for customer, content in ((short, "已联系"), (long, "谈了价格和交货时间")):
        values = {"customer": customer, "way": "call", "result": "reached", "content": content}
        create_record(session, li, values=values, plans=False)
    clock.advance(days=6)
    assert walk()[0] == 1
    assert [state_of(one) for one in (short, long)] == ["open", "locked"]


def test_a_deal_rule_is_refused_while_nobody_keeps_deals_and_protects_as_they_say(
    session: Session, company: Company, clock: Any
) -> None:
    drafted = unlock_rules.create_unlock_rule(
        session, SYSTEM, values={"name": "久无商机", "kind": "no_deal", "days": 10}
    )
    with pytest.raises(RuleViolation, match="no part of the house keeps any yet"):
        unlock_rules.activate(session, SYSTEM, record_id=drafted.id)
    active, asleep, none = (owned(session, name, company.li).id for name in ("甲", "乙", "丙"))
    wakes = date(2026, 11, 30)
    registries.DEALS["test"] = lambda _session, _ids: {active: date.max, asleep: wakes}
    try:
        unlock_rules.activate(session, SYSTEM, record_id=drafted.id)
        clock.advance(days=11)
        assert walk()[0] == 1
        assert [state_of(one) for one in (active, asleep, none)] == ["locked", "locked", "open"]
        clock.advance(days=6)
        assert walk()[0] == 0, "ten days after its wake date it is still locked"
        clock.advance(days=1)
        assert walk()[0] == 1
        assert [state_of(one) for one in (active, asleep)] == ["locked", "open"]
    finally:
        del registries.DEALS["test"]


def test_a_dry_run_shows_who_would_lose_what_and_changes_nothing(
    session: Session, company: Company, clock: Any
) -> None:
    old = owned(session, "老客户", company.li)
    clock.advance(days=50)
    young = owned(session, "新客户", company.zhao, level="A")
    drafted = rule(session, active=False, levels=["C"])
    shown = unlocking.dry_run(session, SYSTEM, record_id=drafted.id)
    assert [(one.name, on, owner) for one, on, owner in shown] == [
        ("老客户", business_date(now()) + timedelta(days=11), company.li.id)
    ]
    for person, told in ((company.li, 1), (company.zhao, 0)):
        asker = seller(person, MANAGE_RULES)
        assert len(unlocking.dry_run(session, asker, record_id=drafted.id)) == told, "names what he sees alone"
    assert unlocking.without_start(session, SYSTEM, record_id=drafted.id) == 1
    assert (old.state, young.state) == ("locked", "locked")
    assert session.scalar(select(func.count()).select_from(UnlockEvent)) == 0
    with pytest.raises(Forbidden):
        unlocking.dry_run(session, seller(company.li), record_id=drafted.id)


def test_the_job_works_at_night_only(session: Session, company: Company, clock: Any) -> None:
    rule(session)
    customer = owned(session, "甲公司", company.li).id
    session.commit()
    clock.advance(days=20)
    assert jobs.unlock_overdue() == 0, "nine in the morning"
    clock.advance(hours=17)
    assert jobs.unlock_overdue() == 1
    assert state_of(customer) == "open"


@pytest.mark.databases("postgresql")
def test_a_contact_saved_while_the_job_runs_wins(session: Session, company: Company, clock: Any) -> None:
    rule(session)
    customer = owned(session, "甲公司", company.li)
    customer_id = customer.id
    clock.advance(days=11)
    session.commit()
    saved, answer = threading.Event(), []

    def unlock() -> None:
        saved.wait(20)
        answer.append(runtime.perform(lambda own: unlocking.unlock(own, [customer_id], business_date(now()))))
        Sessions.remove()

    job = threading.Thread(target=unlock)
    job.start()
    holding.take(session, [customer_id])  # the job has chosen it, and waits behind whoever saves the contact
    contacted(session, customer)
    saved.set()
    job.join(1)
    session.commit()
    job.join(30)
    assert answer == [[]]
    assert state_of(customer_id) == "locked"


def test_one_that_fails_stops_no_other(
    session: Session, company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(session)
    bad, *good = (owned(session, name, company.li).id for name in ("甲", "乙", "丙"))
    clock.advance(days=11)
    end = holding.end

    def ending(own: Session, actor: Any, customer: Customer, *how: Any, **more: Any) -> Any:
        if customer.id == bad:
            raise ValueError("broken")
        return end(own, actor, customer, *how, **more)

    monkeypatch.setattr(holding, "end", ending)
    Sessions().commit()
    night = nightly.walk()
    assert (night.unlocked, night.failed) == (2, 1)
    assert [state_of(one) for one in (bad, *good)] == ["locked", "open", "open"]


@pytest.mark.databases("postgresql")
def test_two_workers_in_the_same_night_unlock_once(session: Session, company: Company, clock: Any) -> None:
    rule(session)
    for number in range(12):
        owned(session, f"客户{number}", company.li if number % 2 else company.zhao)
    clock.advance(days=11)
    session.commit()
    gate, unlocked = threading.Barrier(2), []

    def work() -> None:
        gate.wait(10)
        unlocked.append(nightly.walk().unlocked)

    threads = [threading.Thread(target=work) for _both in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(unlocked) == 12
    own = Sessions()
    own.rollback()
    assert own.scalar(select(func.count()).select_from(UnlockEvent).where(UnlockEvent.kind == "unlocked")) == 12
    assert own.scalar(select(func.count()).select_from(Ownership).where(Ownership.ended_at.is_(None))) == 0
    check_whole(own)
