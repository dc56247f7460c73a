"""Delegations from the wish to the end: who decides what for whom, when it begins, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from engine import jobs, runtime, work_items
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import Incident, InstanceLog, Timer, WorkItem
from processes.approval import operations
from processes.approval.models import Delegation
from processes.approval.permissions import MANAGE_DELEGATIONS
from processes.organization import operations as organization
from processes.organization.models import Employee
from tests.diagrams.test_conformance import BPMN
from tests.diagrams.walk import Walk, actor_in
from tests.processes.company import Company

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Where the clock stands."""


def at(**later: float) -> str:
    return (NOW + timedelta(**later)).isoformat()


class Away(Walk):
    """A delegation, from its filing on."""

    @property
    def record(self) -> Delegation:
        found = select(Delegation).where(Delegation.instance_id == self.id)
        return self.session.scalars(found.execution_options(populate_existing=True)).one()

    def begin(self, delegate: Employee) -> Away:
        """Accepted, and its start has come."""
        self.act(delegate)
        self.fire("at_start")
        return self

    def end_by(self, person: Employee, *permissions: str) -> None:
        actor, delegation_id = actor_in(self.session, person, *permissions), self.record.id
        self.do(lambda session: operations.end(session, actor, delegation_id=delegation_id))


def approve(
    request: Walk, person: Employee, item_id: int, *, refused: type[Exception], version: int | None = None
) -> None:
    """He tries to, and may not."""
    actor = actor_in(request.session, person)
    with pytest.raises(refused):
        request.do(lambda session: work_items.act(session, actor, item_id, "approve", version=version))


@pytest.fixture
def delegate(session: Session, company: Company) -> Callable[..., Away]:
    """Somebody delegates for the next five days."""

    def make(giver: Employee, taker: Employee, *permissions: str, **more: Any) -> Away:
        values = {"starts": at(hours=1), "ends": at(days=5), "scope": "all", "reason": "出差", "delegate": taker.id}
        return Away(session, giver, "delegation", {**values, **more}, *permissions)

    return make


@pytest.fixture
def expense(session: Session, company: Company) -> Callable[..., Walk]:
    def make(starter: Employee, amount: str = "100") -> Walk:
        lines = [{"category": "travel", "amount": amount}]
        return Walk(session, starter, "expense_request", {"title": "拜访客户", "lines": lines})

    return make


Delegate = Callable[..., Away]
Send = Callable[..., Walk]

# ------------------------------------------------------------------------------------------------- answered


def test_it_holds_from_its_start_once_it_is_accepted(company: Company, delegate: Delegate, expense: Send) -> None:
    away = delegate(company.wang, company.sun)
    assert (away.at(), away.with_whom(), away.record.state) == (["answer"], [company.sun.id], "requested")
    assert away.told()[0][:2] == ("sms", "孙悦")
    assert "王芳请您在" in away.told()[0][2]
    away.act(company.sun)
    assert away.record.state == "accepted"
    assert away.timers() == {"at_start": NOW + timedelta(hours=1)}
    assert expense(company.li).with_whom() == [company.wang.id], "not before its start"
    away.fire("at_start")
    assert away.record.state == "active"
    request = expense(company.li)
    assert request.with_whom() == [company.sun.id]
    assert request.open[0].on_behalf_of == company.wang.id


def test_every_line_says_for_whom(session: Session, company: Company, delegate: Delegate, expense: Send) -> None:
    delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    request.act(company.sun, opinion="同意")
    assert request.instance.state == "completed"
    (line,) = [line for line in request.log() if line.action == "approve"]
    assert (line.actor_id, line.on_behalf_of) == (company.sun.id, company.wang.id)
    item = session.scalars(select(WorkItem).where(WorkItem.instance_id == request.id)).one()
    assert (item.done_by, item.on_behalf_of) == (company.sun.id, company.wang.id)


def test_declined_with_a_reason(company: Company, delegate: Delegate) -> None:
    away = delegate(company.wang, company.sun)
    with pytest.raises(InvalidForm):
        away.act(company.sun, "reject")
    away.act(company.sun, "reject", "我也不在")
    assert (away.record.state, away.instance.state) == ("declined", "completed")
    assert away.told()[-1][:2] == ("sms", "王芳")
    delegate(company.wang, company.li)


