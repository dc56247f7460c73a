"""Employees: hired, changed, gone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import events, journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import phone_number, records
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.entry import Entry
from processes.organization import permissions, rules
from processes.organization.assignments import line_above
from processes.organization.models import Department, Employee, Position

RECORD_TYPE = "organization.employee"

LOCALES = ("zh_CN", "en")

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


def _mail(value: Any) -> str:
    if not isinstance(value, str) or not _MAIL.fullmatch(value.strip()):
        raise RuleViolation(_("{text} is not a mail address.", text=str(value)))
    return value.strip()


def _read(session: Session, values: Mapping[str, Any], *, record_id: int | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record_id is None)
    entry.text("number", required=True, longest=30)
    entry.text("name", required=True)
    entry.parsed("phone", lambda value: phone_number.parse(str(value)))
    entry.parsed("email", _mail)
    entry.reference("department", Department)
    entry.references("positions", Position)
    entry.reference("superior", Employee)
    entry.choice("locale", LOCALES)
    entry.flag("takes_orphans")
    taken = session.scalar(
        select(Employee.name).where(Employee.number == entry.clean.get("number"), Employee.id != (record_id or 0))
    )
    if taken is not None:
        entry.problem("number", _("{name} already has this number.", name=taken))
    return entry.finish()


def create_employee(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Employee:
    """values: number, name, phone, email, department, positions, superior, locale, takes_orphans."""
    permissions.require(actor, permissions.MANAGE_EMPLOYEES)
    clean = _read(session, values, record_id=None)
    if clean.get("locale") is None:
        clean["locale"] = LOCALES[0]
    employee = Employee(**clean)
    records.create(session, actor, RECORD_TYPE, employee, clean)
    return employee


def change_employee(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Employee:
    permissions.require(actor, permissions.MANAGE_EMPLOYEES)
    if "superior" in values:
        _lock_line_of_command(session)
    employee = lock_for_change(session, Employee, record_id, version)
    clean = _read(session, values, record_id=record_id)
    if clean.get("locale", "") is None:
        del clean["locale"]
    superior = clean.get("superior")
    if superior is not None and superior != employee.superior:
        rules.check_superior(employee, [superior, *line_above(session, superior.id)])
    records.change(session, actor, RECORD_TYPE, employee, clean)
    return employee


def archive_employee(session: Session, actor: Actor, *, record_id: int) -> None:
    """The employee leaves: rules pass over them from now on; whoever keeps logins closes theirs on the event."""
    permissions.require(actor, permissions.MANAGE_EMPLOYEES)
    employee = lock_for_change(session, Employee, record_id)
    if employee.id == actor.person_id:
        raise RuleViolation(_("Nobody can mark themselves as having left."), code="own_departure")
    if employee.is_active:
        employee.state = "left"
        stamp(employee, actor)
        session.flush()
        journal.audit(session, actor, RECORD_TYPE, record_id, "left", {"state": "active"}, {"state": "left"})
        events.publish(session, "organization.employee_left", employee_id=record_id, user_id=employee.user_id)


def _lock_line_of_command(session: Session) -> None:
    """Two new superiors at once could each be sound and together a circle, so they are given one at a time."""
    session.execute(select(Employee.id).order_by(Employee.id).with_for_update(key_share=True)).all()
