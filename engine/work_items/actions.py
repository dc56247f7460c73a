"""Approve, reject, return, submit, claim, release: one transaction each, decided by the instance's revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from engine import clock, journal, live, repository
from engine.actor import Actor
from engine.errors import Conflict, InvalidForm, NotFound, Problem
from engine.forms import check_opinion
from engine.i18n import _
from engine.journal import Entry
from engine.models import Copy, InboxEntry, Instance, InstanceLog, WorkItem
from engine.recorder import ClosedItem
from engine.runtime import Step, StepResult, files, step
from engine.runtime.assign import is_approval
from engine.runtime.cache import LIVE
from engine.runtime.facts import InstanceFacts, ItemFacts, must_lock, read_item
from engine.runtime.host import STEPPING, StaleInstance, latest_form
from engine.work_items import rights
from engine.workflow.contract import Live, Node

ERROR_CODES = {"reject": "rejected", "return": "returned"}
"""What a refusing approver throws; drawn as boundary error events."""


@dataclass(frozen=True, slots=True)
class _Held:
    """An item with what surrounds it, all of one revision."""

    item: ItemFacts
    instance: InstanceFacts
    loaded: repository.Loaded
    node: Node


def _hold(session: Session, actor: Actor, item_id: int, version: int | None, action: str) -> _Held:
    """The item, if this person may do this with it now.

    From memory where that is enough to allow it, for the step's write proves the revision. A refusal is never given
    from memory: another process may have written since.
    """
    kept = None if must_lock(session) else LIVE.item(item_id)
    if kept is not None:
        item, instance = kept
        loaded = repository.get(session, instance.definition_id)
        node = loaded.compiled.nodes[item.node]
        if version in (None, item.version) and rights.refusal(action, item, node, instance, actor) is None:
            return _Held(item, instance, loaded, node)
    return _read(session, actor, item_id, version, action)


def _read(session: Session, actor: Actor, item_id: int, version: int | None, action: str) -> _Held:
    found = read_item(session, item_id)
    if found is None:
        raise NotFound
    item, instance = found
    named = set(item.candidates) & set(actor.principals)
    if not named and not rights.holds(item, actor) and not rights.may_read_instance(session, actor, instance.id):
        raise NotFound
    if version not in (None, item.version) or item.state != "open":
        raise too_late(session, item)
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes[item.node]
    rights.demand(action, item, node, instance, actor)
    return _Held(item, instance, loaded, node)


def too_late(session: Session, item: rights.Item) -> Conflict:
    """The typed conflict that says who did what when."""
    last = session.scalars(
        select(InstanceLog)
        .where(InstanceLog.instance_id == item.instance_id, InstanceLog.item_id == item.id)
        .order_by(InstanceLog.seq.desc())
        .limit(1)
    ).first()
    if last is None:
        return Conflict(_("This work item has changed in the meantime."), remedy=_("Load it again."))
    return Conflict(
        _(
            "{who} was faster: {action}, {at}.",
            who=last.actor_name,
            action=last.action,
            at=last.at.isoformat(timespec="seconds"),
        ),
        remedy=_("Load it again."),
    )


def act(
    session: Session,
    actor: Actor,
    item_id: int,
    action: str,
    *,
    version: int | None = None,
    opinion: str = "",
    values: Mapping[str, Any] | None = None,
) -> StepResult:
    """Decide or finish a work item: approve, reject, return or submit.

    version: the one the person saw; a stale one is a Conflict that says who was faster.  values: the fields this step
    may change.  Raises Forbidden, InvalidForm, Conflict, and what a business operation of the step refuses.
    """
    held = _hold(session, actor, item_id, version, action)
    item, node = held.item, held.node
    _check_opinion(action, node, opinion)
    form, routed, changes = _read_form(session, actor, held, action, values)
    variables = {
        **routed,
        "outcome": action,
        node.id: {"outcome": action, "by": actor.person_id, "opinion": opinion},
    }
    todo = Step(
        act=_step_of(action, node, item.token, variables),
        entry=Entry(
            action,
            node.id,
            item.token,
            item.id,
            item.on_behalf_of,
            {"opinion": opinion, **({"changes": changes} if changes else {})},
        ),
        closed=ClosedItem(
            item_id=item.id,
            outcome=action,
            opinion=opinion,
            done_by=actor.person_id,
            done_by_name=actor.name,
            on_behalf_of=item.on_behalf_of,
            state="returned" if action == "return" else "done",
        ),
        form=form,
    )
    result = step(session, actor, item.instance_id, todo, seen=held.instance)
    return _approve_again(session, actor, held, result) if action == "approve" else result


def _approve_again(session: Session, actor: Actor, held: _Held, result: StepResult) -> StepResult:
    """`approval.dedupe = consecutive`: who has just approved is not asked once more by the approval right behind it.

    Only what this approval itself has opened, for this person alone, who may decide it; so never after a return.
    """
    latest = result
    for task in result.changes.opened:
        node = held.loaded.compiled.nodes[task.node]
        if node.properties.get("approval.dedupe") != "consecutive":
            continue
        opened = select(WorkItem.id).where(WorkItem.instance_id == result.instance_id, WorkItem.token == task.token)
        found = read_item(session, session.scalars(opened.order_by(WorkItem.id.desc()).limit(1)).one())
        if found is None:
            continue
        item, instance = found
        needs_words = node.properties.get("approval.opinion") == "required"
        if item.candidates != [actor.person_id] or needs_words:
            continue
        if rights.refusal("approve", item, node, instance, actor) is not None:
            continue
        decision = {"outcome": "approve", "by": actor.person_id, "opinion": ""}
        todo = Step(
            act=_step_of("approve", node, item.token, {"outcome": "approve", node.id: decision}),
            entry=Entry("auto", node.id, item.token, item.id, None, {"rule": "approval.dedupe", "after": held.node.id}),
            closed=ClosedItem(item.id, "approve", "", actor.person_id, actor.name, state="auto"),
        )
        further = step(session, actor, result.instance_id, todo, seen=instance)
        latest = _approve_again(session, actor, _Held(item, instance, held.loaded, node), further)
    return latest


def _step_of(action: str, node: Node, token: int, variables: dict[str, Any]) -> Callable[[Live], None]:
    code = ERROR_CODES.get(action)
    drawn_as_flow = action == "reject" and node.properties.get("approval.reject") == "flow"
    if code is None or drawn_as_flow:
        return lambda instance: instance.complete(token, variables)
    return lambda instance: instance.throw_error(token, code, variables)


def _check_opinion(action: str, node: Node, opinion: str) -> None:
    check_opinion("opinion", opinion)
    needed = action in ERROR_CODES or (is_approval(node) and node.properties.get("approval.opinion") == "required")
    if needed and not opinion.strip():
        raise InvalidForm([Problem("opinion", _("Please give a reason."), rule="opinion_required")])


def _read_form(
    session: Session, actor: Actor, held: _Held, action: str, values: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, Any]]:
    """(the submission to store, variables for the token, changed fields {name: [before, after]}).

    A plain task without a form takes its values as process variables, as integrators expect of a user task.
    """
    schema = held.loaded.form_of(held.node.id)
    if schema is None and not is_approval(held.node):
        return None, dict(values or {}), {}
    if schema is None or action in ERROR_CODES or (values is None and is_approval(held.node)):
        return None, {}, {}
    revision, before = latest_form(session, held.instance.id)
    clean = schema.submit(
        values or {},
        step=held.node.id,
        previous=before,
        session=session,
        actor=actor,
        instance_id=held.instance.id,
    )
    changes = {name: [before.get(name), clean.get(name)] for name in clean if before.get(name) != clean.get(name)}
    if not changes:
        return None, schema.routed(clean), {}
    kept = {**before, **clean}  # what other forms of the process have said stays
    session.execute(
        update(Instance)
        .where(Instance.id == held.instance.id)
        .values(summary=(held.loaded.start_form() or schema).summary(kept))
        .execution_options(synchronize_session=False)
    )
    files.hang(session, schema, clean, held.instance.id)
    stored = {
        "revision": revision + 1,
        "node": held.node.id,
        "values": kept,
        "saved_by": actor.person_id,
    }
    return stored, schema.routed(clean), changes


# ------------------------------------------------------------------------------------------------- pools


def claim(session: Session, actor: Actor, item_id: int, *, version: int | None = None) -> WorkItem:
    """Take an item out of its pool; the others see it no more."""
    held = _read(session, actor, item_id, version, "claim")
    return _move_read(session, actor, held, "claim", actor.person_id, (actor.person_id,))


def release(session: Session, actor: Actor, item_id: int, *, version: int | None = None) -> WorkItem:
    """Give a claimed item back to its pool."""
    held = _read(session, actor, item_id, version, "release")
    return _move_read(session, actor, held, "release", None, tuple(held.item.candidates))


def add_candidate(session: Session, actor: Actor, item: WorkItem, person_id: int, reason: str) -> WorkItem:
    """Let one more person decide an open item (an escalation); twice is once."""
    if person_id in item.candidates:
        return item
    assigned = () if item.assignee_id is None or item.assignee_id in item.candidates else (item.assignee_id,)
    candidates = (*assigned, *item.candidates, person_id)
    item.candidates = list(candidates)
    return _move(session, actor, item, "escalate", None, candidates, {"to": person_id, "reason": reason})


def _move_read(
    session: Session, actor: Actor, held: _Held, action: str, assignee: int | None, principals: Iterable[int]
) -> WorkItem:
    """Move the item if it is still what the right was granted for: a claim is a compare-and-set."""
    item = session.get_one(WorkItem, held.item.id, populate_existing=True)
    if item.version != held.item.version:
        raise StaleInstance(item.instance_id)
    return _move(session, actor, item, action, assignee, principals, {})


def _move(
    session: Session,
    actor: Actor,
    item: WorkItem,
    action: str,
    assignee: int | None,
    principals: Iterable[int],
    detail: dict[str, Any],
) -> WorkItem:
    """Change where an open item lies, under the instance's lock and with a line in its log."""
    head = session.execute(
        select(Instance.rev, Instance.log_seq, Instance.log_hash)
        .where(Instance.id == item.instance_id)
        .with_for_update()
    ).one()
    now = session.execute(select(WorkItem.state, WorkItem.version).where(WorkItem.id == item.id)).one()
    if now.state != "open" or now.version != item.version:
        raise StaleInstance(item.instance_id)
    before = set(session.scalars(select(InboxEntry.principal).where(InboxEntry.item_id == item.id)))
    item.assignee_id = assignee
    item.version += 1
    session.execute(delete(InboxEntry).where(InboxEntry.item_id == item.id))
    new = set(principals)
    session.execute(insert(InboxEntry), [{"principal": p, "item_id": item.id} for p in sorted(new)])
    log(session, actor, item.instance_id, head, [Entry(action, item.node, item.token, item.id, None, detail)])
    live.push(session, before | new, "inbox")
    session.flush()
    return item


