"""What a step of many people asks of the database: as much as a step of a few."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from engine import repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import WorkItem
from engine.runtime.cache import LIVE
from processes.organization import operations as organization
from tests.bench.crowd import draw_approval
from tests.counting import statements
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import Company, actor_of
from webapp import bootstrap

FEW, MANY = 3, 45


@pytest.fixture
def people(company: Company) -> Iterator[list[int]]:
    """All of them in the directory, with a superior."""
    bootstrap.join_parts()
    LIVE.clear()
    repository.forget_all()
    hired = []
    for number in range(MANY):
        values = {"number": f"C{number}", "name": f"人{number}", "superior": company.wang}
        hired.append(organization.create_employee(company.session, SYSTEM, values=values).id)
    company.session.commit()
    yield hired
    LIVE.clear()


def deploy(key: str, people: list[int], **policies: str) -> None:
    """Twice the same people, one step after the other."""
    named = ",".join(f"person({one})" for one in people)
    d = Drawing(key)
    d.start()
    draw_approval(d, "first", named, sign="all", **policies)
    draw_approval(d, "second", named, sign="all", **policies)
    d.end()
    d.chain("start", "first", "second", "end")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
    Sessions.remove()


def begin(company: Company, key: str) -> tuple[int, int]:
    """The instance, and how many statements it took to open it for the second time."""
    starter = actor_of(company.li)
    for _each in range(2):
        with statements() as seen:
            instance = runtime.perform(lambda session: runtime.start(session, starter, key)).instance_id
        Sessions.remove()
    return instance, len(seen)


def approve(instance: int, count: int) -> list[int]:
    """Let so many of them agree; how many statements each took."""
    with transaction() as session:
        wanted = select(WorkItem.id, WorkItem.assignee_id).where(
            WorkItem.instance_id == instance, WorkItem.state == "open"
        )
        items = session.execute(wanted.order_by(WorkItem.id).limit(count)).all()
    Sessions.remove()
    asked = []
    for item, person in items:
        actor = Actor(person_id=person, name=f"人{person}")
        with statements() as seen:
            runtime.perform(lambda session, a=actor, i=item: work_items.act(session, a, i, "approve", version=1))
        Sessions.remove()
        asked.append(len(seen))
    return asked


def test_a_countersign_of_many_is_opened_and_signed_like_one_of_a_few(company: Company, people: list[int]) -> None:
    deploy("few", people[:FEW])
    deploy("many", people)
    few, to_open_few = begin(company, "few")
    many, to_open_many = begin(company, "many")
    assert to_open_many <= to_open_few <= 16
    assert approve(many, FEW - 1) == approve(few, FEW - 1)


def test_nor_does_it_ask_for_each_who_has_agreed_before(company: Company, people: list[int]) -> None:
    deploy("few", people[:FEW], dedupe="all")
    deploy("many", people, dedupe="all")
    asked = []
    for key, count in (("few", FEW), ("many", MANY)):
        instance, _opened = begin(company, key)
        asked.append(approve(instance, count)[-1])
        with transaction() as session:
            passed = session.execute(
                select(WorkItem.done_by, WorkItem.done_by_name).where(
                    WorkItem.instance_id == instance, WorkItem.state == "auto"
                )
            ).all()
        Sessions.remove()
        assert [(one, f"人{one - people[0]}") for one in people[: count - 1]] == [tuple(row) for row in passed][:-1]
    assert asked[1] <= asked[0]


def test_the_rule_kept_with_each_item_is_short(company: Company, people: list[int]) -> None:
    deploy("many", people)
    instance, _opened = begin(company, "many")
    with transaction() as session:
        reasons = session.scalars(select(WorkItem.reason).where(WorkItem.instance_id == instance)).all()
    assert len(reasons) == MANY
    assert {reason["rule"].count("person(") for reason in reasons} == {20}


def test_naming_later_people_asks_nobody_about_the_other_steps(company: Company, people: list[int]) -> None:
    """Which steps are reached is all that must be known; not who does them, nor how long they took lately."""
    asked = []
    named = {"picked": [people[1]]}
    for count in (1, 12):
        d = Drawing(f"steps{count}")
        d.start()
        draw_approval(d, "picked", f"person({people[0]})", pick="starter")
        for number in range(count):
            draw_approval(d, f"step{number}", f"position(finance),person({people[number]})", sign="or")
        d.end()
        d.chain("start", "picked", *(f"step{number}" for number in range(count)), "end")
        with transaction() as session:
            repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
        Sessions.remove()
        for _each in range(2):
            with statements() as seen:
                runtime.perform(lambda s, k=f"steps{count}": runtime.start(s, actor_of(company.li), k, people=named))
            Sessions.remove()
        asked.append(len(seen))
    assert asked[0] == asked[1]
