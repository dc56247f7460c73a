"""Whom each candidate rule finds, and that nobody ever approves their own request."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import assignment
from engine.actor import SYSTEM
from engine.assignment import Candidates, Request, group_principal
from processes.organization import assignments, operations
from processes.organization.models import Employee
from tests.processes.company import Company

assert assignments.superior  # declares the rules


def ask(session: Session, rule: str, starter: Employee, **facts: Any) -> Candidates:
    request = Request(
        instance_id=1,
        definition_key="expense_request",
        node="approve",
        starter_id=starter.id,
        variables={"form": facts.get("form", {})},
        handlers=facts.get("handlers", {}),
    )
    (found,) = assignment.resolve(session, [rule], request)
    return found


def leave(session: Session, person: Employee) -> None:
    operations.archive_employee(session, SYSTEM, record_id=person.id)


@pytest.mark.parametrize(
    ("rule", "starter", "found"),
    [
        ("starter", "li", "li"),
        ("superior", "li", "wang"),
        ("superior(1)", "li", "wang"),
        ("superior(2)", "li", "chen"),
        ("superior(9)", "li", "chen"),
        ("superior", "wang", "chen"),
        ("superior", "chen", None),
        ("department_head", "li", "wang"),
        ("department_head", "wang", "chen"),
        ("department_head", "chen", None),
        ("position(finance)", "sun", "chen"),
        ("position(general_manager)", "chen", None),
        ("position(unknown)", "li", None),
        ("role(unknown)", "li", None),
    ],
)
def test_rules(session: Session, company: Company, rule: str, starter: str, found: str | None) -> None:
    expected = (getattr(company, found).id,) if found else ()
    assert ask(session, rule, getattr(company, starter)).persons == expected


def test_a_position_is_a_pool_unless_the_starter_is_in_it(session: Session, company: Company) -> None:
    pool = group_principal("position", company.accountant.id)
    assert ask(session, "position(finance)", company.li) == Candidates(groups=(pool,), path="财务")
    operations.change_employee(session, SYSTEM, record_id=company.zhao.id, values={"positions": [company.accountant]})
    assert ask(session, "position(finance)", company.sun).persons == (company.zhao.id,)


def test_a_position_nobody_holds_finds_nobody(session: Session, company: Company) -> None:
    leave(session, company.sun)
    assert not ask(session, "position(finance)", company.li)


def test_a_role_is_a_pool(session: Session, company: Company) -> None:
    session.execute(text("INSERT INTO ab_role (id, name) VALUES (5, 'Supervisor')"))
    session.execute(
        text(
            "INSERT INTO ab_user (id, first_name, last_name, username, email, active)"
            " VALUES (9, '芳', '王', 'wang', 'wang@example.com', :yes)"
        ),
        {"yes": True},
    )
    session.execute(text("INSERT INTO ab_user_role (id, user_id, role_id) VALUES (1, 9, 5)"))
    company.wang.user_id = 9
    session.flush()
    assert ask(session, "role(Supervisor)", company.li).groups == (group_principal("role", 5),)
    assert ask(session, "role(Supervisor)", company.wang).persons == (company.chen.id,)


def test_leavers_are_passed_over(session: Session, company: Company) -> None:
    leave(session, company.wang)
    assert ask(session, "superior", company.li).persons == (company.chen.id,)
    assert ask(session, "department_head", company.li).persons == (company.chen.id,)
    assert ask(session, "starter", company.wang).persons == (company.chen.id,)
    assert ask(session, f"person({company.wang.id})", company.li).persons == (company.chen.id,)
    assert ask(session, "handler(approve)", company.li, handlers={"approve": company.wang.id}).persons == (
        company.chen.id,
    )


def test_named_people(session: Session, company: Company) -> None:
    li, wang, sun, chen = company.li.id, company.wang.id, company.sun.id, company.chen.id
    assert ask(session, f"person({sun})", company.li).persons == (sun,)
    assert ask(session, "field(approver)", company.li, form={"approver": sun}).persons == (sun,)
    assert ask(session, "field(approver)", company.li, form={"approver": [sun, chen, sun]}).persons == (sun, chen)
    assert ask(session, "field(approver)", company.li, form={"approver": li}).persons == (wang,)
    assert ask(session, "field(approver)", company.li, form={"approver": None}).persons == ()
    assert ask(session, "field(approver)", company.li, form={"approver": "李娜"}).persons == ()
    assert (
        ask(session, "field(approver)", company.li, form={"approver": ["²", 10**30, -1, 1.5, True, {}]}).persons == ()
    )
    assert ask(session, f"person({'9' * 40})", company.li).persons == ()
    assert ask(session, "superior(²)", company.li).persons == (wang,)
    assert ask(session, "field(absent)", company.li).persons == ()
    assert ask(session, "handler(approve)", company.li, handlers={"approve": sun}).persons == (sun,)
    assert ask(session, "handler(approve)", company.li).persons == ()