def test_nobody_else_answers(session: Session, company: Company, delegate: Delegate) -> None:
    away = delegate(company.wang, company.sun)
    for person, refusal in ((company.wang, Forbidden), (company.zhao, NotFound)):
        with pytest.raises(refusal):
            operations.answer(session, actor_in(session, person), delegation_id=away.record.id, decision="approve")
        session.rollback()
    operations.answer(session, actor_in(session, company.sun), delegation_id=away.record.id, decision="approve")
    session.commit()
    with pytest.raises(Conflict):
        operations.answer(session, actor_in(session, company.sun), delegation_id=away.record.id, decision="approve")


def test_without_an_answer_it_is_void_at_its_end(company: Company, delegate: Delegate, clock: Any) -> None:
    away = delegate(company.wang, company.sun)
    clock.advance(days=6)
    away.fire("too_late")
    assert (away.record.state, away.instance.state, away.open) == ("cancelled", "completed", [])
    assert "没有答复" in away.told()[-1][2]


def test_it_cannot_be_accepted_after_its_end(company: Company, delegate: Delegate, clock: Any) -> None:
    away = delegate(company.wang, company.sun)
    clock.advance(days=6)
    with pytest.raises(RuleViolation) as refused:
        away.act(company.sun)
    assert refused.value.code == "period_over"


def test_to_be_asked_is_nothing_one_delegates(company: Company, delegate: Delegate) -> None:
    delegate(company.sun, company.chen).begin(company.chen)
    assert delegate(company.wang, company.sun).with_whom() == [company.sun.id]


