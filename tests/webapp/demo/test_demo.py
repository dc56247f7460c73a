"""The demo company moves in quickly, the same every time, and shows every stage."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import func, inspect, select, table
from sqlalchemy.orm import Session

from engine import clock, journal, repository
from engine.actor import SYSTEM, Actor
from engine.errors import RuleViolation
from engine.models import Definition, Incident, Instance, WorkItem
from processes.comments.models import Comment
from processes.organization import operations as organization
from processes.organization.models import Department, Employee
from processes.ownership.models import AssignmentRule, LockLimit, OwnerCounter, Ownership, UnlockEvent
from processes.ownership.operations import assigning, handing, sharing, watching
from processes.ownership.permissions import APPLY, ASSIGN
from processes.party import operations as party
from processes.party.models import Contact, ContactPoint, Customer, DuplicatePair, NameGram, Party
from processes.party.permissions import USE
from processes.spending import operations as spending
from processes.spending.models import Budget, ExpenseRequest
from processes.telephony.models import Call
from tests.webapp.api.drawings import END, START, drawing, flow
from webapp import bootstrap, demo, house
from webapp.security import roles
from webapp.security.models import LoginLog

OWN_PROCESS = {"own.bpmn": drawing("own", START + END + flow("start", "end"))}


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
    assert waiting == {
        "approve_superior": 3,
        "approve_finance": 1,
        "approve_general_manager": 1,
        "approve_together": 1,
        "revise": 1,
    }


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


# ------------------------------------------------------------------------------------------------- moving out


def rows(session: Session) -> dict[str, int]:
    """Rows of every table that has some."""
    connection = session.connection()
    tables = inspect(connection).get_table_names()
    counted = {name: connection.scalar(select(func.count()).select_from(table(name))) or 0 for name in tables}
    return {name: count for name, count in counted.items() if count}


def test_it_moves_out_without_a_trace(empty_house: Session) -> None:
    session = empty_house
    before = rows(session)
    demo.load(session)
    sent = demo.send_samples(session)
    zheng = session.scalars(select(Employee).where(Employee.name == "郑凯")).one()
    repository.deploy(session, Actor(zheng.id, zheng.name, permissions=frozenset({repository.DEPLOY})), OWN_PROCESS)
    session.commit()
    assert len(rows(session)) > len(before) + 10
    gone = demo.remove(session)
    session.commit()
    assert gone.people == 14
    assert gone.instances >= sent
    assert rows(session) == before
    assert demo.load(session) is True, "and it may come again"
    demo.send_samples(session)
    assert session.scalar(select(func.min(ExpenseRequest.id))) == 1


def test_what_administrators_have_made_stays(empty_house: Session) -> None:
    session = empty_house
    shipped = set(session.scalars(select(Definition.key)))
    admin = house.make_admin(session, "boss")
    login = session.scalars(select(User).where(User.username == admin.username)).one()
    person = organization.ensure_employee_for_login(session, login)
    demo.load(session)
    own = Actor(person.id, person.name, permissions=frozenset({repository.DEPLOY}))
    repository.deploy(session, own, OWN_PROCESS)
    session.add(LoginLog(at=clock.now(), name="boss", user_id=login.id, outcome="ok", road="page"))
    session.add(LoginLog(at=clock.now(), name="wang.lei", user_id=None, outcome="wrong", road="page"))
    session.commit()
    demo.remove(session)
    session.commit()
    assert session.scalars(select(User.username)).all() == ["boss"]
    assert session.scalars(select(LoginLog.name)).all() == ["boss"]
    assert set(session.scalars(select(Definition.key))) == {*shipped, "own"}
    assert list(journal.verify_records(session)) == []


def test_it_does_not_take_real_records_along(empty_house: Session) -> None:
    session = empty_house
    with pytest.raises(RuleViolation, match="no demo company"):
        demo.remove(session)
    demo.load(session)
    demo.send_samples(session)
    organization.create_position(session, SYSTEM, values={"code": "real", "name": "真实岗位"})
    spending.create_category(
        session,
        Actor(99, "真人", permissions=frozenset({"spending.category.manage"})),
        values={"code": "real", "name": "真实类别"},
    )
    with pytest.raises(RuleViolation, match=r"expense_category \(1\), position \(1\)"):
        demo.remove(session)
    assert demo.is_loaded(session)


def test_the_customers_move_in_within_seconds_and_out_without_trace(empty_house: Session) -> None:
    session = empty_house
    demo.load(session)
    started = time.process_time()
    assert demo.move_in(session) == 480
    session.commit()
    assert time.process_time() - started < 5
    kinds = Counter(session.scalars(select(Customer.kind)))
    assert kinds == {"organization": 420, "person": 60}
    at_customers = select(func.count(Contact.id)).where(Contact.organization_id.is_not(None))
    assert session.scalar(at_customers) == 900
    grounds = Counter(ground for one in session.scalars(select(DuplicatePair.grounds)) for ground in one.split(","))
    assert grounds["core"] == 3
    assert grounds["sound"] >= 1
    assert grounds["phone"] == 1
    numbers = session.scalars(select(ContactPoint.value).where(ContactPoint.kind == "phone")).all()
    assert all(one.startswith(("+861990001", "+862199")) for one in numbers)
    found = party.find_alike(session, SYSTEM, kind="organization", name="上海云汐网络科技")
    assert [one.grounds for one in found] == [("core",), ("core",)]
    seller = session.scalars(select(Employee).where(Employee.name == "王磊")).one()
    assert len(party.employers(session, SYSTEM)) == 8
    me = Actor(seller.id, seller.name, permissions=frozenset({USE}))
    assert len(party.employers(session, me)) == 2, "those whose people he entered himself"
    made = party.create_customer(session, SYSTEM, values={"name": "演示之后的客户"})
    assert made.id > 0
    made.is_demo = True
    session.commit()
    demo.remove(session)
    session.commit()
    for model in (Customer, Contact, Party, NameGram, DuplicatePair):
        assert session.scalar(select(func.count()).select_from(model)) == 0


def test_every_list_of_ones_own_has_something_on_it(empty_house: Session) -> None:
    """What a company of this size has at any moment: nobody looks at an empty page to learn what it is for."""
    session = empty_house
    demo.load(session)
    demo.move_in(session)
    session.commit()
    people = {one.name: one for one in session.scalars(select(Employee))}
    seller = _acting(people["王磊"])
    assert len(watching.focused(session, seller)) == 3
    assert len(watching.watched(session, seller)) == 2
    assert {one.level for one in sharing.shared_with(session, seller)} == {"work", "read"}
    assert len(watching.watched(session, _acting(people["周明"]))) == 1
    boss = _acting(people["周明"], ASSIGN)
    (leaver, *_others) = handing.holders(session, boss)
    assert (leaver.person.state, leaver.count) == ("left", 6)
    (batch,) = handing.batches_of(session, boss)
    assert handing.may_undo(boss, batch)
    night = select(func.count()).select_from(UnlockEvent).where(UnlockEvent.kind == "unlocked")
    assert session.scalar(night) == 5
    assert session.scalar(select(func.count()).select_from(Comment)) == 2
    for rule in session.scalars(select(AssignmentRule)):
        assert any(one.person for one in assigning.try_out(session, SYSTEM, record_id=rule.id)), rule.name


def test_its_calls_were_told_in_their_order(empty_house: Session) -> None:
    demo.load(empty_house)
    demo.move_in(empty_house)
    begun = list(empty_house.scalars(select(Call.started_at).where(Call.ended_at.is_not(None)).order_by(Call.id)))
    assert len(begun) > 100
    assert begun == sorted(begun)


def test_its_counters_and_its_customers_agree_with_the_history(empty_house: Session) -> None:
    session = empty_house
    demo.load(session)
    demo.move_in(session)
    session.commit()
    held = select(Ownership.owner_id, func.count()).where(Ownership.ended_at.is_(None)).group_by(Ownership.owner_id)
    used = {one.person_id: one.used for one in session.scalars(select(OwnerCounter)) if one.used}
    assert used == dict(session.execute(held).all())
    for one in session.scalars(select(LockLimit).where(LockLimit.subject_kind == "person")):
        assert used[one.subject_id] == one.most, "the two at their limit"
    stretches: dict[int, list[Ownership]] = {}
    for one in session.scalars(select(Ownership).order_by(Ownership.started_at)):
        stretches.setdefault(one.customer_id, []).append(one)
    for several in stretches.values():
        for former, latter in pairwise(several):
            assert former.ended_at is not None
            assert former.ended_at <= latter.started_at, former.customer_id


def _acting(employee: Employee, *rights: str) -> Actor:
    return Actor(employee.id, employee.name, permissions=frozenset({USE, APPLY, *rights}))
