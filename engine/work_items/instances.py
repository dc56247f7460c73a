"""What may be done to a whole instance: withdraw by its starter, terminate by an administrator."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import Forbidden, InvalidForm, NotFound, Problem
from engine.forms import check_opinion
from engine.i18n import _
from engine.journal import Entry
from engine.models import Instance, WorkItem
from engine.runtime import Step, StepResult, step
from engine.work_items import rights


def decided(session: Session, instance_id: int) -> bool:
    """Somebody other than the starter has already decided in this instance."""
    starter = select(Instance.starter_id).where(Instance.id == instance_id).scalar_subquery()
    found = session.scalar(
        select(WorkItem.id)
        .where(WorkItem.instance_id == instance_id, WorkItem.state == "done", WorkItem.done_by != starter)
        .limit(1)
    )
    return found is not None


def withdraw(session: Session, actor: Actor, instance_id: int, reason: str) -> StepResult:
    """撤回: the starter takes his request back while nobody has decided on it."""
    return _end(session, actor, instance_id, "withdraw", "withdrawn", reason)


def terminate(session: Session, actor: Actor, instance_id: int, reason: str) -> StepResult:
    """终止: an administrator stops it, whatever its state."""
    return _end(session, actor, instance_id, "terminate", "terminated", reason)


def _end(session: Session, actor: Actor, instance_id: int, action: str, state: str, reason: str) -> StepResult:
    instance = session.get(Instance, instance_id, with_for_update=True)
    if instance is None or not rights.may_read_instance(session, actor, instance_id):
        raise NotFound
    if not reason.strip():
        raise InvalidForm([Problem("reason", _("Please give a reason."), rule="opinion_required")])
    check_opinion("reason", reason)
    found = rights.instance_actions(instance, actor, decided=decided(session, instance_id))
    right = next((r for r in found if r.action == action), None)
    if right is None or right.refusal is not None:
        raise Forbidden(
            right.refusal if right and right.refusal else _("“{action}” is not possible here.", action=action)
        )
    return step(
        session,
        actor,
        instance_id,
        Step(
            act=lambda live: live.cancel_all(),
            entry=Entry(action, detail={"reason": reason.strip()}),
            final_state=state,
            allowed=("running", "suspended"),
        ),
    )
