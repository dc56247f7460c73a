"""What somebody has read."""

from __future__ import annotations

from sqlalchemy import ScalarSelect, Select, func, select, update
from sqlalchemy.orm import Session

from engine import clock, live
from engine.actor import Actor
from engine.errors import NotFound
from processes.notices.models import Notice
from processes.notices.operations.telling import PUSH
from processes.notices.permissions import visible_to

COUNT_CAP = 1000


def unread(actor: Actor) -> ScalarSelect[int]:
    """How many are not read yet, counted up to COUNT_CAP; a part of a statement."""
    few = select(Notice.id).where(visible_to(actor), Notice.read_at.is_(None)).limit(COUNT_CAP).subquery()
    return select(func.count()).select_from(few).scalar_subquery()


def told(key: str) -> Select[int]:
    """Who has been told of this event; a part of a statement."""
    return select(Notice.person_id).where(Notice.key == key)


def unread_count(session: Session, actor: Actor) -> int:
    return session.scalar(select(unread(actor))) or 0


def mark_read(session: Session, actor: Actor, *, notice_id: int) -> Notice:
    """Note that the actor has read it; the first time counts."""
    notice = session.scalars(select(Notice).where(Notice.id == notice_id, visible_to(actor))).first()
    if notice is None:
        raise NotFound
    if notice.read_at is None:
        notice.read_at = clock.now()
        session.flush()
        live.push(session, [actor.person_id], PUSH)
    return notice


def mark_all_read(session: Session, actor: Actor, *, until: int | None = None) -> int:
    """Note everything as read, up to the notice `until`: what came after the page was loaded has not been seen."""
    unread = [visible_to(actor), Notice.read_at.is_(None)]
    if until is not None:
        unread.append(Notice.id <= until)
    marked = session.scalars(
        update(Notice)
        .where(*unread)
        .values(read_at=clock.now())
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).all()
    if marked:
        live.push(session, [actor.person_id], PUSH)
    return len(marked)
