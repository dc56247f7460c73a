"""What the engine asks about people: their names, who belongs to a pool, who takes what nobody else takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from engine.actor import Actor
from engine.assignment import group_of, group_principal
from engine.i18n import _
from processes.kernel.known_numbers import Known
from processes.kernel.recipient_groups import Group, Person
from processes.organization.assignments import holders_of_position, members_of_department, members_of_role
from processes.organization.models import ROLE, Department, Employee, EmployeePosition
from processes.organization.permissions import visible_employees

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


def employees_by_number(session: Session, numbers: Sequence[str]) -> Mapping[str, Sequence[Known]]:
    """Our own people under these E.164 numbers (processes.kernel.known_numbers)."""
    here = (
        select(Employee)
        .where(Employee.phone.in_(list(numbers)), Employee.state == "active")
        .options(joinedload(Employee.department))
        .order_by(Employee.id)
    )
    found: dict[str, list[Known]] = {}
    for person in session.scalars(here):
        found.setdefault(str(person.phone), []).append(_known(person))
    return found


def employees_by_address(
    session: Session, _actor: Actor, kind: str, addresses: Sequence[str]
) -> Mapping[str, Sequence[Known]]:
    """Our own people under these addresses (processes.kernel.known_addresses): the register shows them whole."""
    if kind == "phone":
        return employees_by_number(session, addresses)
    here = (
        select(Employee)
        .where(func.lower(Employee.email).in_(list(addresses)), Employee.state == "active")
        .options(joinedload(Employee.department))
        .order_by(Employee.id)
    )
    found: dict[str, list[Known]] = {}
    for person in session.scalars(here):
        found.setdefault(str(person.email).casefold(), []).append(_known(person))
    return found


def _known(person: Employee) -> Known:
    where = person.department.name if person.department is not None else ""
    return Known("organization.employee", person.id, person.name, where)


def _people(session: Session, condition: ColumnElement[bool]) -> list[Person]:
    wanted = select(Employee).where(condition).options(joinedload(Employee.department)).order_by(Employee.id)
    return [
        Person(
            name=one.name,
            number=one.phone,
            record=("organization.employee", one.id),
            has_left=not one.is_active,
            facts=dict.fromkeys(("department", "部门"), one.department.name if one.department is not None else ""),
        )
        for one in session.scalars(wanted)
    ]


def people_of_departments(session: Session, _actor: Actor, ids: Sequence[int]) -> list[Person]:
    """Those who work in these departments and all below them."""
    top, below = aliased(Department), aliased(Department)
    within = select(below.id).join(top, below.path.startswith(top.path)).where(top.id.in_(ids))
    return _people(session, and_(Employee.department_id.in_(within), Employee.state == "active"))


def people_of_positions(session: Session, _actor: Actor, ids: Sequence[int]) -> list[Person]:
    held = select(EmployeePosition.employee_id).where(EmployeePosition.position_id.in_(ids))
    return _people(session, and_(Employee.id.in_(held), Employee.state == "active"))


def people_by_hand(session: Session, actor: Actor, ids: Sequence[int]) -> list[Person]:
    return _people(session, and_(Employee.id.in_(ids), visible_employees(actor)))


GROUPS = (
    Group("organization.department", _("Departments"), people_of_departments, _("With all departments below")),
    Group("organization.position", _("Positions"), people_of_positions),
    Group("organization.employee", _("People"), people_by_hand),
)
