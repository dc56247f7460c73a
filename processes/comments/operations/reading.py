"""The talk about a record as its readers see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import attachments, clock
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.models import Attachment
from processes.comments import permissions, rules
from processes.comments.models import Comment


@dataclass(frozen=True)
class Shown:
    """A comment for one reader. A voided one has no text, no mentions and no files."""

    comment: Comment
    names: dict[int, str]
    """of everybody it names"""
    text: str
    files: list[Attachment]
    answered: Comment | None
    may_edit: bool
    may_void: bool

    @property
    def plain(self) -> str:
        """The text with names in place of its marks."""
        return rules.in_words(self.text, self.names)

    @property
    def quote(self) -> str:
        """What it answers, in names; "" when it answers nothing, or what was voided."""
        if self.answered is None or self.answered.voided_at is not None:
            return ""
        return rules.in_words(self.answered.text, self.names)

    @property
    def pieces(self) -> list[tuple[str, int | None]]:
        return rules.pieces(self.text)


def of_record(
    session: Session,
    actor: Actor,
    record_type: str,
    record_id: int,
    *,
    before: int | None = None,
    limit: int = 50,
) -> tuple[list[Shown], bool]:
    """The newest comments (older than `before`), oldest first, and whether there are older ones still."""
    permissions.demand_record(session, actor, record_type, record_id)
    wanted = select(Comment).where(Comment.record_type == record_type, Comment.record_id == record_id)
    if before is not None:
        wanted = wanted.where(Comment.id < before)
    rows = list(session.scalars(wanted.order_by(Comment.id.desc()).limit(limit + 1)))
    return _shown(session, actor, rows[:limit][::-1]), len(rows) > limit


def one(session: Session, actor: Actor, comment_id: int) -> Shown:
    return _shown(session, actor, [permissions.readable(session, actor, comment_id)])[0]


def count(session: Session, record_type: str, record_id: int) -> int:
    """Comments that were not voided; the caller has asked whether the actor may read the record."""
    here = (Comment.record_type == record_type, Comment.record_id == record_id, Comment.voided_at.is_(None))
    return session.scalar(select(func.count()).select_from(Comment).where(*here)) or 0


def _shown(session: Session, actor: Actor, comments: Sequence[Comment]) -> list[Shown]:
    asked = {one.reply_to for one in comments if one.reply_to is not None}
    answered = {one.id: one for one in session.scalars(select(Comment).where(Comment.id.in_(asked)))} if asked else {}
    named = (*comments, *answered.values())
    people = {person for one in named for person in (*one.mentions, one.author_id, one.voided_by) if person}
    names = CATALOG.directory.names(session, sorted(people)) if CATALOG.directory is not None and people else {}
    readable = [one for one in comments if one.voided_at is None]
    files = attachments.of_records(session, permissions.COMMENT, [one.id for one in readable])
    now = clock.now()
    return [
        Shown(
            comment=one,
            names=names,
            text=one.text if one.voided_at is None else "",
            files=files.get(one.id, []),
            answered=answered.get(one.reply_to) if one.reply_to is not None else None,
            may_edit=permissions.may_edit(actor, one) and now - one.created_at <= rules.EDIT_WINDOW,
            may_void=permissions.may_void(actor, one),
        )
        for one in comments
    ]
