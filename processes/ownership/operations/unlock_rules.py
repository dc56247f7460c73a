"""Rules of unlocking: drafted, tried out, set in force, archived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.entry import Entry
from processes.kernel.working_time import business_date
from processes.organization.models import Department
from processes.organization.permissions import require
from processes.ownership import permissions, rules
from processes.ownership.models import UnlockRule
from processes.ownership.operations.registries import DEALS
from processes.ownership.rules.unlocking import Rule
from processes.party.rules import INDUSTRIES, LEVELS

FEWEST_DAYS, MOST_DAYS = 1, 3650


def in_force(session: Session) -> list[Rule]:
    """The active ones in their order."""
    return [as_rule(session, one) for one in _ordered(session, "active")]


def as_rule(session: Session, one: UnlockRule) -> Rule:
    departments = None
    if one.department_id is not None:
        path = session.get_one(Department, one.department_id).path
        departments = frozenset(session.scalars(select(Department.id).where(Department.path.startswith(path))))
    return Rule(
        id=one.id,
        name=one.name,
        kind=one.kind,
        days=one.days,
        starts_on=one.starts_on,
        levels=frozenset(one.levels),
        industries=frozenset(one.industries),
        departments=departments,
    )


def known(session: Session) -> Sequence[UnlockRule]:
    return session.scalars(select(UnlockRule).order_by(UnlockRule.state, UnlockRule.rank, UnlockRule.id)).all()


def _ordered(session: Session, state: str) -> Sequence[UnlockRule]:
    found = select(UnlockRule).where(UnlockRule.state == state).order_by(UnlockRule.rank, UnlockRule.id)
    return session.scalars(found).all()


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.text("name", required=True)
    if is_new:
        entry.choice("kind", rules.UNLOCK_KINDS, required=True)
    entry.reference("department", Department)
    entry.parsed("levels", _chosen(LEVELS), empty=[])
    entry.parsed("industries", _chosen(INDUSTRIES), empty=[])
    entry.parsed("days", _days, required=True)
    entry.day("starts_on")
    entry.number("rank")
    clean = entry.finish()
    for name, empty in (("starts_on", business_date(clock.now())), ("rank", 0)):
        if name in clean and clean[name] is None:
            clean[name] = empty
    return clean


def _chosen(choices: Mapping[str, Any]) -> Any:
    def read(value: Any) -> list[str]:
        if not isinstance(value, (list, tuple)) or not set(value) <= set(choices):
            raise RuleViolation(_("Please choose one of the offered values."))
        return [str(one) for one in dict.fromkeys(value)]

    return read


def _days(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or not FEWEST_DAYS <= int(value) <= MOST_DAYS:
        raise RuleViolation(_("Days are a whole number from {low} to {high}.", low=FEWEST_DAYS, high=MOST_DAYS))
    return int(value)


def create_unlock_rule(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> UnlockRule:
    """values: name, kind, days, department, levels, industries, starts_on, rank. A draft: it does nothing yet."""
    require(actor, permissions.MANAGE_RULES)
    clean = _read(session, values, is_new=True)
    clean.setdefault("starts_on", business_date(clock.now()))
    rule = UnlockRule(**clean)
    records.create(session, actor, permissions.UNLOCKING, rule, clean)
    return rule


def change_unlock_rule(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> UnlockRule:
    """An active rule that is changed begins anew today, like one just set in force: it sweeps nothing at once."""
    require(actor, permissions.MANAGE_RULES)
    rule = lock_for_change(session, UnlockRule, record_id, version)
    clean = _read(session, values, is_new=False)
    if rule.state == "active":
        clean["starts_on"] = max(clean.get("starts_on") or rule.starts_on, business_date(clock.now()))
    records.change(session, actor, permissions.UNLOCKING, rule, clean)
    return rule


def activate(session: Session, actor: Actor, *, record_id: int) -> UnlockRule:
    """In force from today on, whatever day it was drafted for, unless that lies ahead: nobody's days count from before.

    A rule about deals is refused while nothing in the house knows of deals: every customer would go.
    """
    require(actor, permissions.MANAGE_RULES)
    rule = lock_for_change(session, UnlockRule, record_id)
    if rule.state == "active":
        return rule
    if rule.kind == "no_deal" and not DEALS:
        raise RuleViolation(
            _("“{rule}” looks at opportunities, and no part of the house keeps any yet: every customer would unlock.",
              rule=rule.name),
            code="no_deals_known",
            remedy=_("Leave it a draft until opportunities are kept here."),
        )  # fmt: skip
    before = {"state": rule.state, "starts_on": str(rule.starts_on)}
    rule.starts_on = max(rule.starts_on, business_date(clock.now()))
    rule.state = "active"
    stamp(rule, actor)
    session.flush()
    after = {"state": "active", "starts_on": str(rule.starts_on)}
    journal.audit(session, actor, permissions.UNLOCKING, rule.id, "activated", before, after)
    return rule


def archive_unlock_rule(session: Session, actor: Actor, *, record_id: int) -> None:
    require(actor, permissions.MANAGE_RULES)
    records.archive(session, actor, permissions.UNLOCKING, lock_for_change(session, UnlockRule, record_id))
