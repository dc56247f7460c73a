"""How often customers are to be spoken to, as the company lays it down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.activity import permissions
from processes.activity.models import FollowPolicy
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.organization.permissions import require
from processes.party.rules import LEVELS, ROLES, STAGES

LONGEST_DAYS = 730


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.choice("level", LEVELS)
    entry.choice("stage", STAGES)
    entry.choice("role", ROLES)
    for name in ("days", "most_days"):
        entry.parsed(name, _days, required=True)
    clean = entry.finish()
    return {name: "" if value is None else value for name, value in clean.items()}


def _days(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or not 1 <= int(value) <= LONGEST_DAYS:
        raise RuleViolation(_("Please write days between 1 and {most}.", most=LONGEST_DAYS))
    return int(value)


def create_policy(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> FollowPolicy:
    """values: level, stage, role ("" = any), days, most_days."""
    require(actor, permissions.MANAGE_POLICIES)
    clean = _read(session, values, is_new=True)
    policy = FollowPolicy(**({"level": "", "stage": "", "role": ""} | clean))
    _check(session, policy)
    records.create(session, actor, permissions.POLICY, policy, clean)
    return policy


def change_policy(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> FollowPolicy:
    require(actor, permissions.MANAGE_POLICIES)
    policy = lock_for_change(session, FollowPolicy, record_id, version)
    clean = _read(session, values, is_new=False)
    with session.no_autoflush:
        wanted = FollowPolicy(
            **{name: clean.get(name, getattr(policy, name)) for name in ("level", "stage", "role", "days", "most_days")}
        )
        _check(session, wanted, but=policy.id)
    records.change(session, actor, permissions.POLICY, policy, clean)
    return policy


def remove_policy(session: Session, actor: Actor, *, record_id: int) -> None:
    """What it said is said by the next that fits; plans made stand."""
    require(actor, permissions.MANAGE_POLICIES)
    policy = lock_for_change(session, FollowPolicy, record_id)
    was = {"level": policy.level, "stage": policy.stage, "role": policy.role, "days": policy.days}
    session.delete(policy)
    session.flush()
    journal.audit(session, actor, permissions.POLICY, record_id, "removed", was, None)


def _check(session: Session, policy: FollowPolicy, *, but: int = 0) -> None:
    if policy.most_days < policy.days:
        raise RuleViolation(_("The latest day cannot lie before the usual one."), code="most_before_days")
    same = select(FollowPolicy.id).where(
        FollowPolicy.level == policy.level,
        FollowPolicy.stage == policy.stage,
        FollowPolicy.role == policy.role,
        FollowPolicy.id != but,
    )
    if session.scalar(same) is not None:
        raise RuleViolation(_("There is a policy for these already."), code="policy_exists")
