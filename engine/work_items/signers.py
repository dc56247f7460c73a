"""加签 and 减签: people are added before, after or beside a signer, and taken away again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine import clock, events, live
from engine.actor import Actor
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.forms import check_opinion
from engine.i18n import _
from engine.journal import Entry
from engine.models import PENDING, InboxEntry, WorkItem
from engine.runtime import Step, StepResult
from engine.runtime.picking import known_people
from engine.work_items.counting import count
from engine.work_items.deciding import go_on
from engine.work_items.held import Held, append, locked, put_aside

Order = Literal["before", "after", "parallel"]
MOST_ADDED = 50


def add_signers(
    session: Session,
    actor: Actor,
    item_id: int,
    to: Sequence[int],
    *,
    order: Order,
    reason: str = "",
    version: int | None = None,
) -> list[int]:
    """Add people to a node; the ids of their items.

    before: they first, then the item comes back.  after: the holder agrees now, the node goes on when they have, too.
    parallel: beside the holder; all of them count.
    """
    held = locked(session, actor, item_id, version, "add_signer", ("open",))
    check_opinion("reason", reason)
    people = known_people(session, to, most=MOST_ADDED)
    _check_new(session, held, people)
    item = held.item
    waits = order == "parallel" and held.policy.sign == "sequential"
    born = insert_items(
        session,
        held,
        people,
        added=order,
        state="waiting" if waits else "open",
        reason={"rule": f"added_{order}", "by": actor.person_id, "by_name": actor.name, "words": reason.strip()},
    )
    if order == "before":
        put_aside(session, item.id, state="waiting")
    elif order == "after":
        put_aside(
            session,
            item.id,
            state="approving",
            outcome="approve",
            opinion=reason.strip(),
            done_by=actor.person_id,
            done_by_name=actor.name,
            done_at=clock.now(),
        )
    detail = {"to": people, "order": order, "reason": reason.strip()}
    append(
        session,
        actor,
        held.instance.id,
        Entry("add_signer", held.node.id, item.token, item.id, item.on_behalf_of, detail),
    )
    return born


def _check_new(session: Session, held: Held, people: Sequence[int]) -> None:
    """Nobody sits in a node twice, and nobody is asked about his own request."""
    rows = session.execute(
        select(WorkItem.assignee_id, WorkItem.done_by).where(
            WorkItem.instance_id == held.instance.id,
            WorkItem.token == held.item.token,
            WorkItem.kind == "sign",
            WorkItem.state != "cancelled",
        )
    )
    there = {person for row in rows for person in row if person is not None}
    own = not held.policy.own_allowed
    problems = [
        Problem(f"to.{n}", _("This person signs here already."), rule="signs_already")
        for n, person in enumerate(people)
        if person in there
    ]
    problems += [
        Problem(f"to.{n}", _("Nobody approves his own request."), rule="own_request")
        for n, person in enumerate(people)
        if own and person == held.instance.starter_id
    ]
    if problems:
        raise InvalidForm(problems)


def insert_items(
    session: Session,
    held: Held,
    people: Sequence[int],
    *,
    reason: dict[str, Any],
    added: str = "",
    kind: str = "sign",
    state: str = "open",
) -> list[int]:
    """New items at the node of `held`, as its children; the caller holds the lock and writes the log."""
    item = held.item
    row = session.execute(
        select(WorkItem.title, WorkItem.due_at, func.coalesce(WorkItem.parent_id, 0)).where(WorkItem.id == item.id)
    ).one()
    last = session.scalar(
        select(func.max(WorkItem.sequence)).where(
            WorkItem.instance_id == item.instance_id, WorkItem.token == item.token
        )
    )
    fresh = [
        WorkItem(
            instance_id=item.instance_id,
            token=item.token,
            sequence=(last or 0) + 1 + n,
            node=item.node,
            title=row.title,
            state=state,
            outcome="none",
            assignee_id=person,
            candidates=[person],
            reason=reason,
            version=1,
            created_at=clock.now(),
            due_at=row.due_at,
            kind=kind,
            many=True,
            parent_id=item.id,
            added=added,
        )
        for n, person in enumerate(people)
    ]
    session.add_all(fresh)
    session.flush()
    if state == "open":
        session.execute(insert(InboxEntry), [{"principal": one.assignee_id, "item_id": one.id} for one in fresh])
        live.push(session, people, "inbox")
        events.publish(session, events.ITEMS_OPENED, instance_id=item.instance_id, item_ids=[one.id for one in fresh])
    session.execute(
        update(WorkItem)
        .where(WorkItem.instance_id == item.instance_id, WorkItem.token == item.token)
        .values(many=True)
        .execution_options(synchronize_session=False)
    )
    return [one.id for one in fresh]


def remove_signer(
    session: Session, actor: Actor, item_id: int, *, reason: str = "", version: int | None = None
) -> StepResult | None:
    """Take somebody away who has not decided, with whom he added; the node is counted anew and may go on.

    Whoever added them may, and who administers; never the last one who could decide.
    """
    held = locked(session, actor, item_id, version, "remove_signer", ("open", "waiting", "delegated"))
    check_opinion("reason", reason)
    item = held.item
    family = [item.id, *_below(session, item.id)]
    if item.added in ("", "parallel") and not _somebody_else(session, held, family):
        raise RuleViolation(
            _("Nobody would be left to decide this."),
            code="last_signer",
            remedy=_("Transfer it to somebody else instead."),
        )
    for one in family:
        put_aside(session, one, state="cancelled", cause="removed", done_at=clock.now())
    counted = count(session, item, held.policy, None)
    detail = {"who": item.assignee_id, "reason": reason.strip(), "items": family}
    entry = Entry("remove_signer", held.node.id, item.token, item.id, None, detail)
    if counted.verdict is None:
        append(session, actor, held.instance.id, entry)
        return None
    said = {"outcome": counted.verdict, "by": actor.person_id, "opinion": "", **counted.detail}
    todo = Step(act=lambda _live: None, entry=entry, items_moved=True)
    outcome = {"outcome": counted.verdict, held.node.id: said}
    return go_on(session, actor, held, counted.verdict, todo, outcome, to_step="end")


def _below(session: Session, item_id: int) -> list[int]:
    """Pending items of those he added, and of those they added."""
    found: list[int] = []
    todo = [item_id]
    while todo:
        children = session.scalars(
            select(WorkItem.id).where(WorkItem.parent_id.in_(todo), WorkItem.state.in_(PENDING))
        ).all()
        found += children
        todo = list(children)
    return found


def _somebody_else(session: Session, held: Held, family: Sequence[int]) -> bool:
    rest = select(WorkItem.id).where(
        WorkItem.instance_id == held.instance.id,
        WorkItem.token == held.item.token,
        WorkItem.kind == "sign",
        WorkItem.state.in_(PENDING),
        WorkItem.id.not_in(family),
    )
    return session.scalar(rest.limit(1)) is not None
