"""One step of one instance, from its row and back; who loses a race repeats under the row lock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from engine import clock, events, journal, queue, recorder, repository, workflow
from engine.actor import Actor
from engine.db import Sessions, after_commit, transaction
from engine.errors import Conflict, NotFound, RuleViolation
from engine.i18n import _
from engine.journal import Entry
from engine.live import ring
from engine.models import Incident, Instance, Message, OutboxMessage, WorkItem
from engine.recorder import ClosedItem, StepRows
from engine.runtime.cache import LIVE, Kept
from engine.runtime.facts import InstanceFacts, ItemFacts, must_lock, read_instance
from engine.runtime.host import STEPPING, StaleInstance, StepHost, is_deadlock
from engine.runtime.opening import Again, Opening, Verdict, joined
from engine.runtime.plain import plain
from engine.states import stands_still
from engine.workflow.contract import Changes, Live, Node

Result = TypeVar("Result")

ATTEMPTS = 5
MOST_VERDICTS = 200
MESSAGE_LIFE = timedelta(days=7)
RETRY_PAUSES = tuple(timedelta(seconds=s) for s in (10, 60, 300, 1800))
CORRELATE_JOB = "engine.correlate_messages"
ENDED_EVENT = "process.instance_ended"
"""Published with instance_id, definition_key, business_key, state: reservations are released, records closed."""


@dataclass(slots=True)
class Step:
    """What is to be done to an instance."""

    act: Callable[[Live], object]
    entry: Entry
    """the log line; the step adds the path taken"""
    closed: ClosedItem | None = None
    form: dict[str, Any] | None = None
    """{"revision", "node", "values", "saved_by"}: a submission stored with the step"""
    interactive: bool = True
    participants: set[int] = field(default_factory=set)
    partakes: bool = True
    """whoever does this takes part in the instance and may read it from then on"""
    final_state: str | None = None
    """the instance's state after the step when the diagram does not decide it (withdrawn, terminated, suspended …)"""
    allowed: tuple[str, ...] = ("running",)
    surplus: bool = False
    """the tokens this step completes have further items, which end with it"""
    cause: str = ""
    """why the items end that end with this step; "" = decided where there is a surplus, else interrupted"""
    again: Mapping[str, Again] = field(default_factory=dict)
    """nodes that are entered anew, with the people they go to"""
    items_moved: bool = False
    """items of the instance were changed in this transaction besides: what is kept of them in memory is out of date"""
    wakes: bool = False
    """the instance had ended and runs again"""


@dataclass(frozen=True, slots=True)
class StepResult:
    instance_id: int
    state: str
    changes: Changes


def _too_many() -> Conflict:
    return Conflict(_("Too many people are working on this process at this moment."), remedy=_("Please try again."))


def perform(work: Callable[[Session], Result]) -> Result:
    """Run `work` in a transaction of its own; repeat it under row locks when another step was faster."""
    for attempt in range(ATTEMPTS):
        try:
            with transaction() as session:
                session.info["lock_instances"] = attempt > 0
                return work(session)
        except StaleInstance:
            if attempt == ATTEMPTS - 1:
                raise _too_many() from None
        except OperationalError as error:
            if not is_deadlock(error):
                raise
            if attempt == ATTEMPTS - 1:
                raise _too_many() from error
            time.sleep(0.02 * (attempt + 1) * random.uniform(0.5, 2))  # noqa: S311 - rivals must not meet in step
        finally:
            Sessions().info.pop("lock_instances", None)
    raise AssertionError("unreachable")


def step(
    session: Session, actor: Actor, instance_id: int, todo: Step, *, seen: InstanceFacts | None = None
) -> StepResult:
    """Do one step inside the caller's transaction.

    seen: the instance as the caller knows it (read under the lock when `perform` asked for locks); the step holds
    against exactly that revision.

    Raises StaleInstance when another step was faster (see `perform`), Conflict when the instance does not run (any
    more), NotFound, and whatever refusal a business operation of the step raises.
    """
    facts = seen or read_instance(session, instance_id)
    if facts is None:
        raise NotFound
    if facts.state not in todo.allowed:
        raise Conflict(stands_still(facts.state))
    loaded = repository.get(session, facts.definition_id)
    host = StepHost(
        session,
        actor,
        instance_id=instance_id,
        definition_key=facts.definition_key,
        business_key=facts.business_key,
        starter_id=facts.starter_id,
        rev=facts.rev,
        locked=must_lock(session),
        interactive=todo.interactive,
        form=todo.form["values"] if todo.form else None,
        reckon=loaded.form_facts,
    )
    kept = LIVE.take(instance_id, facts.rev)
    if kept is None:
        blob = session.scalar(select(Instance.snapshot).where(Instance.id == instance_id, Instance.rev == facts.rev))
        if blob is None:
            raise StaleInstance(instance_id)
        live = workflow.load(loaded.compiled, blob, host)
    else:
        live = kept.live
        live.host = host
    session.info[STEPPING] = host
    try:
        todo.act(live)
        return record(session, actor, loaded, facts, live, host, todo, items=kept.items if kept else {})
    finally:
        session.info.pop(STEPPING, None)


