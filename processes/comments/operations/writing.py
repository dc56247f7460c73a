"""Changes of the talk about a record; each leaves its version, its line in the audit and its event.

A comment writes no line into the log of a process: that would take the instance's lock and raise its revision, so that
people who talk would delay people who decide, and have them refused. The trace is the comment's own: versions that are
only added, and the audit's chain (docs/decisions/2026-11-26-comments-beside-the-log.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import attachments as files, clock, events, journal, live, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Conflict, InvalidForm, NotFound, Problem, RuleViolation
from engine.forms import unprintable
from engine.i18n import _, listed
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.comments import permissions, rules
from processes.comments.models import Comment, CommentVersion
from processes.organization.models import Employee

PUSH = "comment"
"""The kind of push that says: something was said about this record."""

LONGEST_SUBMISSION = 80


class MentionedCannotRead(RuleViolation):
    """Somebody is mentioned who may not read what is talked about."""

    code = "mentioned_cannot_read"

    def __init__(self, people: Sequence[Employee], *, may_copy: bool) -> None:
        remedy = (
            _("Send them a copy first, or write the comment with a copy for them.")
            if may_copy
            else _("Leave their names out, or have somebody let them see it first.")
        )
        super().__init__(
            _("{names} may not read this.", names=listed(person.name for person in people)),
            remedy=remedy,
            problems=tuple(Problem("mentions", _("{name} may not read this.", name=one.name)) for one in people),
        )
        self.people = tuple(person.id for person in people)
        self.may_copy = may_copy


def add_comment(
    session: Session,
    actor: Actor,
    *,
    record_type: str,
    record_id: int,
    text: str,
    reply_to: int | None = None,
    attachments: Iterable[int] = (),
    send_copy: bool = False,
    submission: str = "",
) -> Comment:
    """Say something about a record the actor may read; "@[17]" in the text mentions person 17.

    send_copy: whoever is mentioned and may not read the process gets a copy of it (抄送); without it that is refused.
    submission: names this wish; the same again is the same comment and does nothing.
    """
    permissions.demand_record(session, actor, record_type, record_id)
    known = _submitted(session, actor, record_type, record_id, submission)
    if known is not None:
        return known
    text = rules.clean_text(text)
    answered = _answered(session, record_type, record_id, reply_to)
    mentions = _mentions(session, actor, text, record_type, record_id, send_copy=send_copy)
    comment = Comment(
        record_type=record_type,
        record_id=record_id,
        author_id=actor.person_id,
        author_name=actor.name,
        text=text,
        mentions=mentions,
        reply_to=answered.id if answered else None,
        created_at=clock.now(),
        submission=submission or None,
    )
    try:
        with session.begin_nested():
            session.add(comment)
            session.flush()
    except IntegrityError:  # the same wish came in twice at once, and the other one was faster
        known = _submitted(session, actor, record_type, record_id, submission)
        if known is None:
            raise
        return known
    session.add(CommentVersion(comment_id=comment.id, revision=1, text=text, at=comment.created_at))
    files.hang(session, actor, attachments, permissions.COMMENT, comment.id)
    after = {"record": f"{record_type}:{record_id}", "text": text}
    journal.audit(session, actor, permissions.COMMENT, comment.id, "created", None, after)
    _tell(session, comment)
    events.publish(
        session,
        "comments.comment_added",
        actor=actor,
        comment_id=comment.id,
        record_type=record_type,
        record_id=record_id,
        mentions=tuple(mentions),
        answered=answered.author_id if answered else None,
    )
    return comment


def edit_comment(
    session: Session, actor: Actor, *, comment_id: int, revision: int, text: str, send_copy: bool = False
) -> Comment:
    """Mend one's own comment within a day; every earlier version is kept.

    revision: the one the author saw; a stale one is a Conflict.
    """
    comment = _locked(session, actor, comment_id)
    permissions.demand_edit(actor, comment)
    if comment.revision != revision:
        raise Conflict(
            _("This comment has changed in the meantime."), remedy=_("Load it again and make your change again.")
        )
    now = clock.now()
    rules.check_window(comment.created_at, now)
    before, text = comment.text, rules.clean_text(text)
    if text == before:
        return comment
    mentions = _mentions(session, actor, text, comment.record_type, comment.record_id, send_copy=send_copy)
    added = tuple(person for person in mentions if person not in comment.mentions)
    comment.text, comment.mentions = text, mentions
    comment.revision += 1
    comment.edited_at = now
    session.add(CommentVersion(comment_id=comment.id, revision=comment.revision, text=text, at=now))
    session.flush()
    journal.audit(session, actor, permissions.COMMENT, comment.id, "changed", {"text": before}, {"text": text})
    _tell(session, comment)
    events.publish(
        session,
        "comments.comment_edited",
        actor=actor,
        comment_id=comment.id,
        record_type=comment.record_type,
        record_id=comment.record_id,
        mentions=added,
    )
    return comment


def void_comment(session: Session, actor: Actor, *, comment_id: int, reason: str) -> Comment:
    """Hide a comment's text from everybody; that it was there, who voided it and why stays to be seen."""
    comment = _locked(session, actor, comment_id)
    permissions.demand_void(actor, comment)
    reason = reason.strip()
    if not reason:
        raise InvalidForm([Problem("reason", _("Please give a reason."))])
    if len(reason) > rules.LONGEST_REASON or unprintable(reason):
        limit = rules.LONGEST_REASON
        raise InvalidForm([Problem("reason", _("A reason has at most {count} printable characters.", count=limit))])
    comment.voided_at, comment.voided_by, comment.void_reason = clock.now(), actor.person_id, reason
    session.flush()
    journal.audit(session, actor, permissions.COMMENT, comment.id, "voided", None, {"reason": reason})
    _tell(session, comment)
    events.publish(
        session,
        "comments.comment_voided",
        actor=actor,
        comment_id=comment.id,
        record_type=comment.record_type,
        record_id=comment.record_id,
    )
    return comment


