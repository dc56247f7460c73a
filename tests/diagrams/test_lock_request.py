"""Applying for a customer: asked at both ends, first approval wins, the others are told and end as drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import runtime, work_items
from engine.actor import SYSTEM
from engine.db import Sessions
from engine.errors import AppError, Conflict, RuleViolation
from engine.models import Instance
from processes.notices.models import Notice
from processes.organization.models import Employee
from processes.ownership import jobs, operations as ownership
from processes.ownership.models import LockLimit, LockRequest
from processes.ownership.operations import handing
from processes.ownership.operations.requests import place_in_queue
from processes.party.models import Customer
from tests.diagrams.walk import Walk, actor_in
from tests.processes.company import Company
from tests.processes.sellers import SELLER, check_whole, in_pool, limit, owned, superior


def apply(session: Session, person: Employee, customer: Customer) -> Walk:
    values = {"name": customer.name, "customer": str(customer.id), "reason": "想跟进"}
    return Walk(session, person, "lock_request", values, *SELLER)


def request_of(session: Session, walk: Walk) -> LockRequest:
    session.rollback()
    return session.scalars(
        select(LockRequest).where(LockRequest.instance_id == walk.id).execution_options(populate_existing=True)
    ).one()


def fresh(session: Session, customer: Customer) -> Customer:
    session.rollback()
    return session.get_one(Customer, customer.id, populate_existing=True)


def test_approved_the_customer_is_his(session: Session, company: Company) -> None:
    customer = in_pool(session, "甲公司")
    walk = apply(session, company.li, customer)
    assert (walk.at(), walk.with_whom()) == (["approve"], [company.wang.id])
    assert str(ownership.usage(session, company.li.id)) == "1", "what is asked for counts"
    walk.act(company.wang)
    assert (walk.instance.state, fresh(session, customer).owner_id) == ("completed", company.li.id)
    assert request_of(session, walk).state == "approved"
    assert ownership.usage(session, company.li.id).used == 1
    (stretch,) = ownership.history(session, customer.id)
    assert (stretch.how, stretch.reason, stretch.by_id) == ("applied", "想跟进", company.wang.id)
    check_whole(session)


def test_rejected_it_stays_in_the_pool_and_counts_no_more(session: Session, company: Company) -> None:
    customer = in_pool(session, "甲公司")
    walk = apply(session, company.li, customer)
    walk.act(company.wang, "reject", "先做好手上的")
    assert (walk.instance.state, fresh(session, customer).state) == ("rejected", "open")
    assert (request_of(session, walk).state, ownership.usage(session, company.li.id).used) == ("rejected", 0)


def test_two_applicants_the_first_approval_wins_the_second_is_closed_with_a_reason(
    session: Session, company: Company
) -> None:
    customer = in_pool(session, "甲公司")
    first, second = apply(session, company.li, customer), apply(session, company.zhao, customer)
    assert place_in_queue(session, request_of(session, second)) == (2, 2)
    first.act(company.wang)
    late = request_of(session, second)
    assert late.state == "closed"
    assert "李娜" in late.closing
    assert ownership.usage(session, company.zhao.id).used == 0
    with pytest.raises(RuleViolation, match="is over"):
        second.act(company.wang)
    late_one = second.id
    told = set(session.scalars(select(Notice.person_id).where(Notice.kind == "ownership.request_closed")))
    assert told == {company.zhao.id}
    session.rollback()
    assert jobs.end_closed_requests() == 1
    session = Sessions()  # the job has put the thread's one away
    assert session.get_one(Instance, late_one).state == "rejected"
    assert work_items.open_items(session, late_one) == []
    assert jobs.end_closed_requests() == 0
    check_whole(Sessions())


def test_withdrawn_or_terminated_it_counts_no_more(session: Session, company: Company) -> None:
    limit(session, 1)
    one, other = in_pool(session, "甲公司"), in_pool(session, "乙公司")
    walk = apply(session, company.li, one)
    with pytest.raises(RuleViolation, match="1 of 1"):
        apply(session, company.li, other)
    li = actor_in(session, company.li)
    walk.do(lambda own: work_items.withdraw(own, li, walk.id, "不要了"))
    assert request_of(session, walk).state == "withdrawn"
    again = apply(session, company.li, other)
    again.do(lambda own: work_items.terminate(own, SYSTEM, again.id, "停"))
    assert request_of(session, again).state == "withdrawn"
    assert ownership.usage(session, company.li.id).used == 0


def test_valid_at_submit_limit_lowered_before_approval_is_refused_with_the_rule_named(
    session: Session, company: Company
) -> None:
    limit(session, 2, department=company.sales)
    owned(session, "老客户", company.li)
    customer = in_pool(session, "甲公司")
    walk = apply(session, company.li, customer)
    rule = session.scalars(select(LockLimit)).one()
    ownership.change_limit(session, SYSTEM, record_id=rule.id, values={"most": 1})
    with pytest.raises(RuleViolation, match="李娜 holds 1 of 1 customers"):
        walk.act(company.wang)
    assert (walk.at(), fresh(session, customer).state) == (["approve"], "open")


def test_what_came_into_the_pool_lately_is_granted_when_all_could_apply(
    session: Session, company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership.HOUSE, "fair_hours", 24)
    customer = owned(session, "甲公司", company.zhao)
    ownership.release(session, actor_in(session, company.zhao, *SELLER), customer_id=customer.id, reason="没戏")
    first = apply(session, company.li, customer)
    with pytest.raises(RuleViolation, match="granted from 2026-11-24") as refusal:
        first.act(company.wang)
    assert (refusal.value.code, first.at(), fresh(session, customer).state) == ("fair_window", ["approve"], "open")
    clock.advance(hours=24)
    first.act(company.wang)
    assert fresh(session, customer).owner_id == company.li.id


def test_released_it_is_not_given_back_inside_the_cool_down_but_a_superior_may_assign_it(
    session: Session, company: Company, clock: Any
) -> None:
    limit(session, 1, person=company.zhao)
    customer = owned(session, "甲公司", company.li)
    li = actor_in(session, company.li, *SELLER)
    ownership.release(session, li, customer_id=customer.id, reason="没戏")
    with pytest.raises(RuleViolation, match="from 2026-11-30") as refusal:
        apply(session, company.li, customer)
    assert refusal.value.code == "cooling_down"
    apply(session, company.zhao, customer)  # whoever did not let it go may have it
    session.rollback()
    handing.hand_over(
        session, superior(company.wang), customer_ids=[customer.id], to_id=company.li.id, reason="再试一次"
    )
    ownership.release(session, li, customer_id=customer.id, reason="没戏")
    clock.advance(days=7)
    apply(session, company.li, customer)


def test_a_superiors_assignment_ignores_the_cool_down_but_not_the_limit(session: Session, company: Company) -> None:
    customer = owned(session, "甲公司", company.li)
    ownership.release(session, actor_in(session, company.li, *SELLER), customer_id=customer.id, reason="没戏")
    limit(session, 1, person=company.li)
    owned(session, "乙公司", company.li)
    assign = {"customer_ids": [customer.id], "to_id": company.li.id, "reason": "再试一次"}
    with pytest.raises(RuleViolation) as refusal:
        handing.hand_over(session, superior(company.wang), **assign)
    assert refusal.value.code == "at_limit"
    limits = session.scalars(select(LockLimit)).one()
    limits.most = 2
    handing.hand_over(session, superior(company.wang), **assign)
    assert customer.owner_id == company.li.id
    check_whole(session)


def test_what_is_not_open_is_not_applied_for_nor_twice_nor_beyond_the_daily_cap(
    session: Session, company: Company
) -> None:
    taken, customer, other = (
        owned(session, "甲公司", company.wang),
        in_pool(session, "乙公司"),
        in_pool(session, "丙公司"),
    )
    with pytest.raises((Conflict, AppError)):
        apply(session, company.li, taken)
    walk = apply(session, company.li, customer)
    with pytest.raises(RuleViolation, match="applied for 乙公司 already"):
        apply(session, company.li, customer)
    walk.act(company.wang, "reject", "否")
    cap, ownership.HOUSE.daily_requests = ownership.HOUSE.daily_requests, 1
    try:
        with pytest.raises(RuleViolation, match="applied for 1 customers today"):
            apply(session, company.li, other)
    finally:
        ownership.HOUSE.daily_requests = cap


def test_voided_the_customer_goes_back(session: Session, company: Company) -> None:
    customer = in_pool(session, "甲公司")
    walk = apply(session, company.li, customer)
    walk.act(company.wang)
    walk.do(lambda own: work_items.void(own, SYSTEM, walk.id, "弄错了"))
    assert (fresh(session, customer).owner_id, request_of(session, walk).state) == (None, "withdrawn")
    check_whole(session)


@pytest.mark.databases("postgresql")
def test_two_superiors_approve_at_the_same_moment(session: Session, company: Company) -> None:
    company.zhao.superior = company.chen
    customer = in_pool(session, "甲公司")
    walks = [apply(session, company.li, customer), apply(session, company.zhao, customer)]
    answers = approved_at_once(session, walks, [company.wang, company.chen])
    assert sorted(answers) == ["done", "request_over"]
    ids = [walk.id for walk in walks]
    jobs.end_closed_requests()
    session = Sessions()
    states = session.scalars(select(Instance.state).where(Instance.id.in_(ids))).all()
    assert sorted(states) == ["completed", "rejected"]
    check_whole(session)


def test_two_sessions_approve_the_last_free_slot_of_one_person(session: Session, company: Company) -> None:
    limit(session, 2, person=company.li)
    wanted = [in_pool(session, name) for name in ("甲公司", "乙公司")]
    walks = [apply(session, company.li, customer) for customer in wanted]
    rule = session.scalars(select(LockLimit)).one()
    ownership.change_limit(session, SYSTEM, record_id=rule.id, values={"most": 1})
    answers = approved_at_once(session, walks, [company.wang, company.wang])
    assert sorted(answers) == ["at_limit", "done"]
    session = Sessions()
    owners = session.scalars(select(Customer.owner_id).where(Customer.id.in_([one.id for one in wanted]))).all()
    assert sorted(owners, key=bool) == [None, company.li.id]
    check_whole(session)


def approved_at_once(session: Session, walks: list[Walk], superiors: list[Employee]) -> list[str]:
    """Each by his superior, in threads that set out together; "done", or the code of what was refused."""
    approvers = [actor_in(session, one) for one in superiors]
    items = [(walk.open[0].id, walk.open[0].version) for walk in walks]
    session.commit()
    gate, answers = threading.Barrier(len(items)), [""] * len(items)

    def decide(number: int) -> Callable[[], None]:
        def work() -> None:
            item, version = items[number]
            gate.wait(10)
            try:
                runtime.perform(
                    lambda own: work_items.act(own, approvers[number], item, "approve", version=version, opinion="")
                )
                answers[number] = "done"
            except AppError as refusal:
                answers[number] = refusal.code
            finally:
                Sessions.remove()

        return work

    threads = [threading.Thread(target=decide(number)) for number in range(len(items))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers
