"""Logins and employees are one: rights come from the login, pools from the employee, and who leaves is locked out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from engine import db, events
from engine.actor import SYSTEM, Actor
from engine.assignment import group_principal
from engine.catalog import CATALOG
from processes.organization.models import Employee
from processes.organization.operations import ensure_employee_for_login
from webapp.security import people
from webapp.security.accounts import close_login
from webapp.security.manager import rights_of_many
from webapp.security.people import Person


def join() -> None:
    """Called once by each process that acts for people: web, worker, listener."""
    people.install(employee_as_person)
    CATALOG.actors = people_as_actors


def employee_as_person(session: Session, user: Any) -> Person:
    """The employee of a login; made on the spot for a login that has none yet."""
    employee = session.scalars(
        select(Employee).where(Employee.user_id == user.id).options(selectinload(Employee.positions))
    ).first()
    if employee is None:
        with db.transaction():
            employee = ensure_employee_for_login(session, user)
    return Person(employee.id, employee.name, _pools(employee), employee.locale)


def _pools(employee: Employee) -> frozenset[int]:
    groups = {group_principal("position", position.id) for position in employee.positions}
    if employee.department_id is not None:
        groups.add(group_principal("department", employee.department_id))
    return frozenset(groups)


def people_as_actors(session: Session, person_ids: Iterable[int]) -> dict[int, Actor]:
    """Those of these people who are with us, as the actors they are when they sign in."""
    wanted = (
        select(Employee)
        .where(Employee.id.in_(set(person_ids)), Employee.state == "active")
        .options(selectinload(Employee.positions))
    )
    employees = session.scalars(wanted).all()
    rights = rights_of_many(session, [employee.user_id for employee in employees if employee.user_id is not None])
    found = {}
    for employee in employees:
        roles, permissions = rights.get(employee.user_id or 0, (frozenset(), frozenset()))
        groups = _pools(employee) | {group_principal("role", role) for role in roles}
        found[employee.id] = Actor(
            employee.id, employee.name, groups, permissions, locale=employee.locale, user_id=employee.user_id
        )
    return found


@events.subscribe("organization.employee_left")
def lock_out(session: Session, *, user_id: int | None, **_facts: Any) -> None:
    """Whoever has left does not sign in any more, from this moment on."""
    user = session.get(User, user_id) if user_id is not None else None
    if user is not None and user.active:
        close_login(session, SYSTEM, record_id=user.id)