def log(session: Session, actor: Actor, instance_id: int, head: Any, entries: list[Entry]) -> None:
    """Append to an instance's log; the caller holds the instance's lock and read `head` under it."""
    under_way = session.info.get(STEPPING)
    if under_way is not None and under_way.instance_id == instance_id:
        under_way.notes += entries  # the step itself writes them and raises the revision
        return
    rows, seq, digest = journal.chain(instance_id, head.log_seq, head.log_hash, clock.now(), actor, entries)
    session.execute(insert(InstanceLog), rows)
    # A new revision, although no token moved: a step that read the old end of the log must not fork the chain.
    session.execute(
        update(Instance)
        .where(Instance.id == instance_id)
        .values(rev=Instance.rev + 1, log_seq=seq, log_hash=digest)
        .execution_options(synchronize_session=False)
    )
    instance = session.identity_map.get(identity_key(Instance, instance_id))
    if instance is not None:
        session.expire(instance)


def open_items(session: Session, instance_id: int, node: str | None = None) -> list[WorkItem]:
    """The open items of an instance, of one node if named."""
    wanted = select(WorkItem).where(WorkItem.instance_id == instance_id, WorkItem.state == "open")
    if node is not None:
        wanted = wanted.where(WorkItem.node == node)
    return list(session.scalars(wanted.order_by(WorkItem.id)))


# ------------------------------------------------------------------------------------------------- copies


def send_copies(session: Session, actor: Actor, instance_id: int, persons: Iterable[int]) -> int:
    """抄送: give people the right to read exactly this instance, each once; returns how many are new."""
    if not rights.may_read_instance(session, actor, instance_id):
        raise NotFound
    now: datetime = clock.now()
    rows = [
        {"instance_id": instance_id, "person_id": p, "sent_by": actor.person_id, "sent_at": now}
        for p in sorted(set(persons))
    ]
    if not rows:
        return 0
    dialect = session.get_bind().dialect.name
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(Copy)
    new = list(
        session.scalars(
            statement.values(rows)
            .on_conflict_do_nothing(index_elements=["instance_id", "person_id"])
            .returning(Copy.person_id)
        )
    )
    if new:
        head = session.execute(
            select(Instance.rev, Instance.log_seq, Instance.log_hash)
            .where(Instance.id == instance_id)
            .with_for_update()
        ).one()
        log(session, actor, instance_id, head, [Entry("cc", detail={"to": sorted(new)})])
        live.push(session, new, "inbox")
    return len(new)
