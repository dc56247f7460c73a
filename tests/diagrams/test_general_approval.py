"""Anything approved by people the starter picks: in order, together or by any one; returned, rejected, copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InvalidForm, RuleViolation
from engine.models import Copy
from processes.organization.models import Employee
from tests.diagrams.test_conformance import BPMN
from tests.diagrams.walk import Walk
from tests.processes.company import Company

Send = Callable[..., Walk]


@pytest.fixture
def send(session: Session, company: Company) -> Send:
    def make(mode: str, *approvers: Employee, starter: Employee = company.li, **more: Any) -> Walk:
        values = {"title": "印制新版手册", "text": "三千册", "approvers": [one.id for one in approvers], "mode": mode}
        return Walk(session, starter, "general_approval", {**values, **more})

    return make


@pytest.mark.parametrize(
    ("mode", "node"), [("in_order", "approve_in_order"), ("all", "approve_together"), ("any", "approve_any")]
)
def test_the_mode_decides_the_branch(company: Company, send: Send, mode: str, node: str) -> None:
    request = send(mode, company.sun)
    assert request.at() == [node]
    assert request.with_whom() == [company.sun.id]
    request.act(company.sun)
    assert request.instance.state == "completed"
    assert [told[:2] for told in request.told()] == [("sms", "李娜"), ("mail", "李娜")]
    assert "印制新版手册" in request.told()[0][2]


def test_copies_are_sent_once_it_is_approved_each_once(session: Session, company: Company, send: Send) -> None:
    request = send("any", company.sun, cc=[company.zhao.id, company.chen.id, company.zhao.id])
    copies = select(Copy.person_id).where(Copy.instance_id == request.id)
    assert session.scalars(copies).all() == []
    request.act(company.sun)
    assert set(session.scalars(copies)) == {company.zhao.id, company.chen.id}


def test_nobody_picks_himself_or_somebody_who_has_left(session: Session, company: Company, send: Send) -> None:
    with pytest.raises(RuleViolation) as refused:
        send("all", company.sun, company.li)
    assert refused.value.code == "own_request"
    company.zhao.state = "left"
    session.commit()
    with pytest.raises(InvalidForm) as invalid:
        send("all", company.zhao)
    assert "approvers" in invalid.value.by_field()


def test_what_is_missing_is_told_at_once(session: Session, company: Company) -> None:
    with pytest.raises(InvalidForm) as refused:
        Walk(session, company.li, "general_approval", {"title": "x", "approvers": [], "mode": "never"})
    assert set(refused.value.by_field()) == {"text", "approvers", "mode"}


def test_returned_to_the_starter_who_picks_others(company: Company, send: Send) -> None:
    request = send("any", company.sun)
    request.act(company.sun, "return", "请财务以外的人批")
    assert request.at() == ["revise"]
    assert request.with_whom() == [company.li.id]
    request.act(company.li, "submit", values={"approvers": [company.wang.id]})
    assert request.with_whom() == [company.wang.id]
    request.act(company.wang)
    assert request.instance.state == "completed"


def test_a_rejection_ends_it_and_the_starter_hears_of_it(company: Company, send: Send) -> None:
    request = send("in_order", company.sun, cc=[company.zhao.id])
    with pytest.raises(InvalidForm):
        request.act(company.sun, "reject")
    request.act(company.sun, "reject", "不需要")
    assert request.instance.state == "rejected"
    assert [told[:2] for told in request.told()] == [("sms", "李娜"), ("mail", "李娜")]
    assert request.session.scalars(select(Copy)).all() == []


def test_every_flow_is_walked(company: Company, send: Send) -> None:
    walked: set[str] = set()
    requests = [send(mode, company.sun) for mode in ("in_order", "all", "any", "any")]
    for request in requests[:3]:
        request.act(company.sun, "return", "x")
        request.act(company.li, "submit", values={})
        request.act(company.sun)
    requests[3].act(company.sun, "reject", "x")
    for request in requests:
        walked |= request.flows_taken()
    diagram = etree.parse(BPMN / "approval" / "general_approval.bpmn")
    assert walked == {str(one) for one in diagram.xpath("//*[local-name()='sequenceFlow']/@id")}


def test_in_order_they_are_asked_as_they_were_picked(company: Company, send: Send) -> None:
    request = send("in_order", company.sun, company.chen, company.wang)
    for person in (company.sun, company.chen, company.wang):
        assert request.with_whom() == [person.id]
        request.act(person)
    assert request.instance.state == "completed"


def test_together_all_must_agree(company: Company, send: Send) -> None:
    request = send("all", company.sun, company.chen)
    request.act(company.chen)
    assert request.with_whom() == [company.sun.id]
    request.act(company.sun, "reject", "不需要")
    assert request.instance.state == "rejected"


def test_any_one_decides_for_all(company: Company, send: Send) -> None:
    request = send("any", company.sun, company.chen, company.wang)
    assert request.with_whom() == [company.sun.id, company.chen.id, company.wang.id]
    request.act(company.chen)
    assert (request.open, request.instance.state) == ([], "completed")


@pytest.mark.parametrize("mode", ["in_order", "all", "any"])
def test_one_return_takes_the_work_of_the_others_with_it(company: Company, send: Send, mode: str) -> None:
    request = send(mode, company.sun, company.chen)
    request.act(company.sun, "return", "请补充")
    assert (request.at(), request.with_whom()) == (["revise"], [company.li.id])
    request.act(company.li, "submit", values={"text": "五千册"})
    assert request.with_whom()[0] == company.sun.id
    for person in (company.sun, company.chen)[: 1 if mode == "any" else 2]:
        request.act(person)
    assert request.instance.state == "completed"
