"""The expense request walked on every path: approved small, medium, large; returned, rejected, withdrawn, overdue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.errors import Conflict, Forbidden, InvalidForm, RuleViolation
from engine.models import Incident, Instance, InstanceLog, OutboxMessage, Timer, WorkItem
from processes.kernel.working_time import ZONE
from processes.organization import operations as organization
from processes.organization.models import Employee
from processes.spending import operations as spending
from processes.spending.models import Budget, ExpenseCategory, ExpenseRequest
from tests.diagrams.test_conformance import BPMN
from tests.processes.company import Company


class Request:
    """One request on its way, and what people do to it."""

    def __init__(self, session: Session, starter: Employee, *amounts: str) -> None:
        self.session = session
        values = {"title": "拜访客户", "lines": [{"category": "travel", "amount": amount} for amount in amounts]}
        result = runtime.start(session, self.actor(starter), "expense_request", values=values)
        session.commit()
        self.id = result.instance_id

    def actor(self, person: Employee) -> Actor:
        assert CATALOG.directory is not None
        groups = CATALOG.directory.groups(self.session, person.id)  # type: ignore[attr-defined]
        return Actor(person_id=person.id, name=person.name, groups=groups)

    @property
    def instance(self) -> Instance:
        return self.session.get_one(Instance, self.id, populate_existing=True)

    @property
    def record(self) -> ExpenseRequest:
        found = select(ExpenseRequest).where(ExpenseRequest.instance_id == self.id)
        return self.session.scalars(found.execution_options(populate_existing=True)).one()

    @property
    def open(self) -> list[WorkItem]:
        return work_items.open_items(self.session, self.id)

    def at(self) -> list[str]:
        return [item.node for item in self.open]

    def act(self, person: Employee, action: str, opinion: str = "", values: dict[str, Any] | None = None) -> None:
        (item,) = self.open
        try:
            work_items.act(
                self.session, self.actor(person), item.id, action, version=item.version, opinion=opinion, values=values
            )
            self.session.commit()
        except Exception:
            self.session.rollback()
            raise

    def approve(self, *people: Employee) -> None:
        for person in people:
            self.act(person, "approve")

    def fire(self, node: str) -> None:
        timer = self.session.scalars(select(Timer).where(Timer.instance_id == self.id, Timer.node == node)).one()
        runtime.fire_timer(self.session, timer)
        self.session.commit()

    def messages(self) -> list[tuple[str, str]]:
        """(channel, first words after the name of the house) in the order they were written."""
        found = select(OutboxMessage).where(OutboxMessage.instance_id == self.id).order_by(OutboxMessage.id)
        return [(message.channel, message.payload["recipient"].split()[0]) for message in self.session.scalars(found)]

    def flows_taken(self) -> set[str]:
        lines = self.session.scalars(select(InstanceLog).where(InstanceLog.instance_id == self.id))
        return {element for line in lines for element, mark in line.detail.get("path", []) if mark == "taken"}


@pytest.fixture
def send(session: Session, company: Company) -> Callable[..., Request]:
    return lambda starter, *amounts: Request(session, starter, *amounts)


# ------------------------------------------------------------------------------------------------- approved


@pytest.mark.parametrize(
    ("amount", "nodes"),
    [
        ("0.01", ["approve_superior"]),
        ("999.99", ["approve_superior"]),
        ("1000.00", ["approve_superior", "approve_department_head"]),
        ("9999.99", ["approve_superior", "approve_department_head"]),
        (
            "10000.00",
            ["approve_superior", "approve_department_head", "approve_finance", "approve_general_manager"],
        ),
    ],
)
def test_the_amount_decides_who_approves(
    company: Company, send: Callable[..., Request], amount: str, nodes: list[str]
) -> None:
    people = {
        "approve_superior": company.wang,
        "approve_department_head": company.wang,
        "approve_finance": company.sun,
        "approve_general_manager": company.chen,
    }
    request = send(company.li, amount)
    for node in nodes:
        assert request.at() == [node]
        request.approve(people[node])
    assert (request.instance.state, request.record.state) == ("completed", "approved")
    assert request.messages() == [("sms", "李娜"), ("mail", "李娜")]


def test_lines_count_together(company: Company, send: Callable[..., Request]) -> None:
    request = send(company.li, "600", "400")
    request.approve(company.wang)
    assert request.at() == ["approve_department_head"]


def test_the_preview_names_who_will_be_asked(session: Session, company: Company) -> None:
    actor = Actor(company.li.id, company.li.name)
    values = {"title": "x", "lines": [{"category": "travel", "amount": "10000"}]}
    route = runtime.preview(session, actor, "expense_request", values)
    assert [(step.title, step.people) for step in route.steps] == [
        ("上级审批", ("王芳",)),
        ("部门负责人审批", ("王芳",)),
        ("财务审批", ("孙悦",)),
        ("总经理审批", ("陈明",)),
    ]
    assert [[(choice.question, choice.answer) for choice in step.choices] for step in route.steps] == [
        [("费用审批层级", "大额：财务和总经理也要审批")],
        [("需部门负责人？", "需要")],
        [("需财务及总经理？", "需要")],
        [],
    ]
    (table,) = route.steps[0].choices
    assert (table.conditions, table.values) == (("合计金额（元） >= 10000.00",), {"total": Decimal("10000.00")})
    # Nine on Monday: everybody has eight working hours.
    assert [f"{step.expected_at.astimezone(ZONE):%a %H}" for step in route.steps if step.expected_at] == [
        "Mon 18",
        "Tue 18",
        "Wed 18",
        "Thu 18",
    ]
    assert {step.expected_from for step in route.steps} == {"due_date"}
    assert (route.choices, route.ends) == ((), True)


def test_a_small_request_is_told_why_it_ends_early(session: Session, company: Company) -> None:
    actor = Actor(company.li.id, company.li.name)
    values = {"title": "x", "lines": [{"category": "travel", "amount": "999.99"}]}
    route = runtime.preview(session, actor, "expense_request", values)
    assert [step.node for step in route.steps] == ["approve_superior"]
    (choice,) = route.choices
    assert (choice.question, choice.answer, choice.otherwise) == ("需部门负责人？", "不需要", True)
    assert choice.values == {"limits.department_head": False}


def test_approval_reserves_the_budget(session: Session, company: Company, send: Callable[..., Request]) -> None:
    budget = november(session, company, "1000")
    send(company.li, "600").approve(company.wang)
    session.refresh(budget)
    assert (str(budget.reserved), str(budget.left)) == ("600.00", "400.00")


def test_the_last_approver_is_told_when_the_budget_does_not_suffice(
    session: Session, company: Company, send: Callable[..., Request]
) -> None:
    november(session, company, "500")
    request = send(company.li, "600")
    with pytest.raises(RuleViolation, match=r"has 500.00 left, 600.00 are asked for"):
        request.approve(company.wang)
    assert request.at() == ["approve_superior"]
    assert request.record.state == "in_approval"
    assert request.messages() == []
    request.act(company.wang, "return", "预算不足，请减少金额")
    assert request.at() == ["revise"]


def november(session: Session, company: Company, amount: str) -> Budget:
    values = {
        "department": company.sales,
        "category": session.scalars(select(ExpenseCategory).where(ExpenseCategory.code == "travel")).one(),
        "period_kind": "month",
        "starts_on": "2026-11-01",
        "amount": amount,
        "policy": "stop",
    }
    budget = spending.create_budget(session, SYSTEM, values=values)
    session.commit()
    return budget


# ------------------------------------------------------------------------------------------------- refused


def test_returned_revised_and_approved(company: Company, send: Callable[..., Request]) -> None:
    request = send(company.li, "2000")
    number = request.record.number
    request.act(company.wang, "return", "请拆分明细")
    assert request.at() == ["revise"]
    assert request.open[0].assignee_id == company.li.id
    lines = [{"category": "travel", "amount": "500"}, {"category": "office", "amount": "100.50", "purpose": "资料"}]
    request.act(company.li, "submit", values={"lines": lines})
    assert request.at() == ["approve_superior"]
    assert (str(request.record.amount), request.record.number) == ("600.50", number)
    request.approve(company.wang)
    assert request.instance.state == "completed", "the smaller amount needs one approval only"


def test_a_revision_must_be_a_whole_request(company: Company, send: Callable[..., Request]) -> None:
    request = send(company.li, "2000")
    request.act(company.wang, "return", "请拆分明细")
    with pytest.raises(InvalidForm):
        request.act(company.li, "submit", values={"lines": [{"category": "yacht", "amount": "0"}]})
    assert request.at() == ["revise"]


@pytest.mark.parametrize("depth", range(4))
def test_rejected_at_every_level(company: Company, send: Callable[..., Request], depth: int) -> None:
    people = [company.wang, company.wang, company.sun, company.chen]
    request = send(company.li, "20000")
    request.approve(*people[:depth])
    with pytest.raises(InvalidForm):
        request.act(people[depth], "reject")
    request.act(people[depth], "reject", "今年不做")
    assert (request.instance.state, request.record.state) == ("rejected", "rejected")
    assert request.messages() == [("sms", "李娜"), ("mail", "李娜")]


def test_withdrawn_before_a_decision(session: Session, company: Company, send: Callable[..., Request]) -> None:
    request = send(company.li, "100")
    work_items.withdraw(session, request.actor(company.li), request.id, "不需要了")
    session.commit()
    assert (request.instance.state, request.record.state) == ("withdrawn", "withdrawn")
    assert request.open == []


def test_an_approver_changes_nothing_in_the_form(company: Company, send: Callable[..., Request]) -> None:
    request = send(company.li, "100")
    with pytest.raises(InvalidForm):
        request.act(company.wang, "approve", values={"title": "别的"})


def test_a_request_with_faults_is_not_started(session: Session, company: Company) -> None:
    values = {"title": "", "lines": [{"category": "travel", "amount": "0"}], "total": "5"}
    with pytest.raises(InvalidForm) as refused:
        runtime.start(session, Actor(company.li.id, "李娜"), "expense_request", values=values)
    assert set(refused.value.by_field()) == {"title", "lines.0.amount"}


# ------------------------------------------------------------------------------------------------- nobody for oneself


def test_a_head_is_approved_by_the_one_above(company: Company, send: Callable[..., Request]) -> None:
    request = send(company.wang, "1000")
    request.approve(company.chen, company.chen)
    assert request.instance.state == "completed"


def test_finance_is_approved_by_others(company: Company, send: Callable[..., Request]) -> None:
    request = send(company.sun, "10000")
    request.approve(company.chen)
    assert [item.assignee_id for item in request.open] == [company.chen.id]
    request.approve(company.chen)
    assert request.at() == ["approve_finance"]
    assert [item.assignee_id for item in request.open] == [company.chen.id], "one level up: nobody else is in finance"
    with pytest.raises(Forbidden):
        request.approve(company.sun)


def test_the_general_managers_own_request_goes_to_the_fallback_person(
    session: Session, company: Company, send: Callable[..., Request]
) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.sun.id, values={"takes_orphans": True})
    request = send(company.chen, "10000")
    request.approve(company.sun, company.sun, company.sun, company.sun)
    assert request.instance.state == "completed"


# ------------------------------------------------------------------------------------------------- overdue


def test_deadlines_are_counted_in_working_hours(
    session: Session, company: Company, send: Callable[..., Request], clock: Any
) -> None:
    clock.turn_to(datetime(2026, 9, 30, 7, 0, tzinfo=UTC))  # 15:00 before the National Day holidays
    request = send(company.li, "100")
    dues = {timer.node: timer.due_at for timer in session.scalars(select(Timer).where(Timer.instance_id == request.id))}
    assert dues == {
        "remind_superior": datetime(2026, 10, 8, 7, 0, tzinfo=UTC),
        "escalate_superior": datetime(2026, 10, 9, 7, 0, tzinfo=UTC),
    }
    assert request.open[0].due_at == dues["remind_superior"]


def test_the_holder_is_reminded_then_the_superior_may_decide(
    session: Session, company: Company, send: Callable[..., Request], clock: Any
) -> None:
    request = send(company.li, "100")
    clock.turn_to(datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    request.fire("remind_superior")
    assert request.messages() == [("sms", "王芳")]
    sms = session.scalars(select(OutboxMessage)).one()
    assert sms.payload["text"].startswith("【云流】王芳，李娜的“费用申请 · 拜访客户”在“上级审批”已等待 8 个工作小时")
    clock.turn_to(datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
    request.fire("escalate_superior")
    assert request.messages() == [("sms", "王芳"), ("sms", "陈明")]
    assert set(request.open[0].candidates) == {company.wang.id, company.chen.id}
    request.approve(company.chen)
    assert request.instance.state == "completed"
    assert session.scalars(select(Timer).where(Timer.instance_id == request.id)).all() == []


def test_an_escalated_item_can_still_be_decided_by_its_holder(company: Company, send: Callable[..., Request]) -> None:
    request = send(company.li, "100")
    request.fire("escalate_superior")
    request.approve(company.wang)
    assert request.instance.state == "completed"


def test_nobody_above_means_one_more_reminder(session: Session, company: Company, send: Callable[..., Request]) -> None:
    request = send(company.wang, "100")
    request.fire("escalate_superior")
    assert request.messages() == [("sms", "陈明")]
    assert [item.assignee_id for item in request.open] == [company.chen.id]


def test_escalation_never_reaches_the_starter(session: Session, company: Company, send: Callable[..., Request]) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.sun.id, values={"superior": company.wang})
    request = send(company.wang, "10000")
    request.approve(company.chen, company.chen)
    assert request.at() == ["approve_finance"]
    request.fire("escalate_finance")
    assert company.chen.id in request.open[0].candidates
    assert company.wang.id not in request.open[0].candidates


def test_a_holder_without_mobile_number_is_no_incident(
    session: Session, company: Company, send: Callable[..., Request]
) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.wang.id, values={"phone": None})
    request = send(company.li, "100")
    request.fire("remind_superior")
    assert request.messages() == []
    assert session.scalars(select(Incident)).all() == []


def test_a_decision_cancels_its_timers(session: Session, company: Company, send: Callable[..., Request]) -> None:
    request = send(company.li, "1000")
    request.approve(company.wang)
    nodes = session.scalars(select(Timer.node).where(Timer.instance_id == request.id))
    assert sorted(nodes) == ["escalate_department_head", "remind_department_head"]


def test_the_second_decision_on_an_item_is_refused(
    session: Session, company: Company, send: Callable[..., Request]
) -> None:
    request = send(company.li, "1000")
    (item,) = request.open
    request.approve(company.wang)
    with pytest.raises(Conflict):
        work_items.act(session, request.actor(company.wang), item.id, "approve", version=item.version)


# ------------------------------------------------------------------------------------------------- everywhere


def test_every_flow_is_walked(session: Session, company: Company, send: Callable[..., Request]) -> None:
    walked: set[str] = set()
    small, medium, large = send(company.li, "1"), send(company.li, "1000"), send(company.li, "10000")
    for node, person in (
        ("superior", company.wang),
        ("department_head", company.wang),
        ("finance", company.sun),
        ("general_manager", company.chen),
    ):
        large.fire(f"remind_{node}")
        large.fire(f"escalate_{node}")
        large.approve(person)
    small.approve(company.wang)
    medium.act(company.wang, "return", "x")
    medium.act(company.li, "submit", values={})
    medium.approve(company.wang, company.wang)
    rejected = send(company.li, "1")
    rejected.act(company.wang, "reject", "x")
    for request in (small, medium, large, rejected):
        walked |= request.flows_taken()
    diagram = etree.parse(BPMN / "spending" / "expense_request.bpmn")
    assert walked == {str(one) for one in diagram.xpath("//*[local-name()='sequenceFlow']/@id")}


# ------------------------------------------------------------------------------------------------- after the end


def steering(session: Session) -> Actor:
    return Actor(person_id=0, name="系统", permissions=frozenset({"process.instance.administer"}))


def test_voided_its_budget_is_free_again(session: Session, company: Company, send: Callable[..., Request]) -> None:
    budget = november(session, company, "1000")
    request = send(company.li, "600")
    request.approve(company.wang)
    work_items.void(session, steering(session), request.id, "行程取消")
    session.commit()
    session.refresh(budget)
    assert (str(budget.reserved), request.record.state, request.instance.state) == ("0.00", "withdrawn", "void")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_opened_again_it_is_decided_anew(
    session: Session, company: Company, send: Callable[..., Request], decision: str
) -> None:
    budget = november(session, company, "1000")
    request = send(company.li, "600")
    request.approve(company.wang)
    work_items.reopen(session, steering(session), request.id, "approve_superior", "金额有疑问")
    session.commit()
    session.refresh(budget)
    assert (str(budget.reserved), request.record.state, request.at()) == ("0.00", "in_approval", ["approve_superior"])
    request.act(company.wang, decision, "再次核对")
    session.refresh(budget)
    outcome = {"approve": ("600.00", "approved"), "reject": ("0.00", "rejected")}[decision]
    assert (str(budget.reserved), request.record.state) == outcome
