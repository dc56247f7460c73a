"""A small company for the tests of the business: three levels, one finance department."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.actor import Actor
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
