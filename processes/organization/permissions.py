"""Who may see and change the organization."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, SQLColumnExpression, exists, select, true
from sqlalchemy.orm import aliased

from engine.actor import Actor
from engine.errors import Forbidden
from engine.forms import reference
from engine.i18n import _
from processes.kernel.references import ScopedRecords
from processes.organization.models import Department, Employee, Position

MANAGE_DEPARTMENTS = "organization.department.manage"
MANAGE_POSITIONS = "organization.position.manage"
MANAGE_EMPLOYEES = "organization.employee.manage"
MANAGE_CALENDAR = "organization.calendar.manage"


def visible_departments(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.may(MANAGE_DEPARTMENTS) else Department.state == "active"


def visible_positions(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.may(MANAGE_POSITIONS) else Position.state == "active"


def visible_employees(actor: Actor) -> ColumnElement[bool]:
    """Colleagues are no secret, leavers are."""
    return true() if actor.may(MANAGE_EMPLOYEES) else Employee.state == "active"


def visible_calendar(_actor: Actor) -> ColumnElement[bool]:
    """When the company works is no secret."""
    return true()


def led_by(actor: Actor, department_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """The department lies at or below one the actor leads; asked of the tree as it stands now."""
    led, below = aliased(Department), aliased(Department)
    return exists(
        select(below.id)
        .join(led, below.path.startswith(led.path))
        .where(below.id == department_id, led.head_id == actor.person_id, led.state == "active")
    )


def below(person_id: int) -> ScalarSelect[int]:
    """Everybody under a person in the line of command, at any depth; a circle in it ends by itself."""
    under = select(Employee.id).where(Employee.superior_id == person_id).cte("under", recursive=True)
    further = select(Employee.id).join(under, Employee.superior_id == under.c.id)
    return select(under.union(further).c.id).scalar_subquery()


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not change this; ask an administrator for the right “{permission}”.", permission=permission)
        )


reference(
    "organization.employee", ScopedRecords(Employee.id, Employee.name, visible_employees, also=(Employee.number,))
)
reference("organization.department", ScopedRecords(Department.id, Department.name, visible_departments))