def record(
    session: Session,
    actor: Actor,
    loaded: repository.Loaded,
    facts: InstanceFacts,
    live: Live,
    host: StepHost,
    todo: Step,
    *,
    items: Mapping[int, ItemFacts],
) -> StepResult:
    """Write what the step did, if the instance is still as `facts` says; `items`: its open items as far as known."""
    opening = Opening(session, loaded, facts, host, todo.closed, todo.again)
    changes = _settle(live, opening, final=todo.final_state)
    now = clock.now()
    state = todo.final_state or changes.ended or ("running" if todo.wakes else facts.state)
    over = state not in ("running", "suspended")
    entries = _entries(todo.entry, changes, [*host.notes, *opening.entries], state, over)
    log, seq, head = journal.chain(facts.id, facts.log_seq, facts.log_hash, now, actor, entries)
    rows = StepRows(
        instance_id=facts.id,
        rev=facts.rev,
        at=now,
        state=state,
        snapshot=live.dump(),
        snapshot_format=workflow.SNAPSHOT_FORMAT,
        log_seq=seq,
        log_hash=head,
        ended_at=now if over else None,
        closed=todo.closed,
        cancelled_tokens=[*changes.cancelled, *(changes.closed if todo.surplus else ())],
        cause=todo.cause or ("decided" if todo.surplus else "interrupted"),
        opened=opening.left({*changes.closed, *changes.cancelled}) if not over else opening.automatic(),
        timers_set=[] if over else [_timer(t) for t in changes.timers_set],
        timers_cleared=_cleared(changes.timers_cleared, {t.token for t in changes.timers_set}),
        waits_set=[] if over else [_wait(w, facts.business_key) for w in changes.waits_set],
        waits_cleared=_cleared(changes.waits_cleared, {w.token for w in changes.waits_set}),
        incidents=[_incident(session, facts.id, f, now, f.token in host.transient) for f in changes.failures],
        incidents_cleared=_cleared(changes.failures_cleared, {f.token for f in changes.failures}),
        log=log,
        participants={
            *todo.participants,
            *({actor.person_id} if actor.person_id and todo.partakes else ()),
            *(item.on_behalf_of for item in opening.items if item.on_behalf_of),
        },
        form=todo.form,
    )
    session.flush()  # the recorder writes past the session's own unit of work
    born = recorder.write(session, rows)
    if born is None:
        raise StaleInstance(facts.id)
    _expire(session, facts.id, todo.closed)
    ring(session)
    _throw(session, facts, changes)
    for token, message_id in host.pending:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(instance_id=facts.id, token=token)
            .execution_options(synchronize_session=False)
        )
    events.publish(
        session, events.ACTED, instance_id=facts.id, actor=actor, entry=entries[0], state=state if over else None
    )
    waiting = [born[position] for position, new in enumerate(rows.opened) if new.state == "open"]
    if waiting:
        events.publish(session, events.ITEMS_OPENED, instance_id=facts.id, item_ids=waiting)
    if rows.incidents:
        events.publish(session, events.INCIDENTS_OPENED, instance_id=facts.id, incidents=rows.incidents)
    if over:
        events.publish(
            session,
            ENDED_EVENT,
            instance_id=facts.id,
            definition_key=facts.definition_key,
            business_key=facts.business_key,
            state=state,
        )
    else:
        after = replace(facts, rev=facts.rev + 1, state=state, log_seq=seq, log_hash=head)
        # An operation that moved items of this instance changed what we know of them.
        known = {} if host.notes or todo.items_moved else items
        kept = Kept(after, _items_after(known, rows, born), live)
        after_commit(session, lambda: LIVE.put(kept))
    return StepResult(facts.id, state, changes)


def _items_after(items: Mapping[int, ItemFacts], rows: StepRows, born: dict[int, int]) -> dict[int, ItemFacts]:
    """The open items once this step is committed, without the cost of asking for them."""
    closed = rows.closed.item_id if rows.closed else 0
    gone = set(rows.cancelled_tokens)
    open_now = {id: item for id, item in items.items() if id != closed and item.token not in gone}
    for position, new in enumerate(rows.opened):
        if new.state != "open":
            continue
        item_id = born[position]
        open_now[item_id] = ItemFacts(
            id=item_id,
            instance_id=rows.instance_id,
            token=new.token,
            node=new.node,
            state="open",
            assignee_id=new.assignee_id,
            candidates=list(new.principals),
            on_behalf_of=new.on_behalf_of,
            version=1,
            many=new.many,
            reason=new.reason,
        )
    return open_now


