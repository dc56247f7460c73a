"""Leave: working days by the calendar, who approves how many, no overlaps, returned and asked again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import work_items
from engine.clock import now, turned_to
from engine.db import Sessions
from engine.errors import InvalidForm, RuleViolation
from engine.runtime import perform, start
from engine.work_items.rights import ADMINISTER
from processes.approval.operations.news import LOST
from processes.notices.models import Notice
from processes.office.models import LeaveRequest
from processes.organization.models import Employee
from tests.diagrams.test_conformance import BPMN
from tests.diagrams.walk import Walk, actor_in
from tests.processes.company import Company

Ask = Callable[..., Walk]


def form(first: str, last: str, **more: Any) -> dict[str, Any]:
    """From one day to another, whole days unless it says otherwise."""
    halves = {"first_half": "morning", "last_half": "evening"}
    return {"kind": "annual", "reason": "回老家", "first_day": first, "last_day": last, **halves, **more}


@pytest.fixture
def ask(session: Session, company: Company) -> Ask:
    def make(first: str, last: str, *, starter: Employee = company.li, **more: Any) -> Walk:
        return Walk(session, starter, "leave_request", form(first, last, **more))

    return make


def record(request: Walk) -> LeaveRequest:
    found = select(LeaveRequest).where(LeaveRequest.instance_id == request.id)
    return request.session.scalars(found.execution_options(populate_existing=True)).one()


@pytest.mark.parametrize(
    ("first", "last", "halves", "days", "heads"),
    [
        ("2026-12-01", "2026-12-01", {}, "1", False),
        ("2026-12-01", "2026-12-01", {"last_half": "noon"}, "0.5", False),
        ("2026-12-01", "2026-12-03", {"first_half": "afternoon"}, "2.5", False),
        ("2026-12-01", "2026-12-03", {}, "3", True),
        ("2026-12-04", "2026-12-07", {}, "2", False),  # over a weekend
        ("2026-09-30", "2026-10-08", {}, "2", False),  # over the National Day holidays
        ("2026-12-01", "2026-12-31", {}, "23", True),
    ],
)
def test_the_calendar_counts_and_the_days_decide_who_approves(
    company: Company, ask: Ask, first: str, last: str, halves: dict[str, str], days: str, heads: bool
) -> None:
    request = ask(first, last, starter=company.zhao, **halves)
    assert str(record(request).days) == days
    assert request.at() == ["approve_superior"]
    request.act(company.wang)
    # Wang Fang is the department's head as well: she is not asked twice for the same request.
    assert (request.instance.state, record(request).state) == ("completed", "approved")
    assert any(line.node == "approve_department_head" for line in request.log()) == heads


def test_the_department_head_is_asked_from_three_days(session: Session, company: Company, ask: Ask) -> None:
    company.sales.head_id = company.chen.id
    session.commit()
    request = ask("2026-12-01", "2026-12-03")
    request.act(company.wang)
    assert request.at() == ["approve_department_head"]
    assert request.with_whom() == [company.chen.id]
    request.act(company.chen)
    assert record(request).state == "approved"
    assert [told[:2] for told in request.told()] == [("sms", "李娜"), ("mail", "李娜")]


@pytest.mark.parametrize(
    ("first", "last", "halves", "code"),
    [
        ("2026-12-05", "2026-12-06", {}, "no_working_day"),
        ("2026-12-03", "2026-12-02", {}, "span_reversed"),
        ("2026-12-03", "2026-12-03", {"first_half": "afternoon", "last_half": "noon"}, "span_reversed"),
        ("2026-12-01", "2028-12-01", {}, "span_too_long"),
    ],
)
def test_what_cannot_be_leave_is_refused(
    session: Session, ask: Ask, first: str, last: str, halves: dict[str, str], code: str
) -> None:
    with pytest.raises(RuleViolation) as refused:
        ask(first, last, **halves)
    assert refused.value.code == code
    assert session.scalars(select(LeaveRequest)).all() == []


def test_one_is_away_once_at_a_time(session: Session, company: Company, ask: Ask) -> None:
    morning = ask("2026-12-01", "2026-12-02", last_half="noon")
    with pytest.raises(RuleViolation, match=str(record(morning).number)):
        ask("2026-12-02", "2026-12-04")
    ask("2026-12-02", "2026-12-04", first_half="afternoon")
    ask("2026-12-01", "2026-12-02", starter=company.zhao)
    work_items.withdraw(session, actor_in(session, company.li), morning.id, "改期")
    session.commit()
    assert record(morning).state == "withdrawn"
    ask("2026-12-01", "2026-12-01")


def test_two_requests_at_once_see_each_other(session: Session, company: Company) -> None:
    actor, outcomes = actor_in(session, company.li), []
    session.commit()
    barrier = threading.Barrier(2)

    def send() -> None:
        barrier.wait()
        try:
            perform(lambda session: start(session, actor, "leave_request", values=form("2026-12-01", "2026-12-03")))
            outcomes.append("sent")
        except RuleViolation as refusal:
            outcomes.append(refusal.code)
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["leave_overlaps", "sent"]


def test_returned_shortened_and_approved_under_the_same_number(company: Company, ask: Ask) -> None:
    request = ask("2026-12-01", "2026-12-03")
    number = record(request).number
    request.act(company.wang, "return", "只能两天")
    assert request.at() == ["revise"]
    request.act(company.li, "submit", values={"last_day": "2026-12-02"})
    request.act(company.wang)
    assert (str(record(request).days), record(request).number, record(request).state) == ("2", number, "approved")


def test_a_rejection_frees_the_days(company: Company, ask: Ask) -> None:
    request = ask("2026-12-01", "2026-12-01")
    request.act(company.wang, "reject", "项目上线")
    assert (request.instance.state, record(request).state) == ("rejected", "rejected")
    ask("2026-12-01", "2026-12-01")


def test_void_leave_frees_the_days_and_leave_opened_again_takes_them(
    session: Session, company: Company, ask: Ask
) -> None:
    boss = actor_in(session, company.chen, ADMINISTER)
    request = ask("2026-12-01", "2026-12-01")
    request.act(company.wang)
    request.do(lambda s: work_items.void(s, boss, request.id, "不去了"))
    assert record(request).state == "withdrawn"
    second = ask("2026-12-01", "2026-12-01")
    second.act(company.wang)
    second.do(lambda s: work_items.reopen(s, boss, second.id, second.log()[1].node, "材料不全"))
    assert record(second).state == "in_approval"
    second.act(company.wang, "reject", "项目上线")
    assert (second.instance.state, record(second).state) == ("rejected", "rejected")
    third = ask("2026-12-01", "2026-12-01")
    with pytest.raises(RuleViolation, match=str(record(third).number)):
        second.do(lambda s: work_items.reopen(s, boss, second.id, second.log()[1].node, "再看看"))
    assert (second.instance.state, record(second).state) == ("rejected", "rejected")


def test_whose_work_ended_hears_of_it_while_time_goes_on(session: Session, company: Company, ask: Ask) -> None:
    """Between what a step writes and what it tells the clock moves on."""
    ticks = iter(range(1_000_000))
    begun = now()
    with turned_to(lambda: begun + timedelta(microseconds=next(ticks))):
        request = ask("2026-12-01", "2026-12-01")
        starter = actor_in(session, company.li)
        request.do(lambda s: work_items.withdraw(s, starter, request.id, "改期"))
    told = session.scalars(select(Notice).where(Notice.kind == LOST)).all()
    assert [(one.person_id, one.record_id, one.text) for one in told] == [(company.wang.id, None, "")]


def test_the_form_is_checked(session: Session, company: Company) -> None:
    with pytest.raises(InvalidForm) as refused:
        Walk(session, company.li, "leave_request", form("soon", "2026-12-01", kind="holiday", first_half=""))
    assert set(refused.value.by_field()) == {"first_day", "kind", "first_half"}


def test_every_flow_is_walked(session: Session, company: Company, ask: Ask) -> None:
    company.sales.head_id = company.chen.id
    session.commit()
    long, short, rejected = (ask(f"2026-12-{day:02d}", f"2026-12-{end:02d}") for day, end in ((1, 4), (7, 7), (8, 8)))
    for node, person in (("superior", company.wang), ("department_head", company.chen)):
        long.fire(f"remind_{node}")
        long.fire(f"escalate_{node}")
        long.act(person)
    short.act(company.wang, "return", "x")
    short.act(company.li, "submit", values={})
    short.act(company.wang)
    rejected.act(company.wang, "reject", "x")
    walked = long.flows_taken() | short.flows_taken() | rejected.flows_taken()
    diagram = etree.parse(BPMN / "office" / "leave_request.bpmn")
    assert walked == {str(one) for one in diagram.xpath("//*[local-name()='sequenceFlow']/@id")}
