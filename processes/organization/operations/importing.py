"""Employees out of a table: all of them or none, and every fault of every row said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import AppError, Conflict, InvalidForm, Problem, RuleViolation
from engine.i18n import Sentence, _
from processes.organization import permissions
from processes.organization.models import Department, Employee, Position
from processes.organization.operations.employees import change_employee, create_employee

MOST = 5000
COLUMNS: Mapping[str, Sentence] = {
    "number": _("Number"),
    "name": _("Full name"),
    "phone": _("Phone"),
    "email": _("Mail"),
    "department": _("Department"),
    "positions": _("Positions"),
    "superior": _("Superior's number"),
}
"""Field -> the head of its column."""
ALSO: Mapping[str, tuple[str, ...]] = {
    "number": ("工号", "员工编号"),
    "name": ("姓名",),
    "phone": ("手机", "手机号", "手机号码", "电话"),
    "email": ("邮箱", "电子邮箱", "邮件"),
    "department": ("部门",),
    "positions": ("岗位", "职位"),
    "superior": ("上级", "上级工号", "直接上级"),
}
"""What other programs call the same columns."""
REQUIRED = ("number", "name")
_BETWEEN = "、,，;；"


@dataclass(frozen=True)
class Line:
    """A row of the table: its number there, and what stands below which head."""

    number: int
    values: Mapping[str, str]


@dataclass
class Outcome:
    """What an import did, or would do."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    faults: dict[int, list[Problem]] = field(default_factory=dict)
    """row -> what is wrong with it; `where` is a field"""

    @property
    def is_good(self) -> bool:
        return not self.faults

    def blame(self, line: Line, *problems: Problem) -> None:
        self.faults.setdefault(line.number, []).extend(problems)


def fields_of(head: Sequence[str], translate: Callable[[Sentence], Iterable[str]]) -> list[str]:
    """Which field each column holds, by its head in any of our languages or by the field's own name.

    Raises InvalidForm for unknown, doubled and missing columns.
    """
    names = {
        word.casefold(): name for name, title in COLUMNS.items() for word in (name, *ALSO[name], *translate(title))
    }
    found, problems = [], []
    for position, title in enumerate(head, 1):
        name = names.get(title.strip().rstrip("*").strip().casefold(), "")
        if not name:
            problems.append(Problem(str(position), _("There is no column “{title}”.", title=title)))
        elif name in found:
            problems.append(Problem(str(position), _("The column “{title}” is there twice.", title=title)))
        found.append(name)
    problems += [
        Problem(name, _("The column “{title}” is missing.", title=COLUMNS[name]))
        for name in REQUIRED
        if name not in found
    ]
    if problems:
        raise InvalidForm(problems)
    return found


def import_employees(session: Session, actor: Actor, lines: Sequence[Line], *, dry_run: bool) -> Outcome:
    """Known numbers are changed, new ones created; an empty cell leaves what is there. A single fault undoes all of it.

    dry_run: looks at everything in the same way and leaves nothing behind.
    """
    permissions.require(actor, permissions.MANAGE_EMPLOYEES)
    if len(lines) > MOST:
        raise RuleViolation(_("At most {count} rows can be imported at once.", count=MOST))
    outcome = Outcome()
    all_of_it = session.begin_nested()
    try:
        _all(session, actor, lines, outcome)
    except IntegrityError:
        all_of_it.rollback()
        raise Conflict(_("Somebody else changed this in the meantime."), remedy=_("Please try again.")) from None
    if dry_run or not outcome.is_good:
        all_of_it.rollback()
        session.expire_all()
    else:
        all_of_it.commit()
    return outcome


def _all(session: Session, actor: Actor, lines: Sequence[Line], outcome: Outcome) -> None:
    names = _Names(session)
    done: dict[str, int] = {}
    seen: dict[str, int] = {}
    for line in lines:
        number = line.values.get("number", "").strip()
        if number in seen:
            known = seen[number]
            outcome.blame(line, Problem("number", _("Row {row} has this number, too.", row=known)))
            continue
        seen[number] = line.number
        record_id = _one(session, actor, line, names, outcome)
        if record_id is not None:
            done[number] = record_id
    for line in lines:  # superiors last: they may stand further down
        superior = line.values.get("superior", "").strip()
        record_id = done.get(line.values.get("number", "").strip())
        if superior and record_id is not None:
            _put_below(session, actor, line, record_id, superior, outcome)


def _one(session: Session, actor: Actor, line: Line, names: _Names, outcome: Outcome) -> int | None:
    """Create or change one person; None when something is wrong with the row."""
    values, problems = names.read(line.values)
    known = session.scalars(select(Employee).where(Employee.number == line.values.get("number", "").strip())).first()
    try:
        with session.begin_nested():
            if known is None:
                employee = create_employee(session, actor, values=values)
                outcome.created += not problems
            else:
                version = known.version
                employee = change_employee(session, actor, record_id=known.id, values=values)
                session.flush()
                outcome.changed += employee.version != version and not problems
                outcome.unchanged += employee.version == version and not problems
    except InvalidForm as refusal:
        problems = [*problems, *refusal.problems]
    except AppError as refusal:
        problems = [*problems, Problem("", refusal.message, refusal.remedy)]
    if problems:
        outcome.blame(line, *problems)
        return None
    return employee.id


def _put_below(session: Session, actor: Actor, line: Line, record_id: int, superior: str, outcome: Outcome) -> None:
    above = session.scalars(select(Employee).where(Employee.number == superior)).first()
    if above is None:
        outcome.blame(line, Problem("superior", _("Nobody has the number {number}.", number=superior)))
        return
    try:
        with session.begin_nested():
            change_employee(session, actor, record_id=record_id, values={"superior": above})
    except AppError as refusal:
        outcome.blame(line, Problem("superior", refusal.message, refusal.remedy))


class _Names:
    """Departments by name, positions by name or code, each asked for once."""

    def __init__(self, session: Session) -> None:
        self._departments: dict[str, list[Department]] = {}
        for one in session.scalars(select(Department).where(Department.state == "active")):
            self._departments.setdefault(one.name.casefold(), []).append(one)
        self._positions: dict[str, Position] = {}
        for position in session.scalars(select(Position).where(Position.state == "active")):
            self._positions[position.code.casefold()] = position
            self._positions[position.name.casefold()] = position

    def read(self, given: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
        """What an operation takes; an empty cell is left out, the superior comes later."""
        values: dict[str, Any] = {
            name: given[name].strip() for name in ("number", "name", "phone", "email") if given.get(name, "").strip()
        }
        problems = []
        department = given.get("department", "").strip()
        if department:
            found = self._departments.get(department.casefold(), [])
            if len(found) == 1:
                values["department"] = found[0]
            elif found:
                problems.append(Problem("department", _("There are several departments “{name}”.", name=department)))
            else:
                problems.append(Problem("department", _("There is no department “{name}”.", name=department)))
        wanted = [one.strip() for one in _parts(given.get("positions", "")) if one.strip()]
        unknown = [one for one in wanted if one.casefold() not in self._positions]
        problems += [Problem("positions", _("There is no position “{name}”.", name=one)) for one in unknown]
        if wanted and not unknown:
            values["positions"] = [self._positions[one.casefold()] for one in wanted]
        return values, problems


def _parts(text: str) -> list[str]:
    for sign in _BETWEEN[1:]:
        text = text.replace(sign, _BETWEEN[0])
    return text.split(_BETWEEN[0])
