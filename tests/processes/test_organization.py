"""Departments, positions and employees: made, changed, raced; and who sees them."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine import events
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.errors import AppError, Conflict, Forbidden, InvalidForm, RuleViolation
from engine.models import RecordAudit
from processes.organization import operations, permissions
from processes.organization.directory import OrganizationDirectory
from processes.organization.models import CalendarDay, Department, Employee, OfficeHours, Position, ScopeGrant
from tests.processes.company import Company, actor_of


def audits(session: Session, record_type: str, record_id: int) -> list[RecordAudit]:
    return list(
        session.scalars(
            select(RecordAudit)
            .where(RecordAudit.record_type == record_type, RecordAudit.record_id == record_id)
            .order_by(RecordAudit.seq)
        )
    )


# ------------------------------------------------------------------------------------------------- departments


def test_a_department_moves_with_everything_below_it(session: Session, company: Company) -> None:
    north = operations.create_department(session, SYSTEM, values={"name": "北区", "parent": company.sales})
    operations.change_department(session, SYSTEM, record_id=company.sales.id, values={"parent": company.finance.id})
    session.expire_all()
    assert company.sales.path == f"{company.finance.path}{company.sales.id}/"
    assert north.path == f"{company.sales.path}{north.id}/"


def test_a_department_cannot_stand_below_itself(session: Session, company: Company) -> None:
    with pytest.raises(RuleViolation, match="circle"):
        operations.change_department(
            session, SYSTEM, record_id=company.head_office.id, values={"parent": company.sales}
        )


def test_two_moves_at_once_never_make_a_circle(company: Company) -> None:
    def move(below: int, above: int) -> None:
        barrier.wait()
        try:
            with transaction() as own:
                operations.change_department(own, SYSTEM, record_id=below, values={"parent": above})
                done.append(below)
        except RuleViolation:
            pass
        finally:
            Sessions.remove()

    barrier, done = threading.Barrier(2), list[int]()
    sales, finance = company.sales.id, company.finance.id
    threads = [threading.Thread(target=move, args=pair) for pair in ((sales, finance), (finance, sales))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 1


def test_a_department_in_use_cannot_be_archived(session: Session, company: Company) -> None:
    with pytest.raises(RuleViolation, match="3 employees"):
        operations.archive_department(session, SYSTEM, record_id=company.sales.id)
    empty = operations.create_department(session, SYSTEM, values={"name": "旧部门"})
    operations.archive_department(session, SYSTEM, record_id=empty.id)
    operations.archive_department(session, SYSTEM, record_id=empty.id)
    assert empty.state == "archived"
    assert [a.action for a in audits(session, "organization.department", empty.id)] == ["created", "archived"]


def test_nothing_is_placed_below_an_archived_department(session: Session, company: Company) -> None:
    closed = operations.create_department(session, SYSTEM, values={"name": "旧部门"})
    operations.archive_department(session, SYSTEM, record_id=closed.id)
    with pytest.raises(RuleViolation, match="archived"):
        operations.create_department(session, SYSTEM, values={"name": "新部门", "parent": closed})


# ------------------------------------------------------------------------------------------------- employees, positions


def test_a_change_leaves_its_trace_with_before_and_after(session: Session, company: Company) -> None:
    actor = actor_of(company.chen, permissions.MANAGE_EMPLOYEES)
    operations.change_employee(
        session,
        actor,
        record_id=company.li.id,
        version=company.li.version,
        values={"phone": "0755 12345678", "superior": company.chen.id, "name": "李娜"},
    )
    last = audits(session, "organization.employee", company.li.id)[-1]
    assert (last.action, last.actor_name) == ("changed", "陈明")
    assert last.before == {
        "phone": "+8619900000004",
        "superior": {"id": company.wang.id, "name": "王芳"},
    }
    assert last.after == {"phone": "+8675512345678", "superior": {"id": company.chen.id, "name": "陈明"}}


def test_a_change_of_an_outdated_page_is_refused(session: Session, company: Company) -> None:
    seen = company.li.version
    operations.change_employee(session, SYSTEM, record_id=company.li.id, version=seen, values={"name": "李丽娜"})
    with pytest.raises(Conflict):
        operations.change_employee(session, SYSTEM, record_id=company.li.id, version=seen, values={"name": "李娜娜"})


def test_every_mistake_is_told_at_once(session: Session, company: Company) -> None:
    with pytest.raises(InvalidForm) as refused:
        operations.create_employee(
            session,
            SYSTEM,
            values={
                "number": "E1",
                "phone": "12",
                "email": "nobody",
                "department": 999_999,
                "salary": 1,
                "locale": "fr",
            },
        )
    assert set(refused.value.by_field()) == {"number", "name", "phone", "email", "department", "salary", "locale"}


def test_nobody_is_their_own_superior_at_any_distance(session: Session, company: Company) -> None:
    with pytest.raises(RuleViolation, match="circle"):
        operations.change_employee(session, SYSTEM, record_id=company.chen.id, values={"superior": company.li})
    with pytest.raises(RuleViolation, match="circle"):
        operations.change_employee(session, SYSTEM, record_id=company.li.id, values={"superior": company.li})


def test_whoever_leaves_is_announced_once(session: Session, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, object]] = []
    monkeypatch.setitem(
        events._SUBSCRIBERS, "organization.employee_left", [lambda _session, **facts: heard.append(facts)]
    )
    operations.archive_employee(session, SYSTEM, record_id=company.zhao.id)
    operations.archive_employee(session, SYSTEM, record_id=company.zhao.id)
    assert heard == [{"employee_id": company.zhao.id, "user_id": None}]
    assert company.zhao.state == "left"


def test_nobody_notes_their_own_departure(session: Session, company: Company) -> None:
    actor = actor_of(company.chen, permissions.MANAGE_EMPLOYEES)
    with pytest.raises(RuleViolation):
        operations.archive_employee(session, actor, record_id=company.chen.id)


def test_a_position_is_unique_and_archived_only_when_nobody_holds_it(session: Session, company: Company) -> None:
    with pytest.raises(InvalidForm):
        operations.create_position(session, SYSTEM, values={"code": "finance", "name": "出纳"})
    with pytest.raises(InvalidForm):
        operations.create_position(session, SYSTEM, values={"code": "Ein Kauf", "name": "采购"})
    with pytest.raises(RuleViolation, match="still hold"):
        operations.archive_position(session, SYSTEM, record_id=company.accountant.id)
    operations.change_employee(session, SYSTEM, record_id=company.sun.id, values={"positions": []})
    operations.archive_position(session, SYSTEM, record_id=company.accountant.id)
    assert company.accountant.state == "archived"


@pytest.mark.parametrize(
    "attempt",
    [
        lambda s, a, c: operations.create_department(s, a, values={"name": "x"}),
        lambda s, a, c: operations.change_department(s, a, record_id=c.sales.id, values={"name": "x"}),
        lambda s, a, c: operations.archive_department(s, a, record_id=c.sales.id),
        lambda s, a, c: operations.create_position(s, a, values={"code": "x", "name": "x"}),
        lambda s, a, c: operations.change_position(s, a, record_id=c.accountant.id, values={"name": "x"}),
        lambda s, a, c: operations.archive_position(s, a, record_id=c.accountant.id),
        lambda s, a, c: operations.create_employee(s, a, values={"number": "x", "name": "x"}),
        lambda s, a, c: operations.change_employee(s, a, record_id=c.li.id, values={"name": "x"}),
        lambda s, a, c: operations.archive_employee(s, a, record_id=c.li.id),
    ],
)
def test_without_the_right_nothing_changes(session: Session, company: Company, attempt: object) -> None:
    with pytest.raises(Forbidden):
        attempt(session, actor_of(company.li), company)  # type: ignore[operator]


def test_leavers_are_seen_only_by_those_who_manage_them(session: Session, company: Company) -> None:
    operations.archive_employee(session, SYSTEM, record_id=company.zhao.id)

    def seen(*rights: str) -> int:
        scope = permissions.visible_employees(actor_of(company.li, *rights))
        return session.scalar(select(func.count()).select_from(Employee).where(scope)) or 0

    assert seen() == 4
    assert seen(permissions.MANAGE_EMPLOYEES) == 5


def test_a_head_leads_what_lies_below_as_the_tree_stands_now(session: Session, company: Company) -> None:
    def led_by(person: Employee) -> set[str]:
        condition = permissions.led_by(actor_of(person), Department.id)
        return set(session.scalars(select(Department.name).where(condition)))

    assert led_by(company.chen) == {"总经办", "销售部", "财务部"}
    assert led_by(company.wang) == {"销售部"}
    assert led_by(company.li) == set()
    operations.change_department(session, SYSTEM, record_id=company.finance.id, values={"parent": company.sales})
    assert led_by(company.wang) == {"销售部", "财务部"}


# ------------------------------------------------------------------------------------------------- logins, directory


def login(session: Session, username: str, first: str, last: str) -> SimpleNamespace:
    session.execute(
        text(
            "INSERT INTO ab_user (id, first_name, last_name, username, email, active)"
            " VALUES (:id, :first, :last, :username, :email, :active)"
        ),
        {
            "id": 7,
            "first": first,
            "last": last,
            "username": username,
            "email": f"{username}@example.com",
            "active": True,
        },
    )
    return SimpleNamespace(id=7, first_name=first, last_name=last, username=username, email=f"{username}@example.com")


@pytest.mark.parametrize(
    ("first", "last", "name"), [("伟", "张", "张伟"), ("Ann", "Smith", "Ann Smith"), ("", "", "zw")]
)
def test_every_login_becomes_one_employee(session: Session, company: Company, first: str, last: str, name: str) -> None:
    user = login(session, "zw", first, last)
    made = operations.ensure_employee_for_login(session, user)
    assert made.name == name
    assert operations.ensure_employee_for_login(session, user) is made


def test_a_login_goes_to_whom_personnel_has_entered_with_its_mail(session: Session, company: Company) -> None:
    entered = Employee(number="N001", name="郑新", email="Xin@example.com", positions=[])
    session.add(entered)
    session.flush()
    user = login(session, "xin", "新", "郑")
    user.email = "xin@EXAMPLE.com"
    assert operations.ensure_employee_for_login(session, user) is entered
    assert entered.user_id == user.id


@pytest.mark.parametrize("double", [{"state": "left"}, {"number": "N002"}])
def test_a_login_goes_to_nobody_who_left_and_to_none_of_two(
    session: Session, company: Company, double: dict[str, str]
) -> None:
    session.add(Employee(**{"number": "N001", "name": "郑新", "email": "x@example.com", "positions": []} | double))
    if "number" in double:
        session.add(Employee(number="N003", name="郑欣", email="x@example.com", positions=[]))
    session.flush()
    user = login(session, "xin", "新", "郑")
    user.email = "x@example.com"
    assert operations.ensure_employee_for_login(session, user).number.startswith("U")


def test_two_first_requests_of_a_login_make_one_employee(session: Session, company: Company) -> None:
    user = login(session, "zw", "伟", "张")
    session.commit()
    barrier, made, failed = threading.Barrier(2), list[int](), list[Exception]()

    def enter() -> None:
        barrier.wait()
        try:
            with transaction() as own:
                made.append(operations.ensure_employee_for_login(own, user).id)
        except AppError as error:
            failed.append(error)
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert len(made) == 2
    assert len(set(made)) == 1


def test_the_directory_knows_names_pools_and_who_takes_orphans(session: Session, company: Company) -> None:
    directory = OrganizationDirectory()
    assert directory.names(session, [company.li.id, 999]) == {company.li.id: "李娜"}
    groups = directory.groups(session, company.sun.id)
    assert {directory.members(session, group) for group in groups} == {(company.sun.id,)}
    assert directory.fallback_persons(session) == ()
    operations.change_employee(session, SYSTEM, record_id=company.sun.id, values={"takes_orphans": True})
    assert directory.fallback_persons(session) == (company.sun.id,)


def test_administrators_take_orphans_when_nobody_is_marked(session: Session, company: Company) -> None:
    user = login(session, "admin", "", "管理员")
    session.execute(text("INSERT INTO ab_role (id, name) VALUES (3, 'Admin')"))
    session.execute(text("INSERT INTO ab_user_role (id, user_id, role_id) VALUES (1, 7, 3)"))
    admin = operations.ensure_employee_for_login(session, user)
    assert OrganizationDirectory().fallback_persons(session) == (admin.id,)


def test_the_manifest_names_only_what_exists() -> None:
    from processes.organization.manifest import MANIFEST

    for register in MANIFEST.registers:
        for column in (*register.columns, *register.fields):
            assert hasattr(register.model, column.name), (register.name, column.name)
    assert {register.model for register in MANIFEST.registers} == {
        Department, Position, Employee, CalendarDay, OfficeHours, ScopeGrant,
    }  # fmt: skip