def _expire(session: Session, instance_id: int, closed: ClosedItem | None) -> None:
    """Rows the session holds as objects were written past it: whoever looks again reads them again."""
    for key in (
        identity_key(Instance, instance_id),
        identity_key(WorkItem, closed.item_id) if closed else None,
    ):
        held = session.identity_map.get(key) if key else None
        if held is not None:
            session.expire(held)


def _entries(first: Entry, changes: Changes, notes: list[Entry], state: str, over: bool) -> list[Entry]:
    detail = {**first.detail, "path": [list(mark) for mark in changes.path]} if changes.path else first.detail
    entries = [
        Entry(first.action, first.node, first.token, first.item_id, first.on_behalf_of, detail),
        *notes,
    ]
    entries += [
        Entry("incident", failure.node, failure.token, detail={"cause": failure.cause}) for failure in changes.failures
    ]
    if over:
        extra = {"error": changes.error_code} if changes.error_code else {}
        entries.append(Entry("end", detail={"state": state, **extra}))
    return entries


def _settle(live: Live, opening: Opening, *, final: str | None) -> Changes:
    """Let rules decide what they can decide at once, and what opens behind that, until people are asked."""
    changes = latest = live.drain()
    if final is not None:
        return changes
    for _round in range(MOST_VERDICTS):
        verdicts = opening.take(latest)
        if not verdicts:
            return changes
        for verdict in verdicts:
            if live.has_open(verdict.token):
                _apply(live, verdict)
        latest = live.drain()
        changes = joined(changes, latest)
    raise RuleViolation(
        _("The rules of this process approve and reject in a circle without asking anybody."),
        remedy=_("Ask the process designer to look at its automatic approvals."),
    )


def _apply(live: Live, verdict: Verdict) -> None:
    said = {"outcome": verdict.outcome, "by": verdict.by or None, "opinion": ""}
    variables = {"outcome": verdict.outcome, verdict.node.id: said}
    if verdict.outcome == "reject":
        refuse(live, verdict.token, verdict.node, variables)
    else:
        live.complete(verdict.token, variables)


def refuse(live: Live, token: int, node: Node, variables: Mapping[str, Any]) -> None:
    """A rejection: along the drawn flows where the diagram says so, else the error "rejected", caught or final."""
    if node.properties.get("approval.reject") == "flow":
        live.complete(token, variables)
    else:
        live.throw_error(token, "rejected", variables)


def _timer(timer: Any) -> dict[str, Any]:
    return {"token": timer.token, "node": timer.node, "due_at": timer.due_at, "catch_up": timer.catch_up}


def _wait(wait: Any, business_key: str | None) -> dict[str, Any]:
    return {
        "token": wait.token,
        "node": wait.node,
        "kind": wait.kind,
        "name": wait.name,
        "business_key": wait.business_key or business_key,
    }


def _incident(session: Session, instance_id: int, failure: Any, now: datetime, transient: bool) -> dict[str, Any]:
    state, retry_at = "open", None
    if transient:
        known = select(Incident.attempts).where(Incident.instance_id == instance_id, Incident.token == failure.token)
        attempts = session.scalar(known) or 0
        if attempts < len(RETRY_PAUSES):
            state, retry_at = "retrying", now + RETRY_PAUSES[attempts]
    return {
        "token": failure.token,
        "node": failure.node,
        "cause": failure.cause[:200],
        "detail": failure.detail,
        "state": state,
        "retry_at": retry_at,
    }


def _cleared(cleared: list[int], set_again: set[int]) -> list[int]:
    return [token for token in cleared if token not in set_again]


def _throw(session: Session, facts: InstanceFacts, changes: Changes) -> None:
    """Keep what the diagram sends for whoever waits; a job correlates it right after the commit."""
    now = clock.now()
    for number, thrown in enumerate(changes.thrown):
        session.add(
            Message(
                kind=thrown.kind,
                name=thrown.name,
                business_key=thrown.business_key or facts.business_key or "",
                message_id=f"instance:{facts.id}:{facts.rev}:{number}",
                variables=plain(thrown.variables),
                state="waiting",
                received_at=now,
                expires_at=now + MESSAGE_LIFE,
            )
        )
    if changes.thrown:
        session.flush()
        after_commit(session, lambda: queue.wake(CORRELATE_JOB))
