"""Positions: the posts diagrams name."""

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
from processes.organization import permissions
from processes.organization.models import Employee, EmployeePosition, Position

RECORD_TYPE = "organization.position"


def _read(session: Session, values: Mapping[str, Any], *, record_id: int | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record_id is None)
    entry.code("code", required=True)
    entry.text("name", required=True)
    entry.untaken("code", Position.code, record_id, _("This code is already in use."))
    return entry.finish()


def create_position(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Position:
    """values: code, name."""
    permissions.require(actor, permissions.MANAGE_POSITIONS)
    clean = _read(session, values, record_id=None)
    position = Position(**clean)
    records.create(session, actor, RECORD_TYPE, position, clean)
    return position


def change_position(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Position:
    permissions.require(actor, permissions.MANAGE_POSITIONS)
    position = lock_for_change(session, Position, record_id, version)
    clean = _read(session, values, record_id=record_id)
    records.change(session, actor, RECORD_TYPE, position, clean)
    return position


def archive_position(session: Session, actor: Actor, *, record_id: int) -> None:
    """Close a position nobody holds any more."""
    permissions.require(actor, permissions.MANAGE_POSITIONS)
    position = lock_for_change(session, Position, record_id)
    holders = session.scalar(
        select(func.count())
        .select_from(EmployeePosition)
        .join(Employee, Employee.id == EmployeePosition.employee_id)
        .where(EmployeePosition.position_id == record_id, Employee.state == "active")
    )
    if holders:
        raise RuleViolation(
            _("{count} employees still hold the position {position}.", count=holders, position=position.name),
            code="position_in_use",
            remedy=_("Give them another position first."),
        )
    records.archive(session, actor, RECORD_TYPE, position)
