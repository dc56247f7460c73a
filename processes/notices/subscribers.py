"""Who is told of what is said: those who are mentioned or answered, and those who follow or started a process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.events import subscribe
from engine.i18n import _
from engine.models import Follower, Instance
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.notices.operations import notify
from processes.notices.rules import kind

MENTIONED = kind("comments.mentioned", _("Somebody mentions me"))
ANSWERED = kind("comments.answered", _("Somebody answers my comment"))
FOLLOWED = kind("comments.followed", _("A comment on something I started, do or follow"))


@subscribe("comments.comment_added")
def tell_of_comment(
    session: Session,
    *,
    actor: Actor,
    comment_id: int,
    record_type: str,
    record_id: int,
    mentions: tuple[int, ...] = (),
    answered: int | None = None,
    **_facts: Any,
) -> None:
    """Each person once, by the nearest reason; never the author, never somebody who may not read it (any more)."""
    told = {actor.person_id}
    told |= _tell_mentioned(session, actor, mentions, comment_id, record_type, record_id)
    about, where = _about(session, record_type, record_id), _place(comment_id, record_type, record_id)
    if answered is not None and answered not in told:
        readers = _readers(session, [answered], record_type, record_id)
        title = _("{who} answers your comment: {about}", who=actor.name, about=about)
        notify(session, actor, persons=readers, kind=ANSWERED, title=title, **where)
        told.add(answered)

    readers = _readers(session, _interested(session, record_type, record_id) - told, record_type, record_id)
    title = _("{who} comments: {about}", who=actor.name, about=about)
    notify(session, actor, persons=readers, kind=FOLLOWED, title=title, **where)


@subscribe("comments.comment_edited")
def tell_of_edit(
    session: Session,
    *,
    actor: Actor,
    comment_id: int,
    record_type: str,
    record_id: int,
    mentions: tuple[int, ...],
    **_facts: Any,
) -> None:
    """An edit tells only those whom it mentions anew."""
    _tell_mentioned(session, actor, mentions, comment_id, record_type, record_id)


def _tell_mentioned(
    session: Session, actor: Actor, mentions: Iterable[int], comment_id: int, record_type: str, record_id: int
) -> set[int]:
    persons = {person for person in mentions if person != actor.person_id}
    title = _("{who} mentions you: {about}", who=actor.name, about=_about(session, record_type, record_id))
    notify(session, actor, persons=persons, kind=MENTIONED, title=title, **_place(comment_id, record_type, record_id))
    return persons


def _about(session: Session, record_type: str, record_id: int) -> str:
    record_kind = CATALOG.record_kind(record_type)
    return record_kind.title(session, record_id) if record_kind is not None else ""


def _place(comment_id: int, record_type: str, record_id: int) -> dict[str, Any]:
    """One event, one key: whoever is mentioned in an answer to himself is told once."""
    return {
        "key": f"comment:{comment_id}",
        "record": (record_type, record_id),
        "link": f"#comment-{comment_id}",
    }


def _interested(session: Session, record_type: str, record_id: int) -> set[int]:
    """Of a process whoever started or follows it: all who had a part would be too many; else whom it concerns."""
    if record_type != INSTANCE:
        kind_of_record = CATALOG.record_kind(record_type)
        concerned = kind_of_record.audience(session, record_id) if kind_of_record is not None else ()
        return {person for person in concerned if person > 0}
    followers = select(Follower.person_id).where(Follower.instance_id == record_id)
    starter = select(Instance.starter_id).where(Instance.id == record_id)
    return set(session.scalars(followers.union(starter)))


def _readers(session: Session, persons: Iterable[int], record_type: str, record_id: int) -> list[int]:
    """Those who may read it today: a follower may have lost the right since."""
    return CATALOG.readers(session, sorted(person for person in persons if person), record_type, record_id)
