"""Who may see and change the organization."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, ScalarSelect, SQLColumnExpression, and_, exists, or_, select, true
from sqlalchemy.orm import Session, aliased

from engine.actor import Actor
from engine.errors import Forbidden
from engine.forms import reference
from engine.i18n import _
from processes.kernel.references import ScopedRecords
from processes.organization.models import (
    LOGIN_ROLE,
    ROLE,
    Department,
    Employee,
    EmployeePosition,
    Position,
    ScopeGrant,
    ScopeGrantDepartment,
)

MANAGE_DEPARTMENTS = "organization.department.manage"
MANAGE_POSITIONS = "organization.position.manage"
MANAGE_EMPLOYEES = "organization.employee.manage"
MANAGE_CALENDAR = "organization.calendar.manage"
MANAGE_SCOPES = "organization.scope.manage"


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


def visible_scope_grants(_actor: Actor) -> ColumnElement[bool]:
    """Whoever may open the register sees them all."""
    return true()


_LED, _BELOW = aliased(Department), aliased(Department)


def led_by(actor: Actor, department_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """The department lies at or below one the actor leads; asked of the tree as it stands now."""
    return exists(
        select(_BELOW.id)
        .join(_LED, _BELOW.path.startswith(_LED.path))
        .where(_BELOW.id == department_id, _LED.head_id == actor.person_id, _LED.state == "active")
        .correlate_except(_BELOW, _LED)
    )


def below(person_id: int) -> ScalarSelect[int]:
    """Everybody under a person in the line of command, at any depth; a circle in it ends by itself."""
    return select(_under(person_id).c.id).scalar_subquery()


@lru_cache(maxsize=1_000)
def _under(person_id: int) -> CTE:
    """Made once for each person: wherever a statement asks for it, the database works it out and plans it once."""
    under = select(Employee.id).where(Employee.superior_id == person_id).cte(recursive=True)
    return under.union(select(Employee.id).join(under, Employee.superior_id == under.c.id))


def addressed(actor: Actor, grant: Any) -> ColumnElement[bool]:
    """The row (of ScopeGrant or another class with person, position and role) speaks to the actor."""
    positions = select(EmployeePosition.position_id).where(EmployeePosition.employee_id == actor.person_id)
    roles = (
        select(ROLE.c.name)
        .join(LOGIN_ROLE, LOGIN_ROLE.c.role_id == ROLE.c.id)
        .where(LOGIN_ROLE.c.user_id == actor.user_id)
    )
    return or_(grant.person_id == actor.person_id, grant.position_id.in_(positions), grant.role.in_(roles))


_ME, _NARROW = aliased(Employee), aliased(ScopeGrant)
_UNDER, _CHOSEN, _WITHIN = aliased(Department), aliased(Department), aliased(Department)
"""Made once: an alias costs more than the rest of the condition, and one stands in every list."""


def within_scope(actor: Actor, module: str, owner: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """The record with this owner lies within what the actor may see in a part of the house (row 64): his own, those of
    the people below him, and what his grants open. A grant that narrows holds alone. Nobody's record lies within none.
    """
    if actor.person_id == 0:
        return true()
    return or_(own(actor, owner), of_people_below(actor, module, owner), granted(actor, module, owner))


def own(actor: Actor, owner: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    return owner == actor.person_id


def of_people_below(actor: Actor, module: str, owner: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """By the line of command, unless a grant narrows what the actor sees."""
    return and_(~_narrowed(actor, module), owner.in_(below(actor.person_id)))


def granted(
    actor: Actor, module: str, owner: SQLColumnExpression[Any], *, by: int | None = None
) -> ColumnElement[bool]:
    """What the actor's grants open. by: this grant alone."""
    held = and_(
        ScopeGrant.module == module,
        addressed(actor, ScopeGrant),
        or_(ScopeGrant.narrows, ~_narrowed(actor, module)),
        true() if by is None else ScopeGrant.id == by,
    )

    def holds(level: str) -> ColumnElement[bool]:
        return exists(select(ScopeGrant.id).where(held, ScopeGrant.level == level))

    my_department = select(_ME.department_id).where(_ME.id == actor.person_id).scalar_subquery()
    my_path = select(_UNDER.path).where(_UNDER.id == my_department).scalar_subquery()
    chosen_ones = (
        select(_WITHIN.id)
        .join(_CHOSEN, _WITHIN.path.startswith(_CHOSEN.path))
        .join(ScopeGrantDepartment, ScopeGrantDepartment.department_id == _CHOSEN.id)
        .join(ScopeGrant, ScopeGrant.id == ScopeGrantDepartment.grant_id)
        .where(held, ScopeGrant.level == "chosen")
    )
    colleagues = select(Employee.id).join(Department, Department.id == Employee.department_id)
    return or_(
        and_(owner.is_not(None), holds("all")),
        owner.in_(colleagues.where(Department.id == my_department, holds("department"))),
        owner.in_(colleagues.where(Department.path.startswith(my_path), holds("below"))),
        owner.in_(colleagues.where(Department.id.in_(chosen_ones))),
    )


def _narrowed(actor: Actor, module: str) -> ColumnElement[bool]:
    return exists().where(_NARROW.module == module, _NARROW.person_id == actor.person_id, _NARROW.narrows)


def grants_of(session: Session, actor: Actor, module: str) -> Sequence[ScopeGrant]:
    """The grants that speak to the actor, whatever they open."""
    mine = select(ScopeGrant).where(ScopeGrant.module == module, addressed(actor, ScopeGrant))
    return session.scalars(mine.order_by(ScopeGrant.id)).all()


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not change this; ask an administrator for the right “{permission}”.", permission=permission)
        )


reference(
    "organization.employee", ScopedRecords(Employee.id, Employee.name, visible_employees, also=(Employee.number,))
)
reference("organization.department", ScopedRecords(Department.id, Department.name, visible_departments))
