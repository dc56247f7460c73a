"""Who is told of what somebody did, as the table of approval actions says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, work_items
from engine.actor import SYSTEM
from engine.work_items import rights
from processes.notices.models import Notice
from processes.notices.operations import set_preferences
from processes.organization.models import Employee
from tests.diagrams.walk import Walk, actor_in
from tests.engine.approvals.play import approval
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import Company

Told = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def told(session: Session, company: Company) -> Told:
    """(name, kind) of every new notice since the last look."""
    seen: set[int] = set()

    def look() -> list[tuple[str, str]]:
        rows = session.execute(
            select(Notice.id, Employee.name, Notice.kind).join(Employee, Employee.id == Notice.person_id)
        )
        new = [row for row in rows.all() if row.id not in seen]
        session.rollback()
        seen.update(row.id for row in new)
        return sorted((row.name, row.kind) for row in new)

    return look


def ask(session: Session, company: Company, candidates: list[Employee], **policies: str) -> Walk:
    d = Drawing("asked")
    d.start()
    approval(d, "decide", ", ".join(f"person({one.id})" for one in candidates), **policies)
    d.end()
    d.chain("start", "decide", "end")
    repository.deploy(session, SYSTEM, {"asked.bpmn": d.xml()})
    session.commit()
    return Walk(session, company.li, "asked", {})


def do(walk: Walk, person: Employee, work: Callable[..., Any], *permissions: str, **more: Any) -> Any:
    actor = actor_in(walk.session, person, *permissions)
    item = next(item.id for item in walk.open if item.assignee_id == person.id)
    return walk.do(lambda s: work(s, actor, item, **more))


def test_whoever_asked_for_an_opinion_hears_of_it(session: Session, company: Company, told: Told) -> None:
    request = ask(session, company, [company.wang])
    do(request, company.wang, work_items.consult, to=[company.zhao.id], question="够吗？")
    do(request, company.zhao, work_items.resolve, opinion="够")
    assert told() == [("王芳", "approval.answered")]
    do(request, company.wang, work_items.delegate, to=company.sun.id, reason="看看")
    do(request, company.sun, work_items.resolve, opinion="可以")
    assert told() == [("王芳", "approval.answered")]


def test_holders_hear_that_their_work_stands_still(session: Session, company: Company, told: Told) -> None:
    request = ask(session, company, [company.wang, company.zhao], sign="all")
    boss = actor_in(session, company.chen, rights.ADMINISTER)
    request.do(lambda s: work_items.suspend(s, boss, request.id, "等通知"))
    assert told() == [("李娜", "approval.progress"), ("王芳", "approval.paused"), ("赵磊", "approval.paused")]
    request.do(lambda s: work_items.resume(s, boss, request.id))
    assert told() == [("李娜", "approval.progress"), ("王芳", "approval.paused"), ("赵磊", "approval.paused")]


def test_other_signers_hear_of_a_new_one(session: Session, company: Company, told: Told) -> None:
    request = ask(session, company, [company.wang, company.zhao], sign="all")
    do(request, company.wang, work_items.add_signers, to=[company.sun.id], order="parallel", reason="")
    assert told() == [("赵磊", "approval.signers")]


def test_a_ballot_is_told_to_nobody_and_the_vote_to_all(session: Session, company: Company, told: Told) -> None:
    request = ask(session, company, [company.wang, company.zhao, company.sun], sign="vote", vote_pass="60%")
    request.act(company.wang, "reject", "太贵")
    assert told() == []
    request.act(company.zhao)
    assert told() == []
    request.act(company.sun)
    assert told() == [
        ("李娜", "approval.ended"),
        ("王芳", "approval.signers"),
        ("赵磊", "approval.signers"),
    ]


def test_the_starter_hears_of_each_step_when_he_wishes(session: Session, company: Company, told: Told) -> None:
    d = Drawing("two")
    d.start()
    approval(d, "first", f"person({company.wang.id})")
    approval(d, "second", f"person({company.zhao.id})")
    d.end()
    d.chain("start", "first", "second", "end")
    repository.deploy(session, SYSTEM, {"two.bpmn": d.xml()})
    session.commit()
    Walk(session, company.li, "two", {}).act(company.wang)
    assert told() == []
    set_preferences(session, actor_in(session, company.li), channels={"approval.steps": ["in_app"]})
    session.commit()
    Walk(session, company.li, "two", {}).act(company.wang)
    assert told() == [("李娜", "approval.steps")]


def test_a_vote_decided_by_taking_a_voter_away_is_told_as_well(session: Session, company: Company, told: Told) -> None:
    request = ask(session, company, [company.wang, company.zhao, company.sun], sign="vote", vote_pass="50%")
    request.act(company.wang)
    assert told() == []
    boss = actor_in(session, company.chen, rights.ADMINISTER)
    voter = next(item.id for item in request.open if item.assignee_id == company.sun.id)
    request.do(lambda s: work_items.remove_signer(s, boss, voter))
    assert request.instance.state == "completed"
    assert told() == [
        ("孙悦", "approval.lost"),
        ("李娜", "approval.ended"),
        ("王芳", "approval.signers"),
        ("赵磊", "approval.lost"),
    ]
