"""拿回: whoever has decided takes it back while nothing that came of it has been touched."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine import live, policy as policies, repository
from engine.actor import Actor
from engine.errors import Forbidden, NotFound
from engine.i18n import Sentence, _
from engine.journal import Entry
from engine.models import PENDING, InboxEntry, Instance, InstanceLog, WorkItem
from engine.runtime import Step, StepResult, step
from engine.runtime.facts import InstanceFacts, ItemFacts, read_item
from engine.runtime.foresee import peek
from engine.runtime.opening import Again
from engine.states import stands_still
from engine.work_items import rights
from engine.work_items.held import append, lock, must_say, open_up, too_late
from engine.workflow.contract import Node

TAKES_BACK = ("approve", "submit", "abstain")
SPOKEN = ("approve", "reject", "abstain", "submit", "add_signer")
ACTS = ("serviceTask", "sendTask", "callActivity")
"""Elements behind which the process may have done something that cannot be taken back."""


def refusal(
    session: Session, actor: Actor, item: WorkItem | ItemFacts, instance: Instance | InstanceFacts
) -> Sentence | None:
    """Why this decision cannot be taken back now, or None."""
    if item.done_by != actor.person_id or item.state not in ("done", "approving"):
        return _("Only who has decided can take a decision back.")
    if instance.state != "running":
        return stands_still(instance.state)
    outcome = session.scalar(select(WorkItem.outcome).where(WorkItem.id == item.id))
    if outcome not in TAKES_BACK:
        return _("A rejection or return cannot be taken back.")
    if item.state == "approving" or _pending(session, item):
        return _inside(session, item)
    return _behind(session, actor, item, instance)


def actions_now(
    session: Session, actor: Actor, item: WorkItem, node: Node, instance: Instance
) -> tuple[rights.Right, ...]:
    """Every action the item knows, each granted or with the reason why not, as pages and answers show them."""
    return tuple(
        rights.Right("reclaim", refusal(session, actor, item, instance))
        if right.action == "reclaim" and right.granted
        else right
        for right in rights.allowed_actions(item, node, instance, actor)
    )


def _pending(session: Session, item: WorkItem | ItemFacts) -> list[WorkItem]:
    wanted = select(WorkItem).where(
        WorkItem.instance_id == item.instance_id,
        WorkItem.token == item.token,
        WorkItem.kind == "sign",
        WorkItem.state.in_(PENDING),
    )
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def _inside(session: Session, item: WorkItem | ItemFacts) -> Sentence | None:
    """The node is not decided yet: nobody else there may have spoken since."""
    mine = _line(session, item)
    later = select(InstanceLog.actor_name).where(
        InstanceLog.instance_id == item.instance_id,
        InstanceLog.token == item.token,
        InstanceLog.item_id != item.id,
        InstanceLog.action.in_(SPOKEN),
        InstanceLog.seq > (mine.seq if mine is not None else 0),
    )
    who = session.scalar(later.limit(1))
    return _("{who} has decided since.", who=who) if who else None


def _behind(
    session: Session, actor: Actor, item: WorkItem | ItemFacts, instance: Instance | InstanceFacts
) -> Sentence | None:
    """The process has gone on: all that opened then must still lie untouched, and nothing may have been done."""
    followers = _successors(session, item)
    if not followers:
        return _("The process has gone on to where nothing waits for people.")
    touched = next((one for one in followers if one.state not in ("open", "waiting") or one.version > 1), None)
    if touched is not None:
        return _("“{step}” has been touched since.", step=touched.title)
    loaded = repository.get(session, instance.definition_id)
    line = _line(session, item)
    acted = [
        loaded.compiled.nodes[id]
        for id, mark in (line.detail.get("path", []) if line else [])
        if mark == "left" and id in loaded.compiled.nodes and loaded.compiled.nodes[id].kind in ACTS
    ]
    if acted:
        return _("“{step}” has been carried out since.", step=acted[0].name or acted[0].id)
    seen = peek(session, actor, instance, loaded)
    if seen is None:
        return _("The state of this process cannot be read.")
    jump = seen[0].foresee_jump(followers[0].token, item.node)
    beside = {one.token for one in followers}
    if jump.refusal is not None:
        return jump.refusal
    if any(token.token not in beside for token in jump.dying):
        return _("It would end work that did not come of your decision.")
    return None


def _successors(session: Session, item: WorkItem | ItemFacts) -> list[WorkItem]:
    """The items that opened with this decision."""
    row = session.get_one(WorkItem, item.id)
    wanted = select(WorkItem).where(
        WorkItem.instance_id == item.instance_id,
        WorkItem.created_at == row.done_at,
        WorkItem.id > item.id,
        WorkItem.token != item.token,
        WorkItem.kind == "sign",
        WorkItem.state != "cancelled",
    )
    return list(session.scalars(wanted.order_by(WorkItem.id).execution_options(populate_existing=True)))


def _line(session: Session, item: WorkItem | ItemFacts) -> InstanceLog | None:
    lines = select(InstanceLog).where(InstanceLog.instance_id == item.instance_id, InstanceLog.item_id == item.id)
    return session.scalars(lines.order_by(InstanceLog.seq.desc()).limit(1)).first()


def reclaim(
    session: Session, actor: Actor, item_id: int, *, reason: str = "", version: int | None = None
) -> StepResult | None:
    """Take one's own decision back: the item opens again, and what had opened behind it closes."""
    found = read_item(session, item_id)
    if found is None:
        raise NotFound
    item, instance = found
    if item.done_by != actor.person_id and not rights.may_read_instance(session, actor, instance.id):
        raise NotFound
    if version not in (None, item.version):
        raise too_late(session, item)
    lock(session, instance)
    if reason:
        must_say("reason", reason)
    why_not = refusal(session, actor, item, instance)
    if why_not is not None:
        raise Forbidden(why_not)
    was = session.execute(select(WorkItem.outcome, WorkItem.opinion).where(WorkItem.id == item.id)).one()
    detail = {"reason": reason.strip(), "was": was.outcome, "opinion": was.opinion}
    if item.state == "approving" or _pending(session, item):
        _reopen_inside(session, item)
        append(session, actor, instance.id, Entry("reclaim", item.node, item.token, item.id, None, detail))
        return None
    followers = _successors(session, item)
    result = step(
        session,
        actor,
        instance.id,
        Step(
            act=lambda now: now.jump(followers[0].token, item.node, {}),
            entry=Entry(
                "reclaim",
                item.node,
                item.token,
                item.id,
                None,
                {**detail, "ended": sorted({one.node for one in followers})},
            ),
            cause="reclaimed",
            again={item.node: Again(reuse=True)},
            items_moved=True,
        ),
        seen=instance,
    )
    token = next(task.token for task in result.changes.opened if task.node == item.node)
    _reopen_at(session, item, token)
    return result


