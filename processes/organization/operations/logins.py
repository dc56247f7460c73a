"""Every login is somebody: the employee behind a Flask-AppBuilder user."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import SYSTEM
from processes.organization.models import Employee


class Login(Protocol):
    """What we read of a Flask-AppBuilder user."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str


def ensure_employee_for_login(session: Session, user: Login) -> Employee:
    """The employee of this login: who has it, or whom personnel has entered with its mail and who has none yet; made
    now, without department and superior, when there is only a login.
    """
    known = select(Employee).where(Employee.user_id == user.id)
    employee = session.scalar(known) or _entered_before(session, user)
    if employee is not None:
        return employee
    employee = Employee(
        user_id=user.id, number=f"U{user.id:04d}", name=_full_name(user), email=user.email or None, positions=[]
    )
    try:
        with session.begin_nested():
            session.add(employee)
            session.flush()
            after = {"name": employee.name, "login": user.username}
            journal.audit(session, SYSTEM, "organization.employee", employee.id, "created", None, after)
    except IntegrityError:  # another request of the same login was faster
        return session.scalars(known).one()
    return employee


def _entered_before(session: Session, user: Login) -> Employee | None:
    """Whoever was entered as an employee first gets the login; otherwise the house would know one person twice."""
    if not user.email:
        return None
    same = func.lower(Employee.email) == user.email.lower()
    entered = select(Employee).where(same, Employee.user_id.is_(None), Employee.state == "active").limit(2)
    found = session.scalars(entered.with_for_update()).all()
    if len(found) != 1:
        return None
    employee = found[0]
    employee.user_id = user.id
    journal.audit(
        session, SYSTEM, "organization.employee", employee.id, "changed", {"login": None}, {"login": user.username}
    )
    session.flush()
    return employee


def _full_name(user: Login) -> str:
    """Family name first without a blank where it is written in Chinese, "First Last" elsewhere."""
    first, last = user.first_name.strip(), user.last_name.strip()
    chinese = any("一" <= character <= "鿿" for character in first + last)
    name = last + first if chinese else f"{first} {last}".strip()
    return (name or user.username)[:100]
