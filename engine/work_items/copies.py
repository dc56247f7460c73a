"""抄送, 传阅, 跟踪: who may read along, who must acknowledge it, who wants to be told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, delete, false, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, live
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import NotFound, RuleViolation
from engine.i18n import _, listed
from engine.journal import Entry
from engine.models import Copy, Follower, Instance
from engine.runtime.assign import active, is_approval
from engine.work_items import rights
from engine.work_items.held import Held, append, locked, read


def send_copies(
    session: Session,
    actor: Actor,
    instance_id: int,
    persons: Iterable[int],
    *,
    kind: str = "cc",
    token: int | None = None,
    along_with: str = "",
) -> int:
    """抄送 (or, as kind "circulate", 传阅): the right to read exactly this instance, each once; how many are new.

    token: the step that waits until they have acknowledged it; of two the later one.  along_with: what tells them of
    it already ("comment").
    """
    if not rights.may_read_instance(session, actor, instance_id):
        raise NotFound
    now = clock.now()
    rows = [
        {
            "instance_id": instance_id,
            "person_id": person,
            "sent_by": actor.person_id,
            "sent_at": now,
            "kind": kind,
            "token": token,
        }
        for person in sorted(set(persons))
    ]
    if not rows:
        return 0
    dialect = session.get_bind().dialect.name
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(Copy).values(rows)
    if kind == "cc":
        statement = statement.on_conflict_do_nothing(index_elements=["instance_id", "person_id"])
    else:  # who has a copy already is asked to acknowledge it all the same, unless he has
        statement = statement.on_conflict_do_update(
            index_elements=["instance_id", "person_id"],
            set_={"kind": kind, "token": token},
            where=Copy.acknowledged_at.is_(None) & ((Copy.kind != kind) | _other_step(token)),
        )
    new = list(session.scalars(statement.returning(Copy.person_id)))
    if new:
        append(
            session,
            actor,
            instance_id,
            Entry(kind, detail={"to": sorted(new), **({"with": along_with} if along_with else {})}),
        )
        live.push(session, new, "inbox")
    return len(new)


def _other_step(token: int | None) -> ColumnElement[bool]:
    """A step that waits asks also whom an earlier one has asked; one that does not leaves that as it is."""
    return false() if token is None else Copy.token.is_distinct_from(token)


def send_from_item(
    session: Session,
    actor: Actor,
    item_id: int,
    persons: Iterable[int],
    *,
    kind: str = "cc",
    version: int | None = None,
) -> int:
    """Send copies of what one has on the table; only who holds the item may."""
    held = read(session, actor, item_id, version, kind, ("open",))
    waits = kind == "circulate" and is_approval(held.node) and held.policy.waits_for_readers
    return send_copies(session, actor, held.instance.id, persons, kind=kind, token=held.item.token if waits else None)


def recall(
    session: Session, actor: Actor, item_id: int, persons: Iterable[int], *, version: int | None = None
) -> list[int]:
    """撤回传阅: the step waits for these readers no more, who may read on; whom it had waited for among them."""
    held = locked(session, actor, item_id, version, "recall", ("open",))
    readers = (
        update(Copy)
        .where(*_waited_for(held.instance.id, held.item.token), Copy.person_id.in_(set(persons)))
        .values(kind="cc", token=None)
        .returning(Copy.person_id)
        .execution_options(synchronize_session=False)
    )
    freed = sorted(session.scalars(readers))
    if freed:
        entry = Entry("recall", held.node.id, held.item.token, held.item.id, None, {"to": freed})
        append(session, actor, held.instance.id, entry)
        live.push(session, freed, "inbox")
    return freed


def copy_of(session: Session, actor: Actor, instance_id: int) -> Copy | None:
    """What was sent to this person of an instance."""
    return session.scalar(select(Copy).where(Copy.instance_id == instance_id, Copy.person_id == actor.person_id))


def acknowledge(session: Session, actor: Actor, copy_id: int) -> Copy:
    """已阅: the reader says that he has read it; twice is once."""
    copy = session.get(Copy, copy_id, with_for_update=True)
    if copy is None or copy.person_id != actor.person_id:
        raise NotFound
    if copy.acknowledged_at is not None:
        return copy
    copy.acknowledged_at = clock.now()
    copy.read_at = copy.read_at or copy.acknowledged_at
    session.flush()
    detail: dict[str, Any] = {"copy": copy.id}
    if copy.token is not None:  # of two at once, the second is the last whom the step has waited for
        session.execute(select(Instance.id).where(Instance.id == copy.instance_id).with_for_update())
        if not unacknowledged(session, copy.instance_id, copy.token):
            detail["free"] = copy.sent_by
    append(session, actor, copy.instance_id, Entry("acknowledge", detail=detail))
    live.push(session, [actor.person_id, copy.sent_by], "inbox")
    return copy


def _waited_for(instance_id: int, token: int) -> tuple[ColumnElement[bool], ...]:
    return Copy.instance_id == instance_id, Copy.token == token, Copy.acknowledged_at.is_(None)


def unacknowledged(session: Session, instance_id: int, token: int) -> tuple[int, ...]:
    """Who has still to acknowledge what this step circulated and waits for; who has left the company keeps nobody."""
    waited_for = select(Copy.person_id).where(*_waited_for(instance_id, token)).order_by(Copy.id)
    return active(session, tuple(session.scalars(waited_for)))


def demand_acknowledged(session: Session, held: Held) -> None:
    """A step whose diagram waits for its readers is approved when all have acknowledged."""
    if not (is_approval(held.node) and held.policy.waits_for_readers):
        return
    waiting = unacknowledged(session, held.instance.id, held.item.token)
    if waiting:
        names = CATALOG.directory.names(session, waiting) if CATALOG.directory is not None else {}
        raise RuleViolation(
            _(
                "It cannot be approved before these have acknowledged what was circulated: {names}.",
                names=listed(names.get(person, str(person)) for person in waiting),
            ),
            code="not_acknowledged",
            remedy=_("Wait for them, or withdraw the circulation; rejecting and returning stay possible."),
        )


def follow(session: Session, actor: Actor, instance_id: int, *, on: bool = True) -> bool:
    """跟踪: be told what happens in an instance one may read; twice is once. Whether one follows it now."""
    if not rights.may_read_instance(session, actor, instance_id):
        raise NotFound
    mine = Follower.instance_id == instance_id, Follower.person_id == actor.person_id
    if not on:
        session.execute(delete(Follower).where(*mine))
        return False
    if session.scalar(select(Follower.person_id).where(*mine)) is None:
        session.add(Follower(instance_id=instance_id, person_id=actor.person_id, since=clock.now()))
        session.flush()
    return True


def followers(session: Session, instance_id: int) -> list[int]:
    return list(session.scalars(select(Follower.person_id).where(Follower.instance_id == instance_id)))


def mark_read(session: Session, actor: Actor, copy_id: int) -> None:
    """Opening a copy marks it read, once."""
    session.execute(
        update(Copy)
        .where(Copy.id == copy_id, Copy.person_id == actor.person_id, Copy.read_at.is_(None))
        .values(read_at=clock.now())
    )
