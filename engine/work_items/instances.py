"""What may be done to a whole instance: withdraw, terminate, suspend, resume, void, reopen, jump, name people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine import clock, events, policy as policies, repository
from engine.actor import Actor
from engine.errors import AppError, Conflict, Forbidden, NotFound, RuleViolation
from engine.i18n import Sentence, _
from engine.journal import Entry
from engine.models import PENDING, Instance, InstanceLog, Timer, WorkItem
from engine.runtime import Step, StepResult, step
from engine.runtime.assign import is_approval
from engine.runtime.facts import InstanceFacts, read_instance
from engine.runtime.foresee import peek
from engine.runtime.opening import Again
from engine.runtime.picking import check_own, known_people
from engine.runtime.start import RouteStep, route_step
from engine.work_items import rights
from engine.work_items.held import append, forget, must_say
from engine.work_items.returning import last_people
from engine.workflow.contract import Jump

VOIDED_EVENT = "process.instance_voided"
"""Published with instance_id, definition_key, business_key: what an approval had set going is taken back."""
REOPENED_EVENT = "process.instance_reopened"

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Where the timers of a suspended instance lie: no poll reaches it."""


def decided(session: Session, instance_id: int) -> bool:
    """Somebody other than the starter has already decided in this instance, since it last came back to him."""
    starter = select(Instance.starter_id).where(Instance.id == instance_id).scalar_subquery()
    of_item = InstanceLog.instance_id == instance_id, WorkItem.id == InstanceLog.item_id
    back = session.scalar(select(func.max(InstanceLog.seq)).where(*of_item, WorkItem.state == "returned"))
    found = session.scalar(
        select(WorkItem.id)
        .where(
            *of_item,
            WorkItem.kind == "sign",
            WorkItem.state == "done",
            WorkItem.done_by != starter,
            InstanceLog.seq > (back or 0),  # the log knows what came first; ids of one step are all of one moment
        )
        .limit(1)
    )
    return found is not None


def withdraw(session: Session, actor: Actor, instance_id: int, reason: str | Sentence) -> StepResult:
    """撤回: the starter takes his request back while nobody has decided on it."""
    return _end(session, actor, instance_id, "withdraw", "withdrawn", reason)


def terminate(session: Session, actor: Actor, instance_id: int, reason: str | Sentence) -> StepResult:
    """终止: an administrator stops it, whatever its state."""
    return _end(session, actor, instance_id, "terminate", "terminated", reason)


def _end(
    session: Session, actor: Actor, instance_id: int, action: str, state: str, reason: str | Sentence
) -> StepResult:
    instance = _locked(session, actor, instance_id, action)
    if instance.state == "suspended":
        _unpark(session, instance_id, timedelta())
    return step(
        session,
        actor,
        instance_id,
        Step(
            act=lambda live: live.cancel_all(),
            entry=Entry(action, detail={"reason": must_say("reason", reason)}),
            final_state=state,
            allowed=("running", "suspended"),
            cause=state,
        ),
    )


def _locked(session: Session, actor: Actor, instance_id: int, action: str) -> Instance:
    """The instance, locked, if this may be done to it."""
    instance = session.get(Instance, instance_id, with_for_update=True, populate_existing=True)
    if instance is None or not rights.may_read_instance(session, actor, instance_id):
        raise NotFound
    found = rights.instance_actions(instance, actor, decided=decided(session, instance_id))
    right = next((r for r in found if r.action == action), None)
    if right is None or right.refusal is not None:
        raise Forbidden(
            right.refusal if right and right.refusal else _("“{action}” is not possible here.", action=action)
        )
    return instance


# ------------------------------------------------------------------------------------------------- suspend, resume


def suspend(session: Session, actor: Actor, instance_id: int, reason: str) -> None:
    """挂起: nothing moves; timers keep their moments and do not fire."""
    said = must_say("reason", reason)
    instance = _locked(session, actor, instance_id, "suspend")
    now = clock.now()
    session.execute(
        update(Timer)
        .where(Timer.instance_id == instance_id, Timer.parked_until.is_(None))
        .values(parked_until=Timer.due_at, due_at=NEVER)
        .execution_options(synchronize_session=False)
    )
    instance.state, instance.suspended_at, instance.changed_at = "suspended", now, now
    session.flush()
    append(session, actor, instance_id, Entry("suspend", detail={"reason": said}))


