"""The demo company moves in quickly, the same every time, and shows every stage."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import SYSTEM
from engine.errors import RuleViolation
from engine.models import Incident, Instance, WorkItem
from processes.organization import operations as organization
from processes.organization.models import Department, Employee
from processes.spending.models import Budget, ExpenseRequest
from webapp import bootstrap, demo, house
from webapp.security import roles


@pytest.fixture
def empty_house(session: Session) -> Iterator[Session]:
    """Roles and processes are there, people are not."""
    bootstrap.join_parts()
    session.add_all(Role(name=role.name, permissions=[]) for role in roles.ROLES)
    session.flush()
    house.deploy_shipped(session)
    session.commit()
    yield session
    session.rollback()


def test_it_moves_in_within_seconds_and_once(empty_house: Session) -> None:
    session = empty_house
    started = time.process_time()
    assert demo.load(session) is True
    assert demo.send_samples(session) == 12
    session.commit()
    assert time.process_time() - started < 5
    assert demo.load(session) is False
    assert demo.is_loaded(session)
    states = Counter(session.scalars(select(ExpenseRequest.state)))
    assert states == {"approved": 5, "in_approval": 5, "rejected": 1, "withdrawn": 1}
    assert session.scalars(select(Incident)).all() == []


def test_every_level_has_somebody_waiting(empty_house: Session) -> None:
    session = empty_house
    demo.load(session)
    demo.send_samples(session)
    waiting = Counter(session.scalars(select(WorkItem.node).where(WorkItem.state == "open")))
    assert waiting == {"approve_superior": 2, "approve_finance": 1, "approve_general_manager": 1, "revise": 1}


def test_one_budget_is_near_its_limit(empty_house: Session) -> None:
    session = empty_house
    demo.load(session)
    demo.send_samples(session)
    session.expire_all()
    near = [budget for budget in session.scalars(select(Budget)) if 0 < budget.left < budget.amount / 10]
    assert [(budget.department.name, budget.category.name, str(budget.left)) for budget in near] == [
        ("华东销售部", "业务招待费", "400.00")
    ]


def test_everything_in_it_is_marked_and_invented(empty_house: Session) -> None:
    session = empty_house
    demo.load(session)
    demo.send_samples(session)
    for model in (Employee, Department, Budget, ExpenseRequest):
        assert session.scalar(select(func.count()).select_from(model).where(~model.is_demo)) == 0
    for employee in session.scalars(select(Employee)):
        assert employee.phone is not None
        assert employee.phone.startswith("+86199000000")
        assert employee.email is not None
        assert employee.email.endswith("@example.com")
    assert session.scalar(select(func.count()).select_from(User)) == len(demo.PEOPLE) == 14


def test_its_history_holds(empty_house: Session) -> None:
    session = empty_house
    demo.load(session)
    demo.send_samples(session)
    session.expire_all()
    for instance in session.scalars(select(Instance)):
        assert list(journal.verify_instance(session, instance.id, instance.log_seq, instance.log_hash)) == []
    assert list(journal.verify_records(session)) == []


def test_it_does_not_move_in_with_real_people(empty_house: Session) -> None:
    session = empty_house
    department = organization.create_department(session, SYSTEM, values={"name": "真实部门"})
    values = {"number": "R1", "name": "真人", "department": department}
    organization.create_employee(session, SYSTEM, values=values)
    with pytest.raises(RuleViolation, match="Real people"):
        demo.load(session)
