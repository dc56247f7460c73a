"""A work item held by whoever may act on it now, and the small moves every action is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from engine import clock, events, journal, live, policy as policies, repository
from engine.actor import Actor
from engine.deeds import DEEDS
from engine.errors import Conflict, InvalidForm, NotFound, Problem
from engine.expressions.values import HOUSE_ZONE
from engine.forms import check_opinion
from engine.i18n import Sentence, _, kept
from engine.journal import Entry
from engine.models import InboxEntry, Instance, InstanceLog, Participant, WorkItem
from engine.policy import Policy
from engine.runtime.cache import LIVE
from engine.runtime.facts import InstanceFacts, ItemFacts, must_lock, read_item
from engine.runtime.host import STEPPING, StaleInstance
from engine.work_items import rights
from engine.workflow.contract import Node


@dataclass(frozen=True, slots=True)
class Held:
    """An item with what surrounds it, all of one revision."""

    item: ItemFacts
    instance: InstanceFacts
    loaded: repository.Loaded
    node: Node

    @property
    def policy(self) -> Policy:
        return policies.read(self.node.properties)


def hold(session: Session, actor: Actor, item_id: int, version: int | None, action: str) -> Held:
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
            return Held(item, instance, loaded, node)
    return read(session, actor, item_id, version, action)


def read(
    session: Session,
    actor: Actor,
    item_id: int,
    version: int | None,
    action: str,
    states: Sequence[str] = ("open", "delegated"),
) -> Held:
    """The item as the database has it, if this person may do this with it; `states`: in which one can at all."""
    found = read_item(session, item_id)
    if found is None:
        raise NotFound
    item, instance = found
    named = set(item.candidates) & set(actor.principals)
    if not named and not rights.holds(item, actor) and not rights.may_read_instance(session, actor, instance.id):
        raise NotFound
    if version not in (None, item.version) or item.state not in states:
        raise too_late(session, item)
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes[item.node]
    rights.demand(action, item, node, instance, actor)
    return Held(item, instance, loaded, node)


def locked(
    session: Session,
    actor: Actor,
    item_id: int,
    version: int | None,
    action: str,
    states: Sequence[str] = ("open", "delegated"),
) -> Held:
    """As `read`, with the instance's row locked: for actions that touch several items."""
    held = read(session, actor, item_id, version, action, states)
    lock(session, held.instance)
    return held


def lock(session: Session, instance: InstanceFacts) -> None:
    """Hold the instance's row; whoever came first wins, the other repeats."""
    now = session.scalar(select(Instance.rev).where(Instance.id == instance.id).with_for_update())
    if now != instance.rev:
        raise StaleInstance(instance.id)


def too_late(session: Session, item: rights.Item) -> Conflict:
    """The typed conflict that says who did what to this item, and when."""
    return _faster(session, item.instance_id, InstanceLog.item_id == item.id)


def demand_version(session: Session, actor: Actor, instance_id: int, version: int) -> None:
    """The instance, locked, must still be at the version somebody saw; else the conflict that says who was faster."""
    now = session.scalar(select(Instance.rev).where(Instance.id == instance_id).with_for_update())
    if now is None or not rights.may_read_instance(session, actor, instance_id):
        raise NotFound
    if now != version:
        raise _faster(session, instance_id)


def _faster(session: Session, instance_id: int, *which: ColumnElement[bool]) -> Conflict:
    last = session.scalars(
        select(InstanceLog)
        .where(InstanceLog.instance_id == instance_id, *which)
        .order_by(InstanceLog.seq.desc())
        .limit(1)
    ).first()
    if last is None:
        return Conflict(_("This work item has changed in the meantime."), remedy=_("Load it again."))
    return Conflict(
        _(
            "{who} was faster: {action}, {at}.",
            who=last.actor_name,
            action=DEEDS.get(last.action, last.action),
            at=f"{last.at.astimezone(HOUSE_ZONE):%Y-%m-%d %H:%M}",
        ),
        remedy=_("Load it again."),
    )


def must_say(where: str, text: str | Sentence) -> Any:
    """A reason that has to be given, checked, as it is stored; the house's own stays translatable."""
    if isinstance(text, Sentence):
        return kept(text)
    check_opinion(where, text)
    if not text.strip():
        raise InvalidForm([Problem(where, _("Please give a reason."), rule="opinion_required")])
    return text.strip()


# ------------------------------------------------------------------------------------------------- moves


