"""The line of command, and the candidate rules diagrams may use.

Nobody approves their own request: where a rule would give the starter the work, it goes one level up. Whoever has left
the company is passed over, up the line. When nobody is above (the general manager's own request), a rule finds nobody
and the engine turns to the fallback persons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.assignment import Candidates, Request, assignment, group_principal
from engine.i18n import _
from processes.organization import rules
from processes.organization.models import LOGIN_ROLE, ROLE, Department, Employee, EmployeePosition, Position

_NUMBER = re.compile("[1-9][0-9]{0,17}")
"""What can be the id of a record; "²" is a digit to Python and no number to anybody."""

# ------------------------------------------------------------------------------------------------- the line of command


def line_above(session: Session, person_id: int) -> list[Employee]:
    """Everyone above a person, nearest first, leavers included."""
    return lines_above(session, [person_id])[person_id]


def lines_above(session: Session, person_ids: Iterable[int]) -> dict[int, list[Employee]]:
    """The lines of many, read level by level: as many questions as there are levels, not people."""
    known: dict[int, Employee] = {}
    wanted = edge = set(person_ids)
    while edge:
        found = session.scalars(select(Employee).where(Employee.id.in_(edge))).all()
        known |= {person.id: person for person in found}
        edge = {person.superior_id for person in found if person.superior_id is not None} - known.keys()
    return {person_id: _line(known, person_id) for person_id in wanted}


def _line(known: Mapping[int, Employee], person_id: int) -> list[Employee]:
    line: list[Employee] = []
    person = known.get(person_id)
    while person is not None and person.superior_id is not None and person.superior_id != person_id:
        person = known.get(person.superior_id)
        if person is None or person in line:
            break
        line.append(person)
    return line


def superior_of(session: Session, person_id: int, levels: int = 1) -> Employee | None:
    return rules.nth_active(line_above(session, person_id), levels)


def holders_of_position(session: Session, position_id: int) -> list[Employee]:
    held = select(EmployeePosition.employee_id).where(EmployeePosition.position_id == position_id)
    return _active(session, held)


def members_of_role(session: Session, role_id: int) -> list[Employee]:
    logins = select(LOGIN_ROLE.c.user_id).where(LOGIN_ROLE.c.role_id == role_id)
    return _active(session, select(Employee.id).where(Employee.user_id.in_(logins)))


def members_of_department(session: Session, department_id: int) -> list[Employee]:
    """Those of the department itself, not of the ones below it."""
    return _active(session, select(Employee.id).where(Employee.department_id == department_id))


def _active(session: Session, ids: Select[int]) -> list[Employee]:
    people = select(Employee).where(Employee.id.in_(ids), Employee.state == "active").order_by(Employee.id)
    return list(session.scalars(people))


# ------------------------------------------------------------------------------------------------- rules


@assignment("starter", _("The starter"))
def starter(session: Session, request: Request, _argument: str | None) -> Candidates:
    """Whoever started it; when they have left, their superior."""
    person = session.get(Employee, request.starter_id)
    if person is None:
        return Candidates()
    if person.is_active:
        return Candidates(persons=(person.id,), path=person.name)
    return _one_up(session, person)


@assignment("superior", _("The starter's superior"), argument="levels")
def superior(session: Session, request: Request, argument: str | None) -> Candidates:
    """One level up, two with "superior(2)"; never further than the line reaches."""
    levels = int(argument) if argument and _NUMBER.fullmatch(argument) else 1
    found = superior_of(session, request.starter_id, levels)
    if found is None:
        return Candidates()
    person = session.get_one(Employee, request.starter_id)
    return Candidates(persons=(found.id,), path=person.name)


@assignment("department_head", _("The head of the starter's department"))
def department_head(session: Session, request: Request, _argument: str | None) -> Candidates:
    """The head of the nearest department, going up, that is led by someone else than the starter."""
    person = session.get(Employee, request.starter_id)
    department = session.get(Department, person.department_id) if person and person.department_id else None
    while department is not None:
        head = session.get(Employee, department.head_id) if department.head_id else None
        if head is not None and head.is_active and head.id != request.starter_id:
            return Candidates(persons=(head.id,), path=department.name)
        department = session.get(Department, department.parent_id) if department.parent_id else None
    return Candidates()


@assignment("position", _("Holders of a position"), argument="position")
def position(session: Session, request: Request, argument: str | None) -> Candidates:
    found = session.scalar(select(Position).where(Position.code == argument, Position.state == "active"))
    if found is None:
        return Candidates()
    holders = holders_of_position(session, found.id)
    return _pool(session, request, holders, group_principal("position", found.id), found.name)


@assignment("role", _("Members of a role"), argument="role")
def role(session: Session, request: Request, argument: str | None) -> Candidates:
    found = session.scalar(select(ROLE.c.id).where(ROLE.c.name == argument))
    if found is None:
        return Candidates()
    return _pool(session, request, members_of_role(session, found), group_principal("role", found), argument or "")


@assignment("person", _("A named person"), argument="person", together=True)
def person(session: Session, request: Request, arguments: Sequence[str | None]) -> Candidates:
    return _persons(session, request, arguments, "")


@assignment("field", _("A person from a form field"), argument="field")
def field(session: Session, request: Request, argument: str | None) -> Candidates:
    value = request.variables.get("form", {}).get(argument)
    return _persons(session, request, value if isinstance(value, list) else [value], argument or "")


@assignment("handler", _("Who handled an earlier step"), argument="node")
def handler(session: Session, request: Request, argument: str | None) -> Candidates:
    """The one who completed that node last; when they have left, their superior."""
    found = session.get(Employee, request.handlers.get(argument or "", 0))
    if found is None:
        return Candidates()
    if found.is_active:
        return Candidates(persons=(found.id,), path=argument or "")
    return _one_up(session, found)


# ------------------------------------------------------------------------------------------------- shared by the rules


def _pool(session: Session, request: Request, people: list[Employee], principal: int, path: str) -> Candidates:
    """The pool; the others by name when the starter is in it; one level up when there are no others."""
    if not people:
        return Candidates()
    others = tuple(person.id for person in people if person.id != request.starter_id)
    if len(others) == len(people):
        return Candidates(groups=(principal,), path=path)
    if others:
        return Candidates(persons=others, path=path)
    return _one_up(session, session.get_one(Employee, request.starter_id))


def _persons(session: Session, request: Request, ids: Sequence[object], path: str) -> Candidates:
    """These people; whoever has left or is the starter is replaced by their superior."""
    wanted = [int(str(id_)) for id_ in ids if _NUMBER.fullmatch(str(id_))]
    known = {person.id: person for person in session.scalars(select(Employee).where(Employee.id.in_(wanted)))}
    found: dict[int, None] = {}
    for id_ in wanted:
        person = known.get(id_)
        if person is not None and (not person.is_active or person.id == request.starter_id):
            person = _above_but_not(session, person, request.starter_id)
        if person is not None:
            found[person.id] = None
    return Candidates(persons=tuple(found), path=path)


def _above_but_not(session: Session, person: Employee, starter_id: int) -> Employee | None:
    line = [above for above in line_above(session, person.id) if above.id != starter_id]
    return rules.nth_active(line, 1)


def _one_up(session: Session, person: Employee) -> Candidates:
    found = superior_of(session, person.id)
    return Candidates(persons=(found.id,), path=person.name) if found else Candidates()