def resume(session: Session, actor: Actor, instance_id: int, reason: str = "") -> None:
    """恢复: it goes on; what is due shifts by the pause."""
    instance = _locked(session, actor, instance_id, "resume")
    now = clock.now()
    since = instance.suspended_at or now
    pause = now - since
    _unpark(session, instance_id, pause)
    for item in session.scalars(
        select(WorkItem).where(
            WorkItem.instance_id == instance_id,
            WorkItem.state.in_(PENDING),
            WorkItem.due_at.is_not(None),
        )
    ):
        item.due_at = (item.due_at or now) + pause
    instance.state, instance.suspended_at, instance.changed_at = "running", None, now
    session.flush()
    detail = {"reason": reason.strip(), "suspended_at": since.isoformat(), "seconds": int(pause.total_seconds())}
    append(session, actor, instance_id, Entry("resume", detail=detail))


def _unpark(session: Session, instance_id: int, pause: timedelta) -> None:
    for timer in session.scalars(
        select(Timer).where(Timer.instance_id == instance_id, Timer.parked_until.is_not(None))
    ):
        timer.due_at = (timer.parked_until or clock.now()) + pause
        timer.parked_until = None
    session.flush()


# ------------------------------------------------------------------------------------------------- void, reopen


def void(session: Session, actor: Actor, instance_id: int, reason: str) -> None:
    """作废: a finished instance counts no more; what it had set going is taken back by whoever set it going."""
    said = must_say("reason", reason)
    instance = _locked(session, actor, instance_id, "void")
    was = instance.state
    instance.state, instance.changed_at = "void", clock.now()
    session.flush()
    append(session, actor, instance_id, Entry("void", detail={"reason": said, "was": was}))
    events.publish(
        session,
        VOIDED_EVENT,
        instance_id=instance_id,
        definition_key=instance.definition_key,
        business_key=instance.business_key,
        actor=actor,
        reason=said,
    )


def reopen(session: Session, actor: Actor, instance_id: int, node_id: str, reason: str) -> StepResult:
    """唤醒: an ended instance runs again from a step, in a new round."""
    said = must_say("reason", reason)
    instance = _locked(session, actor, instance_id, "reopen")
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes.get(node_id)
    if node is None or node.kind not in ("userTask", "startEvent"):
        raise RuleViolation(
            _("There is no step {step}.", step=node_id),
            code="no_such_step",
            remedy=_("Choose one of the steps people do."),
        )
    was = instance.state
    facts = read_instance(session, instance_id)
    told = {"rule": "reopened", "by": actor.person_id, "by_name": actor.name, "opinion": said}
    result = step(
        session,
        actor,
        instance_id,
        Step(
            act=lambda live: live.reopen(node_id, {}),
            entry=Entry("reopen", node_id, detail={"reason": said, "was": was, "to": node_id}),
            allowed=rights.ENDED,
            wakes=True,
            again={node_id: Again(last_people(session, instance_id, node_id), told)},
            items_moved=True,
        ),
        seen=facts,
    )
    events.publish(
        session,
        REOPENED_EVENT,
        instance_id=instance_id,
        definition_key=instance.definition_key,
        business_key=instance.business_key,
    )
    return result


# ------------------------------------------------------------------------------------------------- jump


@dataclass(frozen=True, slots=True)
class JumpPreview:
    """跳转 before it is done: which items end, which steps open and with whom; `refusal` where it cannot be."""

    jump: Jump
    ending: tuple[WorkItem, ...]
    opening: tuple[RouteStep, ...]


