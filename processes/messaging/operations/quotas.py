"""Quotas of SMS: set, raised, lowered, closed, and checked against their ledger."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import SYSTEM, Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.kernel.working_time import business_date
from processes.messaging import permissions, rules
from processes.messaging.models import SmsQuota
from processes.messaging.operations.charging import used_of
from processes.organization.models import Department

logger = logging.getLogger(__name__)

RECORD_TYPE = "messaging.quota"
CARRY_FROM = 25
"""day of the month"""
MOST = 10_000_000


def _segments(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) > MOST:
        raise RuleViolation(_("A quota is a whole number of segments, at most {most}.", most=MOST))
    return int(value)


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    if is_new:
        entry.reference("department", Department, required=True)
        entry.day("month", required=True)
    entry.parsed("segments", _segments, required=True)
    return entry.finish()


def create_quota(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> SmsQuota:
    """values: department, month (any day of it), segments. What was sent in the month before counts."""
    permissions.require(actor, permissions.MANAGE_QUOTAS)
    clean = _read(session, values, is_new=True)
    clean["month"] = clean["month"].replace(day=1)
    department: Department = clean["department"]
    # Those who are sending hold the department; what they have written is seen, and who comes later sees the quota.
    session.execute(select(Department.id).where(Department.id == department.id).with_for_update()).first()
    taken = select(SmsQuota).where(SmsQuota.department_id == department.id, SmsQuota.month == clean["month"])
    other = session.scalar(taken)
    if other is not None:
        raise RuleViolation(
            _("There is already an SMS quota {quota}.", quota=str(other)),
            code="quota_exists",
            remedy=_("Change that one instead."),
        )
    quota = SmsQuota(**clean, used=used_of(session, department.id, clean["month"]))
    records.create(session, actor, RECORD_TYPE, quota, clean)
    return quota


def change_quota(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> SmsQuota:
    """Raise or lower it; below what is used nothing more leaves, and what has left stays."""
    permissions.require(actor, permissions.MANAGE_QUOTAS)
    quota = lock_for_change(session, SmsQuota, record_id, version)
    clean = _read(session, {k: v for k, v in values.items() if k == "segments" or not _same(quota, k, v)}, is_new=False)
    records.change(session, actor, RECORD_TYPE, quota, clean)
    return quota


def _same(quota: SmsQuota, name: str, value: Any) -> bool:
    """A form sends what a quota is for along; that it cannot change is said only to whoever tries."""
    if name == "department":
        return str(getattr(value, "id", value)) == str(quota.department_id)
    return name == "month" and str(value)[:7] == quota.period


def archive_quota(session: Session, actor: Actor, *, record_id: int) -> None:
    """It limits nothing any more; it is still counted."""
    permissions.require(actor, permissions.MANAGE_QUOTAS)
    quota = lock_for_change(session, SmsQuota, record_id)
    records.archive(session, actor, RECORD_TYPE, quota)


def carry_over(session: Session) -> int:
    """What is set for a month holds for the next as well, unless somebody has set that already. Answers how many.

    From CARRY_FROM on the coming month is prepared, so that its first message finds its quota.
    """
    today = business_date(clock.now())
    this = today.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    coming = (this + timedelta(days=31)).replace(day=1)
    made = _copy(session, last, this)
    return made + (_copy(session, this, coming) if today.day >= CARRY_FROM else 0)


def _copy(session: Session, of: date, to: date) -> int:
    there = select(SmsQuota.department_id).where(SmsQuota.month == to)
    wanted = select(SmsQuota).where(
        SmsQuota.month == of, SmsQuota.state == "active", SmsQuota.department_id.not_in(there)
    )
    made = 0
    for quota in session.scalars(wanted.order_by(SmsQuota.id)).all():
        values = {"department": quota.department, "month": to, "segments": quota.segments}
        try:
            create_quota(session, SYSTEM, values=values).is_demo = quota.is_demo
        except RuleViolation:  # another worker was faster
            continue
        made += 1
    return made


def quotas_to_check(session: Session) -> list[int]:
    """Those of this month, of those to come and of the one before: earlier ones move no more."""
    month = rules.month_of(clock.now())
    before = month.replace(year=month.year - 1, month=12) if month.month == 1 else month.replace(month=month.month - 1)
    return list(session.scalars(select(SmsQuota.id).where(SmsQuota.month >= before).order_by(SmsQuota.id)))


def check_quota(session: Session, quota_id: int) -> bool:
    """Compare the kept sum with the ledger under the quota's lock; a difference is put right and said loudly."""
    quota = lock_for_change(session, SmsQuota, quota_id)
    truth = used_of(session, quota.department_id, quota.month)
    if truth == quota.used:
        return True
    logger.error("sms_quota.differs", extra={"quota_id": quota.id, "kept": quota.used, "ledger": truth})
    journal.audit(session, SYSTEM, RECORD_TYPE, quota.id, "corrected", {"used": quota.used}, {"used": truth})
    session.execute(
        update(SmsQuota)
        .where(SmsQuota.id == quota.id)
        .values(used=truth, changed_at=SmsQuota.changed_at)
        .execution_options(synchronize_session=False)
    )
    session.expire(quota, ["used"])
    return False
