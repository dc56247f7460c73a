"""批量操作: process administrators do one thing to many instances; each stands for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.errors import AppError, Conflict, Forbidden, NotFound, RuleViolation
from engine.i18n import Sentence, _
from engine.models import Instance, WorkItem
from engine.states import stands_still
from engine.work_items import Done
from engine.work_items.held import must_say
from engine.work_items.rights import ADMINISTER, readable_by
from processes.approval import rules
from processes.approval.operations.urging import urge_instance, urge_right


@dataclass(frozen=True, slots=True)
class Deed:
    do: Callable[[Session, Actor, int, str], Any]
    needs_reason: bool = True


DEEDS: Mapping[str, Deed] = {
    "urge": Deed(urge_instance, needs_reason=False),
    "suspend": Deed(work_items.suspend),
    "resume": Deed(work_items.resume, needs_reason=False),
    "void": Deed(work_items.void),
    "terminate": Deed(work_items.terminate),
}


def foresee_many(session: Session, actor: Actor, instance_ids: Sequence[int], action: str) -> list[Done]:
    """Which of these it could be done to, and why not to the others; changes nothing."""
    wanted = _checked(actor, instance_ids)
    found = session.scalars(select(Instance).where(Instance.id.in_(wanted), readable_by(actor)))
    instances = {instance.id: instance for instance in found}
    lying: dict[int, list[WorkItem]] = {}
    if action == "urge":
        for item in session.scalars(
            select(WorkItem).where(WorkItem.instance_id.in_(wanted), WorkItem.state.in_(rules.LYING))
        ):
            lying.setdefault(item.instance_id, []).append(item)
    return [
        Done(one, instances[one].state, _why_not(session, actor, instances[one], lying.get(one, []), action))
        if one in instances
        else Done(one, refusal=NotFound())
        for one in wanted
    ]


def _why_not(
    session: Session, actor: Actor, instance: Instance, lying: Sequence[WorkItem], action: str
) -> AppError | None:
    if action == "urge":
        if instance.state != "running":
            return Conflict(stands_still(instance.state))
        right = urge_right(session, actor, instance, lying)
        if right is None:
            return RuleViolation(_("It lies with nobody who could be urged."), code="nobody_to_urge")
        return RuleViolation(right.refusal, code="urged_lately") if right.refusal is not None else None
    rights = {right.action: right for right in work_items.instance_actions(instance, actor, decided=False)}
    refusal: Sentence | None = rights[action].refusal
    return Forbidden(refusal) if refusal is not None else None


def do_to_many(actor: Actor, instance_ids: Sequence[int], action: str, *, reason: str = "") -> list[Done]:
    """Do it to each in a transaction of its own; one refused leaves the others done.

    reason: of an urge the word along with it. Raises before anything is done where it is missing or too long.
    """
    wanted = _checked(actor, instance_ids)
    deed = DEEDS[action]
    if deed.needs_reason:
        must_say("reason", reason)
    if action == "urge":
        rules.check_urge_text(reason)
    return [work_items.attempt(one, partial(_do, actor, one, deed, reason)) for one in wanted]


def _do(actor: Actor, instance_id: int, deed: Deed, reason: str, session: Session) -> str:
    deed.do(session, actor, instance_id, reason)
    return session.scalars(select(Instance.state).where(Instance.id == instance_id)).one()


def _checked(actor: Actor, instance_ids: Sequence[int]) -> list[int]:
    if not actor.may(ADMINISTER):
        raise Forbidden(_("Only process administrators act on many processes at once."), code="permission_missing")
    return work_items.bounded(instance_ids)
