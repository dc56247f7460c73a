"""Who may read, write, mend and void comments: whoever may read the record takes part in the talk about it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG, RecordKind
from engine.errors import Forbidden, NotFound
from engine.i18n import _
from processes.comments.models import Comment

MODERATE = "comments.comment.moderate"

COMMENT = "comments.comment"
"""The record type of a comment: its files hang on it."""


def demand_record(session: Session, actor: Actor, record_type: str, record_id: int) -> None:
    """Raise NotFound unless the actor may read the record; a comment is itself no record to comment on."""
    if record_type == COMMENT or not CATALOG.may_read(session, actor, record_type, record_id):
        raise NotFound


def readable(session: Session, actor: Actor, comment_id: int) -> Comment:
    """The comment, if the actor may read its record; NotFound otherwise."""
    comment = session.get(Comment, comment_id)
    if comment is None or not CATALOG.may_read(session, actor, comment.record_type, comment.record_id):
        raise NotFound
    return comment


def may_edit(actor: Actor, comment: Comment) -> bool:
    return comment.author_id == actor.person_id and comment.voided_at is None


def may_void(actor: Actor, comment: Comment) -> bool:
    return comment.voided_at is None and (comment.author_id == actor.person_id or actor.may(MODERATE))


def demand_edit(actor: Actor, comment: Comment) -> None:
    if not may_edit(actor, comment):
        raise Forbidden(_("Only its author may change a comment, and not after it was voided."))


def demand_void(actor: Actor, comment: Comment) -> None:
    if not may_void(actor, comment):
        raise Forbidden(_("Only its author or a moderator may void a comment, and only once."))


def _may_read(session: Session, actor: Actor, comment_id: int) -> bool:
    """Files of a voided comment are hidden with its text."""
    comment = session.get(Comment, comment_id)
    if comment is None or (comment.voided_at is not None and not actor.may(MODERATE)):
        return False
    return CATALOG.may_read(session, actor, comment.record_type, comment.record_id)


def _title(session: Session, comment_id: int) -> str:
    comment = session.get(Comment, comment_id)
    kind = CATALOG.record_kind(comment.record_type) if comment is not None else None
    return kind.title(session, comment.record_id) if kind is not None and comment is not None else ""


CATALOG.records[COMMENT] = RecordKind(_may_read, _title)
