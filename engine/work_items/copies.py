"""抄送, 传阅, 跟踪: who may read along, who must acknowledge it, who wants to be told."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, live
from engine.actor import Actor
from engine.errors import Conflict, NotFound
from engine.i18n import _
from engine.journal import Entry
from engine.models import Copy, Follower
from engine.work_items import rights
from engine.work_items.held import append, read


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

    token: the step that waits until they have acknowledged it.  along_with: what tells them of it already ("comment").
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
            where=Copy.acknowledged_at.is_(None) & (Copy.kind != kind),
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
    return send_copies(session, actor, held.instance.id, persons, kind=kind)


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
    append(session, actor, copy.instance_id, Entry("acknowledge", detail={"copy": copy.id}))
    live.push(session, [actor.person_id, copy.sent_by], "inbox")
    return copy


def unacknowledged(session: Session, instance_id: int, token: int) -> list[int]:
    """Who has still to acknowledge what this step circulated and waits for."""
    open_ones = select(Copy.person_id).where(
        Copy.instance_id == instance_id, Copy.token == token, Copy.acknowledged_at.is_(None)
    )
    return list(session.scalars(open_ones))


def demand_acknowledged(session: Session, instance_id: int, token: int) -> None:
    """A step whose diagram waits for its readers goes on when all have acknowledged."""
    waiting = unacknowledged(session, instance_id, token)
    if waiting:
        raise Conflict(
            _("{count} readers have not acknowledged this yet.", count=len(waiting)),
            remedy=_("Ask them to, or wait."),
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