_BLANK = {"outcome": "none", "opinion": "", "done_by": None, "done_by_name": "", "done_at": None, "signature": ""}


def _reopen_inside(session: Session, item: ItemFacts) -> None:
    """Those who came to speak because of it step back."""
    children = select(WorkItem.id).where(
        WorkItem.parent_id == item.id, WorkItem.added == "after", WorkItem.state.in_(PENDING)
    )
    row = session.get_one(WorkItem, item.id)
    turn = [
        one.id
        for one in _pending(session, item)
        if one.added in ("", "parallel") and one.state == "open" and one.sequence > row.sequence
    ]
    policy_in_order = _in_order(session, item)
    _take_out(session, list(session.scalars(children)), state="cancelled", cause="reclaimed")
    if policy_in_order:
        _take_out(session, turn, state="waiting")
    open_up(session, item.id, **_BLANK)


def _in_order(session: Session, item: ItemFacts) -> bool:
    definition = session.scalar(select(Instance.definition_id).where(Instance.id == item.instance_id))
    loaded = repository.get(session, definition or 0)
    return policies.read(loaded.compiled.nodes[item.node].properties).sign == "sequential"


def _take_out(session: Session, items: Sequence[int], **changes: object) -> None:
    if not items:
        return
    gone = list(session.scalars(select(InboxEntry.principal).where(InboxEntry.item_id.in_(items))))
    session.execute(delete(InboxEntry).where(InboxEntry.item_id.in_(items)))
    session.execute(
        update(WorkItem)
        .where(WorkItem.id.in_(items))
        .values(version=WorkItem.version + 1, **changes)
        .execution_options(synchronize_session=False)
    )
    live.push(session, gone, "inbox")


def _reopen_at(session: Session, item: ItemFacts, token: int) -> None:
    """The node's items move to its new token; those that ended because it was decided are open again."""
    mine = WorkItem.instance_id == item.instance_id, WorkItem.token == item.token
    decided_at = session.scalar(select(WorkItem.done_at).where(WorkItem.id == item.id))
    surplus = select(WorkItem.id).where(
        *mine, WorkItem.state == "cancelled", WorkItem.cause == "decided", WorkItem.done_at == decided_at
    )
    reopened = list(session.scalars(surplus))
    session.execute(update(WorkItem).where(*mine).values(token=token).execution_options(synchronize_session=False))
    session.expire_all()
    for one in reopened:
        open_up(session, one, cause="", done_at=None)
    open_up(session, item.id, **_BLANK)
