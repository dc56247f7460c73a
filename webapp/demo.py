"""The small demo company: who works there, and how to log in as them. Made by the same operations people use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.errors import RuleViolation
from engine.i18n import _
from processes.organization import operations
from processes.organization.models import Department, Employee, Position
from webapp.security import accounts

Record = TypeVar("Record", Department, Position, Employee)

PASSWORD = "yunliu-demo"
"""Of all demo people. Real people never have it: demo data and real people do not share a database."""


@dataclass(frozen=True)
class DemoPerson:
    username: str
    family: str
    given: str
    role: str
    department: str
    superior: str | None
    what: str
    """for the list people choose a login from"""
    positions: tuple[str, ...] = ()
    heads: str | None = None
    """the department this person leads"""

    @property
    def name(self) -> str:
        return self.family + self.given


DEPARTMENTS = {
    "云启智联": None,
    "总经办": "云启智联",
    "销售部": "云启智联",
    "华东销售组": "销售部",
    "财务部": "云启智联",
}
POSITIONS = {"finance": "财务审核", "general_manager": "总经理"}

PEOPLE = (
    DemoPerson(
        "chen.guoqiang", "陈", "国强", "GeneralManager", "总经办", None, "general manager, approves from 10,000",
        ("general_manager",), "总经办",
    ),
    DemoPerson(
        "lin.xiaoyan", "林", "晓燕", "DepartmentHead", "销售部", "chen.guoqiang", "department head, from 1,000",
        heads="销售部",
    ),
    DemoPerson("zhou.ming", "周", "明", "Supervisor", "华东销售组", "lin.xiaoyan", "superior"),
    DemoPerson("wang.lei", "王", "磊", "Employee", "华东销售组", "zhou.ming", "employee, sends requests"),
    DemoPerson("li.na", "李", "娜", "Employee", "华东销售组", "zhou.ming", "employee"),
    DemoPerson(
        "zhao.min", "赵", "敏", "Finance", "财务部", "chen.guoqiang", "finance, from 10,000", ("finance",), "财务部"
    ),
)  # fmt: skip


def is_loaded(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(Employee.is_demo))))


def load(session: Session) -> bool:
    """Make the company unless it is there; whether it was made now.

    Raises RuleViolation in a database where real people work.
    """
    if is_loaded(session):
        return False
    if session.scalar(select(exists().where(Employee.user_id.is_(None) | Employee.department_id.is_not(None)))):
        raise RuleViolation(
            _("Real people work in this database; the demo company does not move in with them."),
            remedy=_("Use another DATA_DIR or DATABASE_URL for it."),
        )
    departments = _make_departments(session)
    positions = {code: _demo(operations.create_position(session, SYSTEM, values={"code": code, "name": name}))
                 for code, name in POSITIONS.items()}  # fmt: skip
    employees: dict[str, Employee] = {}
    for number, person in enumerate(PEOPLE, start=1):
        employees[person.username] = _hire(session, person, number, employees, departments, positions)
    for person in PEOPLE:
        if person.heads is not None:
            departments[person.heads].head = employees[person.username]
    session.flush()
    return True


def _make_departments(session: Session) -> dict[str, Department]:
    made: dict[str, Department] = {}
    for rank, (name, above) in enumerate(DEPARTMENTS.items()):
        values = {"name": name, "rank": rank, "parent": made[above].id if above else None}
        made[name] = _demo(operations.create_department(session, SYSTEM, values=values))
    return made


def _hire(
    session: Session,
    person: DemoPerson,
    number: int,
    colleagues: dict[str, Employee],
    departments: dict[str, Department],
    positions: dict[str, Position],
) -> Employee:
    mail = f"{person.username}@example.com"
    role = session.scalars(select(Role).where(Role.name == person.role)).one()
    login = accounts.create_login(
        session,
        SYSTEM,
        values={
            "username": person.username, "last_name": person.family, "first_name": person.given,
            "email": mail, "roles": [role.id],
        },
        password=PASSWORD,
    )  # fmt: skip
    employee = operations.create_employee(
        session,
        SYSTEM,
        values={
            "number": f"D{number:03d}", "name": person.name, "email": mail, "phone": f"139000000{number:02d}",
            "department": departments[person.department].id,
            "superior": colleagues[person.superior].id if person.superior else None,
            "positions": [positions[code].id for code in person.positions],
        },
    )  # fmt: skip
    employee.user_id = login.id
    return _demo(employee)


def _demo(record: Record) -> Record:
    record.is_demo = True
    return record