# ------------------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"starts": at(days=5), "ends": at(days=1)}, "period_reversed"),
        ({"starts": at(days=-5), "ends": at(days=-1)}, "period_over"),
        ({"ends": at(days=500)}, "period_too_long"),
    ],
)
def test_what_the_rules_refuse_leaves_nothing(
    session: Session, company: Company, delegate: Delegate, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(RuleViolation) as refused:
        delegate(company.wang, company.sun, **more)
    assert refused.value.code == code
    assert session.scalar(select(func.count()).select_from(Delegation)) == 0


def test_to_oneself_and_in_a_circle_and_twice_is_refused(company: Company, delegate: Delegate) -> None:
    with pytest.raises(RuleViolation) as refused:
        delegate(company.wang, company.wang)
    assert refused.value.code == "delegation_to_oneself"
    delegate(company.wang, company.sun)
    with pytest.raises(RuleViolation) as refused:
        delegate(company.sun, company.wang)
    assert refused.value.code == "delegation_circle"
    with pytest.raises(RuleViolation) as refused:
        delegate(company.wang, company.li)
    assert (refused.value.code, bool(refused.value.remedy)) == ("delegation_overlaps", True)


def test_only_human_resources_delegate_for_others(company: Company, delegate: Delegate) -> None:
    with pytest.raises(Forbidden):
        delegate(company.li, company.sun, delegator=company.wang.id)
    away = delegate(company.sun, company.sun, MANAGE_DELEGATIONS, delegator=company.wang.id)
    assert (away.record.delegator_id, away.with_whom()) == (company.wang.id, [company.sun.id])
    away.begin(company.sun)


def test_the_limit_and_the_processes_are_asked_for(company: Company, delegate: Delegate) -> None:
    with pytest.raises(InvalidForm) as refused:
        delegate(company.wang, company.sun, scope="amount")
    assert set(refused.value.by_field()) == {"limit"}
    with pytest.raises(InvalidForm) as refused:
        delegate(company.wang, company.sun, scope="processes", processes=["no_such_process"])
    assert set(refused.value.by_field()) == {"processes"}


# ------------------------------------------------------------------------------------------------- who acts


@pytest.mark.parametrize(("amount", "theirs"), [("500.00", True), ("500.01", False)])
def test_up_to_an_amount(company: Company, delegate: Delegate, expense: Send, amount: str, theirs: bool) -> None:
    delegate(company.wang, company.sun, scope="amount", limit="500.00").begin(company.sun)
    assert expense(company.li, amount).with_whom() == [company.sun.id if theirs else company.wang.id]


def test_without_an_amount_a_limit_does_not_hold(session: Session, company: Company, delegate: Delegate) -> None:
    delegate(company.wang, company.sun, scope="amount", limit="500.00").begin(company.sun)
    assert general(session, company.li, company.wang).with_whom() == [company.wang.id]


def general(session: Session, starter: Employee, *approvers: Employee, mode: str = "all") -> Walk:
    values = {"title": "x", "text": "y", "mode": mode, "approvers": [one.id for one in approvers]}
    return Walk(session, starter, "general_approval", values)


def test_some_processes_to_one_and_others_to_another(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    delegate(company.wang, company.sun, scope="processes", processes=["expense_request"]).begin(company.sun)
    delegate(company.wang, company.chen, scope="processes", processes=["leave_request"]).begin(company.chen)
    assert expense(company.li).with_whom() == [company.sun.id]
    assert general(session, company.li, company.wang).with_whom() == [company.wang.id]


def test_along_the_chain_the_last_one_acts(company: Company, delegate: Delegate, expense: Send) -> None:
    delegate(company.wang, company.sun).begin(company.sun)
    delegate(company.sun, company.chen).begin(company.chen)
    request = expense(company.li)
    assert request.with_whom() == [company.chen.id]
    assert request.open[0].on_behalf_of == company.wang.id


def test_a_request_of_the_delegate_goes_to_the_superior_of_who_is_away(
    company: Company, delegate: Delegate, expense: Send
) -> None:
    delegate(company.wang, company.li).begin(company.li)
    assert expense(company.li).with_whom() == [company.chen.id]
    assert expense(company.zhao).with_whom() == [company.li.id]


def test_what_one_has_to_mend_oneself_is_delegated_to_nobody(
    company: Company, delegate: Delegate, expense: Send
) -> None:
    request = expense(company.li)
    delegate(company.li, company.zhao).begin(company.zhao)
    request.act(company.wang, "return", "请附报价")
    assert (request.at(), request.with_whom()) == (["revise"], [company.li.id])


def test_where_both_sit_there_are_two_opinions(session: Session, company: Company, delegate: Delegate) -> None:
    delegate(company.wang, company.sun).begin(company.sun)
    request = general(session, company.li, company.wang, company.sun)
    assert [(item.assignee_id, item.on_behalf_of) for item in request.open] == [
        (company.sun.id, company.wang.id),
        (company.sun.id, None),
    ]
    actor = actor_in(session, company.sun)
    for left, item_id in zip((1, 0), [item.id for item in request.open], strict=True):
        request.do(lambda session, item_id=item_id: work_items.act(session, actor, item_id, "approve"))  # type: ignore[misc]
        assert len(request.open) == left
    assert request.instance.state == "completed"
    deeds = [(line.actor_id, line.on_behalf_of) for line in request.log() if line.action == "approve"]
    assert deeds == [(company.sun.id, company.wang.id), (company.sun.id, None)]


def test_nobody_is_asked_about_the_form_unless_there_is_a_limit(
    session: Session, company: Company, delegate: Delegate
) -> None:
    delegate(company.wang, company.sun).begin(company.sun)

    def never() -> dict[str, Any]:
        raise AssertionError("the form was read")

    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    people = [company.wang.id, company.chen.id, company.li.id]
    expected = {company.wang.id: company.sun.id}
    facts: dict[str, Any] = {"definition_key": "expense_request", "starter_id": company.li.id, "form": never}
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    assert operations.proxies(session, people, **facts) == expected
    assert operations.proxies(session, people[1:2], **facts) == {}
    event.remove(connection, "before_cursor_execute", note)
    assert len(asked) == 2, "one question each"


# ------------------------------------------------------------------------------------------------- the sweep


@pytest.mark.parametrize("include", [False, True])
def test_what_waits_already_goes_over_where_asked(
    company: Company, delegate: Delegate, expense: Send, include: bool
) -> None:
    small, large, own = expense(company.li), expense(company.zhao, "800"), expense(company.sun)
    delegate(company.wang, company.sun, include_waiting=include, scope="amount", limit="500").begin(company.sun)
    assert small.with_whom() == [company.sun.id if include else company.wang.id]
    assert large.with_whom() == [company.wang.id], "beyond the limit"
    assert own.with_whom() == [company.chen.id]
    if include:
        assert [(line.action, line.actor_id) for line in small.log()[-1:]] == [("stand_in", 0)]
        small.act(company.sun)
        assert small.instance.state == "completed"


def test_at_its_end_what_is_unfinished_returns(company: Company, delegate: Delegate, expense: Send, clock: Any) -> None:
    waited = expense(company.li)
    away = delegate(company.wang, company.sun, include_waiting=True)
    clock.advance(hours=1)
    away.begin(company.sun)
    done, left = expense(company.zhao), expense(company.zhao)
    done.act(company.sun)
    clock.turn_to(NOW + timedelta(days=5))
    away.fire("at_end")
    assert (away.record.state, away.record.ended_by, away.instance.state) == ("ended", 0, "completed")
    for request in (waited, left):
        assert request.with_whom() == [company.wang.id]
        assert request.open[0].on_behalf_of is None
        request.act(company.wang)
    assert done.instance.state == "completed"
    assert expense(company.li).with_whom() == [company.wang.id]
    assert [told[:2] for told in away.told()[-2:]] == [("sms", "孙悦"), ("sms", "王芳")]
    assert "代办1件，退回您2件" in away.told()[-1][2]


def test_ended_by_hand_in_the_middle(session: Session, company: Company, delegate: Delegate, expense: Send) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    with pytest.raises(NotFound):
        away.end_by(company.zhao)
    away.end_by(company.wang)
    assert (away.record.state, away.record.ended_by) == ("ended", company.wang.id)
    assert away.timers() == {}
    (item,) = request.open
    assert (item.assignee_id, item.on_behalf_of) == (company.wang.id, None)
    approve(request, company.sun, item.id, refused=NotFound)
    with pytest.raises(Conflict):
        away.end_by(company.wang)
    request.act(company.wang)


def test_a_decision_on_the_page_as_it_was_before_the_end_is_refused(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    (seen,) = request.open
    version = seen.version
    away.end_by(company.sun)
    approve(request, company.sun, seen.id, version=version, refused=NotFound)
    assert request.instance.state == "running"


def test_the_delegator_takes_one_item_back(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    (item,) = request.open
    with pytest.raises((Forbidden, NotFound)):
        work_items.take_back(session, actor_in(session, company.zhao), item.id)
    session.rollback()
    work_items.take_back(session, actor_in(session, company.wang), item.id)
    session.commit()
    assert request.with_whom() == [company.wang.id]
    away.end_by(company.wang)
    assert request.with_whom() == [company.wang.id]


def test_what_was_transferred_stays_with_its_new_holder(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = general(session, company.li, company.wang)
    actor, item_id, other = actor_in(session, company.sun), request.open[0].id, company.chen.id
    request.do(lambda session: work_items.transfer(session, actor, item_id, other))
    away.end_by(company.wang)
    assert request.with_whom() == [company.chen.id]


def test_what_the_delegate_has_asked_somebody_about_returns_too(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = general(session, company.li, company.wang)
    actor, item_id, other = actor_in(session, company.sun), request.open[0].id, company.chen.id
    request.do(lambda session: work_items.delegate(session, actor, item_id, other))
    away.end_by(company.wang)
    assert (request.with_whom(), request.open[0].on_behalf_of) == ([company.wang.id], None)


def test_who_waits_for_his_turn_gets_it_himself_after_the_end(
    session: Session, company: Company, delegate: Delegate
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = general(session, company.li, company.chen, company.wang, mode="in_order")
    assert request.with_whom() == [company.chen.id]
    away.end_by(company.wang)
    request.act(company.chen)
    assert request.with_whom() == [company.wang.id]


def test_who_waits_for_his_turn_is_stood_in_for_when_it_comes(
    session: Session, company: Company, delegate: Delegate
) -> None:
    request = general(session, company.li, company.chen, company.wang, mode="in_order")
    delegate(company.wang, company.sun, include_waiting=True).begin(company.sun)
    assert request.with_whom() == [company.chen.id]
    request.act(company.chen)
    assert request.with_whom() == [company.sun.id]


def test_in_a_pool_the_delegate_may_take_it_while_it_holds(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.zhao.id, values={"positions": [company.accountant]})
    away = delegate(company.sun, company.wang).begin(company.wang)
    request = expense(company.li, "10000")
    request.act(company.wang)
    request.act(company.wang)
    assert request.at() == ["approve_finance"]
    assert company.wang.id in request.open[0].candidates
    away.end_by(company.sun)
    assert company.wang.id not in request.open[0].candidates
    approve(request, company.wang, request.open[0].id, refused=Forbidden)
    request.act(company.zhao)


def test_in_the_middle_of_a_chain_an_end_moves_the_rest_up(company: Company, delegate: Delegate, expense: Send) -> None:
    first = delegate(company.wang, company.sun).begin(company.sun)
    second = delegate(company.sun, company.chen).begin(company.chen)
    request = expense(company.li)
    second.end_by(company.sun)
    assert request.with_whom() == [company.sun.id]
    assert request.open[0].on_behalf_of == company.wang.id
    first.end_by(company.wang)
    assert request.with_whom() == [company.wang.id]


def test_a_suspended_request_returns_as_well(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    admin = actor_in(session, company.chen, "process.instance.administer")
    work_items.suspend(session, admin, request.id, "核对")
    session.commit()
    away.end_by(company.wang)
    assert session.scalars(select(Incident)).all() == []
    assert request.with_whom() == [company.wang.id]


# ------------------------------------------------------------------------------------------------- the clock


def test_the_heartbeat_begins_and_ends_it_once(
    session: Session, company: Company, delegate: Delegate, expense: Send, clock: Any
) -> None:
    waited = expense(company.li)
    away = delegate(company.wang, company.sun, include_waiting=True)
    away.act(company.sun)
    Sessions.remove()
    clock.advance(hours=2)
    for _again in range(2):
        jobs.fire_timers()
        with transaction() as inside:
            states = inside.scalars(select(Delegation.state)).all()
            handed = inside.scalar(
                select(func.count()).select_from(InstanceLog).where(InstanceLog.action == "stand_in")
            )
        assert (states, handed) == (["active"], 1)
    clock.advance(days=5)
    for _again in range(2):
        jobs.fire_timers()
        with transaction() as inside:
            states = inside.scalars(select(Delegation.state)).all()
            returned = inside.scalar(
                select(func.count()).select_from(InstanceLog).where(InstanceLog.action == "take_back")
            )
        assert (states, returned) == (["ended"], 1)
    assert waited.with_whom() == [company.wang.id]


def test_a_late_heartbeat_prolongs_nothing(company: Company, delegate: Delegate, expense: Send, clock: Any) -> None:
    delegate(company.wang, company.sun).begin(company.sun)
    clock.advance(days=6)
    assert expense(company.li).with_whom() == [company.wang.id]


def test_a_house_that_slept_through_it_begins_nothing(
    session: Session, company: Company, delegate: Delegate, expense: Send, clock: Any
) -> None:
    waited = expense(company.li)
    away = delegate(company.wang, company.sun, include_waiting=True)
    away.act(company.sun)
    clock.advance(days=6)
    away.fire("at_start")
    assert away.record.state == "ended"
    assert waited.with_whom() == [company.wang.id]
    away.fire("at_end")
    assert away.instance.state == "completed"


# ------------------------------------------------------------------------------------------------- people who leave


def test_cancelled_before_its_start(company: Company, delegate: Delegate, expense: Send) -> None:
    away = delegate(company.wang, company.sun)
    away.act(company.sun)
    away.end_by(company.wang)
    assert (away.record.state, away.instance.state, away.timers()) == ("cancelled", "completed", {})
    delegate(company.wang, company.li)


def test_taken_back_before_it_is_answered(company: Company, delegate: Delegate) -> None:
    away = delegate(company.wang, company.sun)
    with pytest.raises(Forbidden):
        away.end_by(company.sun)
    away.end_by(company.wang)
    assert (away.record.state, away.instance.state, away.open) == ("cancelled", "withdrawn", [])


def test_human_resources_end_what_others_have_begun(company: Company, delegate: Delegate, expense: Send) -> None:
    asked = delegate(company.wang, company.sun)
    asked.end_by(company.chen, MANAGE_DELEGATIONS)
    assert (asked.record.state, asked.instance.state) == ("cancelled", "terminated")
    away = delegate(company.wang, company.sun).begin(company.sun)
    away.end_by(company.chen, MANAGE_DELEGATIONS)
    assert away.record.state == "ended"


def test_the_delegate_leaves_the_company(session: Session, company: Company, delegate: Delegate, expense: Send) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.chen.id, values={"takes_orphans": True})
    away = delegate(company.wang, company.sun).begin(company.sun)
    asked = delegate(company.li, company.sun)
    request = expense(company.li)
    assert request.with_whom() == [company.sun.id]
    organization.archive_employee(session, SYSTEM, record_id=company.sun.id)
    session.commit()
    assert (away.record.state, asked.record.state) == ("ended", "cancelled")
    assert request.with_whom() == [company.wang.id]
    assert expense(company.li).with_whom() == [company.wang.id]


def test_the_delegator_leaves_the_company_and_his_work_stays_where_it_is(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    organization.archive_employee(session, SYSTEM, record_id=company.wang.id)
    session.commit()
    assert away.record.state == "ended"
    assert request.with_whom() == [company.sun.id]


def test_a_suspended_delegation_keeps_nobody_from_leaving(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.chen.id, values={"takes_orphans": True})
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    away.do(lambda s: work_items.suspend(s, SYSTEM, away.id, "审计"))
    away.do(lambda s: organization.archive_employee(s, SYSTEM, record_id=company.sun.id))
    assert (away.record.state, away.instance.state) == ("ended", "terminated")
    assert request.with_whom() == [company.wang.id]


def test_a_terminated_process_leaves_nothing_in_force(
    session: Session, company: Company, delegate: Delegate, expense: Send
) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    request = expense(company.li)
    work_items.terminate(session, SYSTEM, away.id, "误操作")
    session.commit()
    assert away.record.state == "ended"
    assert request.with_whom() == [company.wang.id]


def test_an_end_of_one_ends_no_other(company: Company, delegate: Delegate) -> None:
    first = delegate(company.wang, company.sun).begin(company.sun)
    second = delegate(company.li, company.zhao).begin(company.zhao)
    second.end_by(company.li)
    assert (first.record.state, second.record.state) == ("active", "ended")


# ------------------------------------------------------------------------------------------------- everywhere


def test_every_flow_is_walked(company: Company, delegate: Delegate, clock: Any) -> None:
    by_time = delegate(company.wang, company.sun).begin(company.sun)
    by_time.fire("at_end")
    by_hand = delegate(company.wang, company.sun).begin(company.sun)
    by_hand.end_by(company.wang)
    cancelled = delegate(company.wang, company.sun)
    cancelled.act(company.sun)
    cancelled.end_by(company.wang)
    declined = delegate(company.wang, company.sun)
    declined.act(company.sun, "reject", "x")
    unanswered = delegate(company.wang, company.sun)
    unanswered.fire("too_late")
    walked: set[str] = set()
    for away in (by_time, by_hand, cancelled, declined, unanswered):
        walked |= away.flows_taken()
        assert away.instance.state == "completed"
    diagram = etree.parse(BPMN / "approval" / "delegation.bpmn")
    assert walked == {str(one) for one in diagram.xpath("//*[local-name()='sequenceFlow']/@id")}


def test_nothing_of_it_is_an_incident(session: Session, company: Company, delegate: Delegate) -> None:
    away = delegate(company.wang, company.sun).begin(company.sun)
    away.fire("at_end")
    assert session.scalars(select(Incident)).all() == []
    assert session.scalars(select(Timer).where(Timer.instance_id == away.id)).all() == []
    assert runtime.deliverable(session) == []