# ------------------------------------------------------------------------------------------------- shared


def _submitted(session: Session, actor: Actor, record_type: str, record_id: int, submission: str) -> Comment | None:
    if not submission:
        return None
    if len(submission) > LONGEST_SUBMISSION or unprintable(submission):
        raise InvalidForm([Problem("submission", _("At most {count} characters fit here.", count=LONGEST_SUBMISSION))])
    known = session.scalars(
        select(Comment).where(Comment.author_id == actor.person_id, Comment.submission == submission)
    ).first()
    if known is not None and (known.record_type, known.record_id) != (record_type, record_id):
        raise Conflict(_("This submission was used for another record."), remedy=_("Choose a new one."))
    return known


def _answered(session: Session, record_type: str, record_id: int, reply_to: int | None) -> Comment | None:
    if reply_to is None:
        return None
    found = session.get(Comment, reply_to)
    if found is None or (found.record_type, found.record_id) != (record_type, record_id):
        raise InvalidForm([Problem("reply_to", _("There is no such comment here."))])
    if found.voided_at is not None:
        raise RuleViolation(_("This comment was voided; nobody can answer it any more."), code="voided")
    return found


def _mentions(
    session: Session, actor: Actor, text: str, record_type: str, record_id: int, *, send_copy: bool
) -> list[int]:
    """The persons the text mentions, all of whom may read the record when this returns."""
    wanted = rules.mentioned(text)
    people = {one.id: one for one in session.scalars(select(Employee).where(Employee.id.in_(wanted)))}
    gone = [one for one in wanted if one not in people or not people[one].is_active]
    if gone:
        names = listed(people[one].name if one in people else str(one) for one in gone)
        raise InvalidForm([Problem("text", _("{names} cannot be mentioned: not with the company.", names=names))])
    others = [one for one in wanted if one != actor.person_id]
    readers = CATALOG.readers(session, others, record_type, record_id)
    blind = [people[one] for one in others if one not in readers]
    if blind:
        if record_type != INSTANCE or not send_copy:
            raise MentionedCannotRead(blind, may_copy=record_type == INSTANCE)
        work_items.send_copies(session, actor, record_id, [person.id for person in blind], along_with="comment")
    return wanted


def _locked(session: Session, actor: Actor, comment_id: int) -> Comment:
    session.execute(select(Comment.id).where(Comment.id == comment_id).with_for_update()).first()
    comment = session.get(Comment, comment_id, populate_existing=True)
    if comment is None or not CATALOG.may_read(session, actor, comment.record_type, comment.record_id):
        raise NotFound
    return comment


def _tell(session: Session, comment: Comment) -> None:
    """Open pages that show the record load the talk again."""
    kind = CATALOG.record_kind(comment.record_type)
    said = select(Comment.author_id).where(
        Comment.record_type == comment.record_type, Comment.record_id == comment.record_id
    )
    readers = set(session.scalars(said.distinct())) | set(comment.mentions)
    if kind is not None:
        readers |= set(kind.audience(session, comment.record_id))
    live.push(session, readers, PUSH, {"record_type": comment.record_type, "record_id": comment.record_id})
