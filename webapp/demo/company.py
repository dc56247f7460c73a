"""Moves the demo company in: departments, people with logins, categories, budgets, two telephones."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypeVar

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import SYSTEM
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel.columns import Stamped
from processes.kernel.working_time import business_date
from processes.organization import operations as organization
from processes.organization.models import Department, Employee, Position
from processes.spending import operations as spending, rules as spending_rules
from processes.spending.models import ExpenseCategory
from processes.telephony import operations as telephony
from webapp.demo.people import DEPARTMENTS, EXTENSIONS, PASSWORD, PEOPLE, POSITIONS, DemoPerson, name_of
from webapp.security import accounts, passwords

Record = TypeVar("Record", bound=Stamped)

CATEGORIES = {
    "travel": "差旅费",
    "entertainment": "业务招待费",
    "office": "办公费",
    "marketing": "市场推广费",
    "training": "培训费",
    "equipment": "设备采购费",
}

BUDGETS = (
    ("华东销售部", "travel", "month", "20000", "stop"),
    ("华东销售部", "entertainment", "month", "5000", "stop"),
    ("华东销售部", "equipment", "quarter", "10000", "warn"),
    ("华南销售部", "travel", "month", "15000", "warn"),
    ("华南销售部", "entertainment", "month", "4000", "stop"),
    ("销售中心", "marketing", "quarter", "90000", "stop"),
    ("财务部", "office", "year", "12000", "ignore"),
    ("行政人事部", "office", "month", "3000", "warn"),
    ("云启智联科技", "training", "year", "80000", "stop"),
)
"""department, category, period, amount, policy; for the present period and the one before"""


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
    _hire_everybody(session, departments)
    _make_budgets(session, departments)
    _give_extensions(session)
    session.flush()
    return True


def _give_extensions(session: Session) -> None:
    for extension, person in EXTENSIONS.items():
        employee = session.scalars(select(Employee).where(Employee.is_demo, Employee.name == name_of(person))).one()
        values = {"person": employee, "extension": extension, "queues": "demo", "skills": "售前咨询"}
        _demo(telephony.create_agent(session, SYSTEM, values=values))


def _make_departments(session: Session) -> dict[str, Department]:
    made: dict[str, Department] = {}
    for rank, (name, above) in enumerate(DEPARTMENTS.items()):
        values = {"name": name, "rank": rank, "parent": made[above] if above else None}
        made[name] = _demo(organization.create_department(session, SYSTEM, values=values))
    return made


def _hire_everybody(session: Session, departments: dict[str, Department]) -> None:
    positions = {
        code: _demo(organization.create_position(session, SYSTEM, values={"code": code, "name": name}))
        for code, name in POSITIONS.items()
    }
    roles = {role.name: role for role in session.scalars(select(Role))}
    password = passwords.hash_password(PASSWORD)  # slow by design, so once for all
    employees: dict[str, Employee] = {}
    for number, person in enumerate(PEOPLE, start=1):
        employee = _hire(session, person, number, employees, departments, positions)
        employee.user_id = _make_login(session, person, roles[person.role], password)
        employees[person.username] = employee
    for person in PEOPLE:
        for led in person.heads:
            departments[led].head = employees[person.username]


def _hire(
    session: Session,
    person: DemoPerson,
    number: int,
    colleagues: dict[str, Employee],
    departments: dict[str, Department],
    positions: dict[str, Position],
) -> Employee:
    values = {
        "number": f"D{number:03d}",
        "name": person.name,
        "email": _mail(person),
        "phone": f"199000000{number:02d}",
        "department": departments[person.department],
        "superior": colleagues[person.superior] if person.superior else None,
        "positions": [positions[code] for code in person.positions],
        "takes_orphans": person.takes_orphans,
    }
    return _demo(organization.create_employee(session, SYSTEM, values=values))


def _make_login(session: Session, person: DemoPerson, role: Role, password_hash: str) -> int:
    values = {
        "username": person.username,
        "last_name": person.family,
        "first_name": person.given,
        "email": _mail(person),
        "roles": [role.id],
    }
    login = accounts.create_login(session, SYSTEM, values=values)
    login.password = password_hash
    return int(login.id)


def _mail(person: DemoPerson) -> str:
    return f"{person.username}@example.com"


def _make_budgets(session: Session, departments: dict[str, Department]) -> None:
    categories: dict[str, ExpenseCategory] = {
        code: _demo(spending.create_category(session, SYSTEM, values={"code": code, "name": name}))
        for code, name in CATEGORIES.items()
    }
    today = business_date(clock.now())
    for department, category, period, amount, policy in BUDGETS:
        for day in (_before(period, today), today):
            values = {
                "department": departments[department],
                "category": categories[category],
                "period_kind": period,
                "starts_on": day,
                "amount": amount,
                "policy": policy,
            }
            _demo(spending.create_budget(session, SYSTEM, values=values))


def _before(period: str, day: date) -> date:
    """A day of the period before."""
    starts_on, _ends_on = spending_rules.period_of(period, day)
    return starts_on - timedelta(days=1)


def _demo(record: Record) -> Record:
    record.is_demo = True
    return record
