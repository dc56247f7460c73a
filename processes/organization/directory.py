"""What the engine asks about people: their names, who belongs to a pool, who takes what nobody else takes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.assignment import group_of, group_principal
from processes.organization.assignments import holders_of_position, members_of_department, members_of_role
from processes.organization.models import ROLE, Employee, EmployeePosition

ADMIN_ROLE = "Admin"


class OrganizationDirectory:
    """engine.catalog.Directory on our employees."""

    def names(self, session: Session, person_ids: Sequence[int]) -> dict[int, str]:
        found = session.execute(select(Employee.id, Employee.name).where(Employee.id.in_(set(person_ids))))
        return {row.id: row.name for row in found}

    def active(self, session: Session, person_ids: Sequence[int]) -> tuple[int, ...]:
        """Those of them who are still with the company, in the same order."""
        still = select(Employee.id).where(Employee.id.in_(set(person_ids)), Employee.state == "active")
        here = set(session.scalars(still))
        return tuple(person for person in person_ids if person in here)

    def fallback_persons(self, session: Session) -> tuple[int, ...]:
        """Those marked for it; else the administrators, so that no work is ever lost in silence."""
        marked = select(Employee.id).where(Employee.takes_orphans, Employee.state == "active").order_by(Employee.id)
        persons = tuple(session.scalars(marked))
        if persons:
            return persons
        admin = session.scalar(select(ROLE.c.id).where(ROLE.c.name == ADMIN_ROLE))
        return tuple(person.id for person in members_of_role(session, admin)) if admin is not None else ()

    def members(self, session: Session, principal: int) -> tuple[int, ...]:
        """The people of a pool who are still with the company."""
        kind, group_id = group_of(principal)
        return tuple(person.id for person in _MEMBERS[kind](session, group_id))

    def reports(self, session: Session, person_id: int) -> tuple[int, ...]:
        """Those who report to this person directly and are still with the company."""
        below = select(Employee.id).where(Employee.superior_id == person_id, Employee.state == "active")
        return tuple(session.scalars(below.order_by(Employee.id)))

    def groups(self, session: Session, person_id: int) -> frozenset[int]:
        """The pools a person is in by position and department; roles belong to the login."""
        held = session.scalars(select(EmployeePosition.position_id).where(EmployeePosition.employee_id == person_id))
        groups = {group_principal("position", position) for position in held}
        department = session.scalar(select(Employee.department_id).where(Employee.id == person_id))
        return frozenset(groups | ({group_principal("department", department)} if department else set()))


_MEMBERS = {"position": holders_of_position, "role": members_of_role, "department": members_of_department}