def preview_jump(session: Session, actor: Actor, instance_id: int, token: int, target: str) -> JumpPreview:
    """What `jump` would do; changes nothing."""
    instance, loaded = _steered(session, actor, instance_id)
    seen = peek(session, actor, instance, loaded)
    if seen is None:
        raise Conflict(_("This part of the process is already over."))
    live, host, form = seen
    jump = live.foresee_jump(token, target)
    if jump.refusal is not None:
        return JumpPreview(jump, (), ())
    try:
        live.jump(token, target, {})
    except AppError as refusal:
        return JumpPreview(Jump(token, target, jump.dying, refusal.message), (), ())
    changes = live.drain()
    ending = session.scalars(
        select(WorkItem).where(
            WorkItem.instance_id == instance_id,
            WorkItem.token.in_([*changes.cancelled, *changes.closed]),
            WorkItem.state.in_(PENDING),
        )
    )
    opening = [route_step(session, loaded, host, task.node, task.data, form) for task in changes.opened]
    return JumpPreview(jump, tuple(ending), tuple(opening))


def jump(
    session: Session,
    actor: Actor,
    instance_id: int,
    token: int,
    target: str,
    *,
    reason: str,
    people: Iterable[int] = (),
) -> StepResult:
    """跳转, 特送: take a token to another step, forward or back; people: whom it goes to there, else by the diagram."""
    said = must_say("reason", reason)
    instance, loaded = _steered(session, actor, instance_id)
    node = loaded.compiled.nodes.get(target)
    if node is None or node.kind not in ("userTask", "startEvent", "endEvent", "receiveTask"):
        raise RuleViolation(
            _("There is no step {step}.", step=target),
            code="no_such_step",
            remedy=_("Choose one of the steps people do, or an end."),
        )
    named = tuple(known_people(session, people)) if people else ()
    if is_approval(node):
        check_own(node, instance.starter_id, named)
    plan = preview_jump(session, actor, instance_id, token, target)
    if plan.jump.refusal is not None:
        raise RuleViolation(plan.jump.refusal, code="no_jump", remedy=_("Choose another step."))
    told = {"rule": "jump", "by": actor.person_id, "by_name": actor.name, "opinion": said}
    foreseen = {
        "ends": [item.id for item in plan.ending],
        "opens": [{"node": one.node, "people": list(one.people)} for one in plan.opening],
    }
    return step(
        session,
        actor,
        instance_id,
        Step(
            act=lambda live: live.jump(token, target, {}),
            entry=Entry("jump", target, token, detail={"reason": said, "to": target, **foreseen}),
            cause="jumped",
            again={target: Again(named, told)},
            items_moved=True,
        ),
        seen=instance,
    )


def _steered(session: Session, actor: Actor, instance_id: int) -> tuple[InstanceFacts, repository.Loaded]:
    """A running instance that this person steers, locked."""
    row = _locked(session, actor, instance_id, "jump")
    facts = read_instance(session, row.id)
    if facts is None:
        raise NotFound
    return facts, repository.get(session, facts.definition_id)


# ------------------------------------------------------------------------------------------------- later people


def change_people(
    session: Session, actor: Actor, instance_id: int, people: Mapping[str, Iterable[int]]
) -> dict[str, Any]:
    """追加, 指定: name for this instance alone who does later steps; an empty list gives a step back to its rule.

    The starter and who administers may; of steps not reached yet or to come again.
    """
    instance = _locked(session, actor, instance_id, "change_people")
    loaded = repository.get(session, instance.definition_id)
    before = dict(instance.people)
    named = dict(before)
    for node_id, persons in people.items():
        node = loaded.compiled.nodes.get(node_id)
        if node is None or node.kind != "userTask":
            raise RuleViolation(_("There is no step {step}.", step=node_id), code="no_such_step")
        wanted = list(persons)
        if not wanted:
            named.pop(node_id, None)
            continue
        checked = known_people(session, wanted, where=node_id)
        own = instance.starter_id in checked and is_approval(node)
        if own and not policies.read(node.properties).own_allowed:
            raise RuleViolation(_("Nobody approves his own request."), code="own_request")
        named[node_id] = checked
    instance.people = named
    session.flush()
    if named != before:
        append(session, actor, instance_id, Entry("change_people", detail={"before": before, "after": named}))
    forget(session, Instance, instance_id)
    return named