def move(
    session: Session,
    actor: Actor,
    item: WorkItem,
    action: str,
    assignee: int | None,
    principals: Iterable[int],
    detail: dict[str, Any],
    on_behalf_of: int | None = None,
) -> WorkItem:
    """Change where an item lies, under the instance's lock and with a line in its log; `principals`: the inboxes."""
    head = head_of(session, item.instance_id)
    now = session.execute(select(WorkItem.state, WorkItem.version).where(WorkItem.id == item.id)).one()
    if now.state not in ("open", "delegated", "waiting") or now.version != item.version:
        raise StaleInstance(item.instance_id)
    before = set(session.scalars(select(InboxEntry.principal).where(InboxEntry.item_id == item.id)))
    item.assignee_id = assignee
    item.version += 1
    session.execute(delete(InboxEntry).where(InboxEntry.item_id == item.id))
    new = set(principals)
    if new:
        session.execute(insert(InboxEntry), [{"principal": p, "item_id": item.id} for p in sorted(new)])
    log(
        session,
        actor,
        item.instance_id,
        head,
        [Entry(action, item.node, item.token, item.id, on_behalf_of, detail)],
    )
    live.push(session, before | new, "inbox")
    session.flush()
    return item


def put_aside(session: Session, item_id: int, **changes: Any) -> None:
    """Take an item out of every inbox and change it; the caller holds the lock and writes the log."""
    gone = list(session.scalars(select(InboxEntry.principal).where(InboxEntry.item_id == item_id)))
    session.execute(delete(InboxEntry).where(InboxEntry.item_id == item_id))
    change(session, item_id, **changes)
    live.push(session, gone, "inbox")


def open_up(session: Session, item_id: int, **changes: Any) -> None:
    """Put an item (back) into the inboxes of its people; the caller holds the lock and writes the log."""
    change(session, item_id, state="open", **changes)
    instance_id, assignee, candidates = session.execute(
        select(WorkItem.instance_id, WorkItem.assignee_id, WorkItem.candidates).where(WorkItem.id == item_id)
    ).one()
    people = sorted({assignee} if assignee is not None else set(candidates))
    session.execute(delete(InboxEntry).where(InboxEntry.item_id == item_id))
    if people:
        session.execute(insert(InboxEntry), [{"principal": p, "item_id": item_id} for p in people])
    live.push(session, people, "inbox")
    events.publish(session, events.ITEMS_OPENED, instance_id=instance_id, item_ids=[item_id])


def change(session: Session, item_id: int, **changes: Any) -> None:
    session.execute(
        update(WorkItem)
        .where(WorkItem.id == item_id)
        .values(version=WorkItem.version + 1, **changes)
        .execution_options(synchronize_session=False)
    )
    forget(session, WorkItem, item_id)


def forget(session: Session, model: type[Any], record_id: int) -> None:
    """What the session holds of this row was written past it."""
    kept: Any = session.identity_map.get(identity_key(model, record_id))
    if kept is not None:
        session.expire(kept)


# ------------------------------------------------------------------------------------------------- the log


def head_of(session: Session, instance_id: int) -> Any:
    """The end of an instance's log, read under its lock."""
    return session.execute(
        select(Instance.rev, Instance.log_seq, Instance.log_hash).where(Instance.id == instance_id).with_for_update()
    ).one()


def log(session: Session, actor: Actor, instance_id: int, head: Any, entries: list[Entry]) -> None:
    """Append to an instance's log; the caller holds the instance's lock and read `head` under it."""
    for entry in entries:
        events.publish(session, events.ACTED, instance_id=instance_id, actor=actor, entry=entry, state=None)
    under_way = session.info.get(STEPPING)
    if under_way is not None and under_way.instance_id == instance_id:
        under_way.notes += entries  # the step itself writes them and raises the revision
        return
    take_part(session, instance_id, actor.person_id)
    rows, seq, digest = journal.chain(instance_id, head.log_seq, head.log_hash, clock.now(), actor, entries)
    session.execute(insert(InstanceLog), rows)
    # A new revision, although no token moved: a step that read the old end of the log must not fork the chain.
    session.execute(
        update(Instance)
        .where(Instance.id == instance_id)
        .values(rev=Instance.rev + 1, log_seq=seq, log_hash=digest)
        .execution_options(synchronize_session=False)
    )
    forget(session, Instance, instance_id)


def take_part(session: Session, instance_id: int, *persons: int) -> None:
    """Whoever has had a part in an instance may read it from then on."""
    rows = [{"person_id": person, "instance_id": instance_id} for person in persons if person]
    if rows:
        dialect = session.get_bind().dialect.name
        statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(Participant)
        session.execute(statement.values(rows).on_conflict_do_nothing())


def append(session: Session, actor: Actor, instance_id: int, *entries: Entry) -> None:
    """Add lines to an instance's log."""
    log(session, actor, instance_id, head_of(session, instance_id), list(entries))
