"""Departments: made, moved, renamed, archived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.organization import permissions, rules
from processes.organization.models import Department, Employee

RECORD_TYPE = "organization.department"


def _read(session: Session, values: Mapping[str, Any], *, record_id: int | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record_id is None)
    entry.text("name", required=True)
    entry.text("code", longest=20)
    entry.reference("parent", Department)
    entry.reference("head", Employee)
    entry.number("rank")
    if (code := entry.clean.get("code")) is not None:
        others = select(Department.name).where(Department.code == code, Department.id != (record_id or 0))
        if (taken := session.scalar(others)) is not None:
            entry.problem("code", _("{name} already has this code.", name=taken))
    return entry.finish()


def create_department(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Department:
    """values: name, code, parent, head, rank."""
    permissions.require(actor, permissions.MANAGE_DEPARTMENTS)
    clean = _read(session, values, record_id=None)
    department = Department(**clean)
    rules.check_parent(department, department.parent)
    records.create(session, actor, RECORD_TYPE, department, clean)
    department.path = rules.path_below(department.parent, department.id)
    session.flush()
    return department


def change_department(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Department:
    """Rename, give another head, or move with everything below it."""
    permissions.require(actor, permissions.MANAGE_DEPARTMENTS)
    if "parent" in values:
        _lock_tree(session)
    department = lock_for_change(session, Department, record_id, version)
    clean = _read(session, values, record_id=record_id)
    if "parent" in clean and clean["parent"] != department.parent:
        rules.check_parent(department, clean["parent"])
        _move(session, department, clean["parent"])
    records.change(session, actor, RECORD_TYPE, department, clean)
    return department


def archive_department(session: Session, actor: Actor, *, record_id: int) -> None:
    """Close a department in which nobody works and below which none is open."""
    permissions.require(actor, permissions.MANAGE_DEPARTMENTS)
    department = lock_for_change(session, Department, record_id)
    people = session.scalar(select(func.count()).where(Employee.department_id == record_id, Employee.state == "active"))
    below = session.scalar(select(func.count()).where(Department.parent_id == record_id, Department.state == "active"))
    if people or below:
        raise RuleViolation(
            _(
                "{department} still has {people} employees and {below} departments below it.",
                department=department.name,
                people=people,
                below=below,
            ),
            code="department_in_use",
            remedy=_("Move them elsewhere first."),
        )
    records.archive(session, actor, RECORD_TYPE, department)


def _lock_tree(session: Session) -> None:
    """Two moves at once could each be sound and together a circle, so the tree moves one department at a time."""
    session.execute(select(Department.id).order_by(Department.id).with_for_update(key_share=True)).all()


def _move(session: Session, department: Department, parent: Department | None) -> None:
    """Give the department and all below it their new paths."""
    old, new = department.path, rules.path_below(parent, department.id)
    subtree = select(Department).where(Department.path.startswith(old)).execution_options(populate_existing=True)
    for one in session.scalars(subtree):
        one.path = new + one.path.removeprefix(old)
