"""A small company for the tests of the business: three levels, one finance department."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from processes.organization import operations
from processes.organization.models import Department, Employee, Position


@dataclass
class Company:
    """Li Na and Zhao Lei sell under Wang Fang, who answers to Chen Ming, the general manager; Sun Yue is finance."""

    session: Session
    head_office: Department
    sales: Department
    finance: Department
    chen: Employee
    wang: Employee
    li: Employee
    zhao: Employee
    sun: Employee
    accountant: Position
    general_manager: Position


def actor_of(person: Employee, *permissions: str) -> Actor:
    return Actor(person_id=person.id, name=person.name, permissions=frozenset(permissions))


def company_of(session: Session) -> Company:
    """The company that was founded in this database."""
    departments = {one.name: one for one in session.scalars(select(Department))}
    positions = {one.code: one for one in session.scalars(select(Position))}
    people = {one.number: one for one in session.scalars(select(Employee))}
    session.commit()
    return Company(
        session,
        *(departments[name] for name in ("总经办", "销售部", "财务部")),
        *(people[number] for number in ("E1", "E2", "E4", "E5", "E3")),
        *(positions[code] for code in ("finance", "general_manager")),
    )


def found_company(session: Session) -> Company:
    """Make it and commit."""

    def department(name: str, parent: Department | None = None) -> Department:
        return operations.create_department(session, SYSTEM, values={"name": name, "parent": parent})

    def position(code: str, name: str) -> Position:
        return operations.create_position(session, SYSTEM, values={"code": code, "name": name})

    def employee(number: str, name: str, **values: Any) -> Employee:
        return operations.create_employee(session, SYSTEM, values={"number": number, "name": name, **values})

    head_office = department("总经办")
    sales, finance = department("销售部", head_office), department("财务部", head_office)
    accountant, general_manager = position("finance", "财务"), position("general_manager", "总经理")
    chen = employee("E1", "陈明", department=head_office, positions=[general_manager], phone="199 0000 0001")
    wang = employee("E2", "王芳", department=sales, superior=chen, phone="199 0000 0002")
    sun = employee("E3", "孙悦", department=finance, superior=chen, positions=[accountant], phone="199 0000 0003")
    li = employee("E4", "李娜", department=sales, superior=wang, phone="199 0000 0004", email="lina@example.com")
    zhao = employee("E5", "赵磊", department=sales, superior=wang)
    for one, head in ((head_office, chen), (sales, wang), (finance, sun)):
        operations.change_department(session, SYSTEM, record_id=one.id, values={"head": head})
    session.commit()
    return Company(
        session, head_office, sales, finance, chen, wang, li, zhao, sun, accountant, general_manager
    )  # fmt: skip
