"""How far people see: grants to a person, a position or a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry, for_audit
from processes.organization import permissions, rules
from processes.organization.models import ROLE, Department, Employee, Position, ScopeGrant

RECORD_TYPE = "organization.scope_grant"

SUBJECTS = ("person", "position", "role")
"""A grant or a rule speaks to one of them."""


def _read(session: Session, values: Mapping[str, Any], *, before: ScopeGrant | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=before is None)
    entry.choice("module", rules.SCOPED_MODULES, required=True)
    read_subject(entry)
    entry.choice("level", rules.SCOPE_LEVELS, required=True)
    entry.references("departments", Department)
    entry.flag("narrows")
    clean = entry.finish()
    clean = {name: False if name == "narrows" and value is None else value for name, value in clean.items()}
    known: dict[str, Any] = (
        {name: getattr(before, name) for name in (*SUBJECTS, "level", "departments", "narrows")}
        if (before is not None)
        else {}
    )
    whole = known | clean
    entry = Entry(session, {}, is_new=False)
    check_subject(session, entry, whole)
    if (whole.get("level") == "chosen") != bool(whole.get("departments")):
        entry.problem("departments", _("Departments belong to the level “chosen departments”, and to no other."))
    entry.finish()
    return clean


def read_subject(entry: Entry) -> None:
    """To whom a grant or a rule speaks."""
    entry.reference("person", Employee)
    entry.reference("position", Position)
    entry.text("role", longest=64)


def check_subject(session: Session, entry: Entry, whole: Mapping[str, Any]) -> None:
    """To exactly one person, position or role that is there; narrowing is for a person alone."""
    if sum(whole.get(name) is not None for name in SUBJECTS) != 1:
        entry.problem("person", _("Name either a person, or a position, or a role."))
    if whole.get("role") is not None and session.scalar(select(ROLE.c.id).where(ROLE.c.name == whole["role"])) is None:
        entry.problem("role", _("There is no role of this name."), _("Write it as the page “Permissions” shows it."))
    if whole.get("narrows") and whole.get("person") is None:
        entry.problem("narrows", _("Only a grant to a person can narrow what he sees."))


def create_scope_grant(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> ScopeGrant:
    """values: module, one of person, position and role (its name), level, departments, narrows."""
    permissions.require(actor, permissions.MANAGE_SCOPES)
    clean = _read(session, values, before=None)
    grant = ScopeGrant(**clean)
    try:
        with session.begin_nested():
            records.create(session, actor, RECORD_TYPE, grant, clean)
    except IntegrityError as error:
        raise _taken() from error
    return grant


def change_scope_grant(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> ScopeGrant:
    permissions.require(actor, permissions.MANAGE_SCOPES)
    grant = lock_for_change(session, ScopeGrant, record_id, version)
    clean = _read(session, values, before=grant)
    try:
        with session.begin_nested():
            records.change(session, actor, RECORD_TYPE, grant, clean)
    except IntegrityError as error:
        raise _taken() from error
    return grant


def remove_scope_grant(session: Session, actor: Actor, *, record_id: int) -> None:
    """Takes effect with the next request; what it was stands in the audit."""
    permissions.require(actor, permissions.MANAGE_SCOPES)
    grant = lock_for_change(session, ScopeGrant, record_id)
    before = {
        name: for_audit(getattr(grant, name)) for name in ("module", *SUBJECTS, "level", "departments", "narrows")
    }
    grant.departments.clear()
    session.delete(grant)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, record_id, "removed", before, None)


def _taken() -> RuleViolation:
    return RuleViolation(
        _("There is a grant for this part of the house to the same person, position or role already."),
        code="grant_exists",
        remedy=_("Change that one."),
    )
