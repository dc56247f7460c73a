"""What must hold in a department tree and a line of command."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import RuleViolation
from engine.i18n import _
from processes.organization.models import Department, Employee


def path_below(parent: Department | None, department_id: int) -> str:
    """The path of a department under this parent: "/1/4/"."""
    return f"{parent.path if parent else '/'}{department_id}/"


def check_parent(department: Department, parent: Department | None) -> None:
    """A department cannot stand below itself, nor below an archived one."""
    if parent is None:
        return
    if department.path and parent.path.startswith(department.path):
        raise RuleViolation(
            _(
                "{department} cannot be placed below {parent}: that would be a circle.",
                department=department.name,
                parent=parent.name,
            ),
            code="department_circle",
        )
    if parent.state != "active":
        raise RuleViolation(
            _("{parent} is archived and takes no further departments.", parent=parent.name), code="department_archived"
        )


def check_superior(employee: Employee, line_of_superior: Sequence[Employee]) -> None:
    """Nobody is their own superior, at any distance. `line_of_superior`: the new superior and everyone above."""
    if any(person.id == employee.id for person in line_of_superior):
        raise RuleViolation(
            _(
                "{superior} answers to {employee} and cannot be their superior: that would be a circle.",
                superior=line_of_superior[0].name,
                employee=employee.name,
            ),
            code="superior_circle",
        )


def nth_active(line: Sequence[Employee], levels: int) -> Employee | None:
    """The n-th person up the line who is still with us; the topmost when it is shorter, None when it is empty."""
    active = [person for person in line if person.is_active]
    return active[min(levels, len(active)) - 1] if active else None
