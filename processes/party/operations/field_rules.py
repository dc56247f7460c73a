"""Rules of how much of a sensitive field somebody sees: made, changed and removed; the next request holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry, for_audit
from processes.organization.operations import SUBJECTS, check_subject, read_subject
from processes.organization.permissions import require
from processes.party import permissions
from processes.party.models import FieldRule
from processes.party.rules.sight import EXTENTS, FIELDS, SEES

_SHOWN = ("field", *SUBJECTS, "extent", "sees", "reveals", "narrows")


def _read(session: Session, values: Mapping[str, Any], *, before: FieldRule | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=before is None)
    entry.choice("field", FIELDS, required=True)
    read_subject(entry)
    entry.choice("extent", EXTENTS)
    entry.choice("sees", SEES, required=True)
    entry.flag("reveals")
    entry.flag("narrows")
    clean = entry.finish()
    empty = {"reveals": False, "narrows": False, "extent": "everywhere"}
    clean = {name: empty.get(name) if value is None else value for name, value in clean.items()}
    known = {name: getattr(before, name) for name in (*SUBJECTS, "narrows")} if before is not None else {}
    entry = Entry(session, {}, is_new=False)
    check_subject(session, entry, known | clean)
    entry.finish()
    return clean


def create_field_rule(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> FieldRule:
    """values: field, one of person, position and role (its name), extent, sees, reveals, narrows."""
    require(actor, permissions.MANAGE_FIELD_RULES)
    clean = _read(session, values, before=None)
    rule = FieldRule(**clean)
    try:
        with session.begin_nested():
            records.create(session, actor, permissions.FIELD_RULE, rule, clean)
    except IntegrityError as error:
        raise _taken() from error
    return rule


def change_field_rule(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> FieldRule:
    require(actor, permissions.MANAGE_FIELD_RULES)
    rule = lock_for_change(session, FieldRule, record_id, version)
    clean = _read(session, values, before=rule)
    try:
        with session.begin_nested():
            records.change(session, actor, permissions.FIELD_RULE, rule, clean)
    except IntegrityError as error:
        raise _taken() from error
    return rule


def remove_field_rule(session: Session, actor: Actor, *, record_id: int) -> None:
    """What the house does without a rule holds again with the next request; what it was stands in the audit."""
    require(actor, permissions.MANAGE_FIELD_RULES)
    rule = lock_for_change(session, FieldRule, record_id)
    before = {name: for_audit(getattr(rule, name)) for name in _SHOWN}
    session.delete(rule)
    session.flush()
    journal.audit(session, actor, permissions.FIELD_RULE, record_id, "removed", before, None)


def _taken() -> RuleViolation:
    return RuleViolation(
        _("There is a rule for this field to the same person, position or role already."),
        code="rule_exists",
        remedy=_("Change that one."),
    )
