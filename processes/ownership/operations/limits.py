"""How many customers somebody may hold: the limits as records, and the one count every road asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ScalarSelect, and_, func, literal, or_, select, true
from sqlalchemy.orm import Session, aliased

from engine import journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.organization.models import Department, Employee, EmployeePosition, Position
from processes.organization.permissions import require
from processes.ownership import permissions, rules
from processes.ownership.models import LockLimit, LockRequest, OwnerCounter, Ownership
from processes.party.models import Customer

_MODELS: Mapping[str, Any] = {"department": Department, "position": Position, "person": Employee}


def usage(session: Session, person_id: int) -> rules.Usage:
    """What counts of a person's customers and requests, against the limit that holds for him.

    Certain only under the person's counter (holding.take). Indexes: owner_counter's key, ix_customer_owner,
    ix_lock_request_applicant.
    """
    pending = (
        select(func.count())
        .where(LockRequest.applicant_id == person_id, LockRequest.state == "pending")
        .scalar_subquery()
    )
    used = select(OwnerCounter.used).where(OwnerCounter.person_id == person_id).scalar_subquery()
    limit, name, held, applied = _limit(session, person_id, used, pending)
    if limit is not None and not limit.counts_dealt:
        held -= _dealt(session, person_id)
    return rules.Usage(
        held=held,
        pending=applied,
        most=limit.most if limit is not None else None,
        rule=limit.kind if limit is not None else "",
        rule_name=name,
    )


def _dealt(session: Session, person_id: int) -> int:
    dealt = (
        select(func.count())
        .select_from(Ownership)
        .join(Customer, Customer.id == Ownership.customer_id)
        .where(Ownership.owner_id == person_id, Ownership.ended_at.is_(None), Customer.stage == "dealt")
    )
    return session.scalar(dealt) or 0


_OWN = aliased(Department)
_ONE = select(literal(1).label("one")).subquery()
"""Made once: both cost more than the question they stand in, and every page asks it."""


def _limit(
    session: Session, person_id: int, used: ScalarSelect[int], pending: ScalarSelect[int]
) -> tuple[rules.Limit | None, str, int, int]:
    """The limit that holds and what it is called after, with the two counts: one question, for every page asks it."""
    posts = select(EmployeePosition.position_id).where(EmployeePosition.employee_id == person_id)
    path = (
        select(_OWN.path).join(Employee, Employee.department_id == _OWN.id).where(Employee.id == person_id)
    ).scalar_subquery()
    concerns = or_(
        LockLimit.subject_kind == "company",
        and_(LockLimit.subject_kind == "person", LockLimit.subject_id == person_id),
        and_(LockLimit.subject_kind == "position", LockLimit.subject_id.in_(posts)),
        and_(LockLimit.subject_kind == "department", path.startswith(Department.path)),
    )
    limits = (
        select(LockLimit.subject_kind, LockLimit.subject_id, LockLimit.most, LockLimit.counts_dealt, Department.path)
        .outerjoin(Department, and_(LockLimit.subject_kind == "department", Department.id == LockLimit.subject_id))
        .where(concerns)
        .subquery()
    )
    rows = session.execute(select(used, pending, *limits.c).select_from(_ONE.outerjoin(limits, true()))).all()
    held, applied = rows[0][0] or 0, rows[0][1] or 0
    known = [
        rules.Limit(kind, subject, most, dealt) for _used, _pending, kind, subject, most, dealt, _path in rows if kind
    ]
    lines = sorted((row for row in rows if row[2] == "department"), key=lambda row: -len(row[6]))
    found = rules.limit_of(
        known,
        person=person_id,
        positions=[limit.subject_id for limit in known if limit.kind == "position"],
        departments=[row[3] for row in lines],
    )
    if found is None or found.kind == "company":
        return found, str(rules.SUBJECTS["company"]) if found is not None else "", held, applied
    subject = session.get(_MODELS[found.kind], found.subject_id)
    return found, str(subject or ""), held, applied


# ------------------------------------------------------------------------------------------------- the records


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    if is_new:
        entry.reference("department", Department)
        entry.reference("position", Position)
        entry.reference("person", Employee)
    entry.parsed("most", _most, required=True)
    entry.flag("counts_dealt")
    chosen = [name for name in _MODELS if entry.clean.get(name) is not None]
    if len(chosen) > 1:
        entry.problem(
            chosen[1],
            _("A limit is for one: a department, a position or a person; for none of them, it is the company's."),
        )
    clean = entry.finish()
    if is_new:
        subjects = {name: clean.pop(name, None) for name in _MODELS}
        clean["subject_kind"] = chosen[0] if chosen else "company"
        clean["subject_id"] = subjects[chosen[0]].id if chosen else 0
    return clean


def _most(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) > 1_000_000:
        raise RuleViolation(_("Please write a whole number from 0 on."))
    return int(value)


def create_limit(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> LockLimit:
    """values: department, position or person (none: the company), most, counts_dealt."""
    require(actor, permissions.MANAGE_RULES)
    clean = _read(session, values, is_new=True)
    same = select(LockLimit.id).where(
        LockLimit.subject_kind == clean["subject_kind"], LockLimit.subject_id == clean["subject_id"]
    )
    if session.scalar(same) is not None:
        raise RuleViolation(_("There is a limit for this already."), code="limit_exists", remedy=_("Change that one."))
    limit = LockLimit(**{"counts_dealt": True, **clean})
    records.create(session, actor, permissions.LIMIT, limit, clean)
    return limit


def change_limit(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> LockLimit:
    """A lower one takes nothing from anybody: it only keeps people from getting more."""
    require(actor, permissions.MANAGE_RULES)
    limit = lock_for_change(session, LockLimit, record_id, version)
    clean = _read(session, values, is_new=False)
    records.change(session, actor, permissions.LIMIT, limit, clean)
    return limit


def remove_limit(session: Session, actor: Actor, *, record_id: int) -> None:
    """What stands behind it holds again; without any, people may hold as many as they like."""
    require(actor, permissions.MANAGE_RULES)
    limit = lock_for_change(session, LockLimit, record_id)
    before = {"subject": [limit.subject_kind, limit.subject_id], "most": limit.most}
    session.delete(limit)
    session.flush()
    journal.audit(session, actor, permissions.LIMIT, record_id, "removed", before, None)
