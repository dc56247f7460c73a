"""The talk about a record: read, added to, mended, voided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.comments import operations, rules
from processes.comments.operations import Shown
from webapp.api.answers import File, Person, file_of
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, Version, endpoint

TAG = "comments"

RecordType = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Text = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=rules.LONGEST, description="“@[17]” in it mentions person 17, who is told of it."
    ),
]


class CommentsQuery(Query):
    before: Id | None = None
    """only comments older than this one"""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class RecordQuery(CommentsQuery, kw_only=True):
    record_type: RecordType
    record_id: Id


class CommentAnswer(Answer):
    id: int
    record_type: str
    record_id: int
    author: Person
    text: str
    """with marks like "@[17]"; "" when voided"""
    plain: str
    """the same with names in place of the marks"""
    mentions: list[Person]
    reply_to: int | None
    files: list[File]
    created_at: datetime
    edited_at: datetime | None
    revision: int
    """send it back with a change"""
    voided_at: datetime | None
    voided_by: Person | None
    void_reason: str
    may_edit: bool
    may_void: bool


class Talk(Answer):
    """Comments, oldest first; the newest of them unless `before` was given."""

    items: list[CommentAnswer]
    has_more: bool
    """there are older ones"""


class InstanceComment(Body):
    text: Text
    reply_to: Id | None = None
    attachments: Annotated[list[Id], msgspec.Meta(max_length=20)] = []
    """files of yours that hang nowhere yet"""
    send_copy: bool = False
    """send whoever is mentioned and may not read the process a copy of it"""


class NewComment(InstanceComment, kw_only=True):
    record_type: RecordType
    record_id: Id


class CommentChange(Body):
    text: Text
    revision: Version
    send_copy: bool = False


class VoidRequest(Body):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=rules.LONGEST_REASON)]


@endpoint("GET", "/comments", tag=TAG)
def list_comments(call: Call, query: RecordQuery) -> Talk:
    """What was said about a record you may read."""
    return _talk(call, query.record_type, query.record_id, query)


@endpoint("GET", "/process-instances/{instance_id}/comments", tag=TAG)
def list_of_instance(call: Call, instance_id: Id, query: CommentsQuery) -> Talk:
    """What was said about a process instance."""
    return _talk(call, INSTANCE, instance_id, query)


@endpoint("POST", "/comments", tag=TAG, status=201, refusals=(422,))
def add(call: Call, body: NewComment) -> CommentAnswer:
    """Say something about a record you may read.

    Mentioning somebody who may not read a process is refused as `mentioned_cannot_read`, unless `send_copy` is true.
    """
    return _add(call, body.record_type, body.record_id, body)


@endpoint("POST", "/process-instances/{instance_id}/comments", tag=TAG, status=201, refusals=(422,))
def add_to_instance(call: Call, instance_id: Id, body: InstanceComment) -> CommentAnswer:
    """Say something about a process instance you may read."""
    return _add(call, INSTANCE, instance_id, body)


@endpoint("GET", "/comments/{comment_id}", tag=TAG)
def get_comment(call: Call, comment_id: Id) -> CommentAnswer:
    """One comment."""
    return _answer(operations.one(call.session, call.actor, comment_id))


@endpoint("PATCH", "/comments/{comment_id}", tag=TAG, refusals=(409, 422))
def change(call: Call, comment_id: Id, body: CommentChange) -> CommentAnswer:
    """Mend your own comment within a day; earlier versions are kept."""
    operations.edit_comment(
        call.session,
        call.actor,
        comment_id=comment_id,
        revision=body.revision,
        text=body.text,
        send_copy=body.send_copy,
    )
    return _answer(operations.one(call.session, call.actor, comment_id))


@endpoint("POST", "/comments/{comment_id}/actions/void", tag=TAG, refusals=(422,))
def void(call: Call, comment_id: Id, body: VoidRequest) -> CommentAnswer:
    """Hide your own comment's text, as a moderator anybody's; that it was there and why it went stays."""
    operations.void_comment(call.session, call.actor, comment_id=comment_id, reason=body.reason)
    return _answer(operations.one(call.session, call.actor, comment_id))


def _add(call: Call, record_type: str, record_id: int, body: InstanceComment) -> CommentAnswer:
    comment = operations.add_comment(
        call.session,
        call.actor,
        record_type=record_type,
        record_id=record_id,
        text=body.text,
        reply_to=body.reply_to,
        attachments=body.attachments,
        send_copy=body.send_copy,
    )
    call.headers["Location"] = f"{PREFIX}/comments/{comment.id}"
    return _answer(operations.one(call.session, call.actor, comment.id))


def _talk(call: Call, record_type: str, record_id: int, query: CommentsQuery) -> Talk:
    found, more = operations.of_record(
        call.session, call.actor, record_type, record_id, before=query.before, limit=query.page_size
    )
    return Talk(items=[_answer(one) for one in found], has_more=more)


def _answer(shown: Shown) -> CommentAnswer:
    comment = shown.comment
    voided = comment.voided_at is not None

    def person(person_id: int) -> Person:
        return Person(id=person_id, name=shown.names.get(person_id, ""))

    return CommentAnswer(
        id=comment.id,
        record_type=comment.record_type,
        record_id=comment.record_id,
        author=Person(id=comment.author_id, name=comment.author_name),
        text=shown.text,
        plain=shown.plain,
        mentions=[] if voided else [person(one) for one in comment.mentions],
        reply_to=comment.reply_to,
        files=[file_of(one) for one in shown.files],
        created_at=comment.created_at,
        edited_at=comment.edited_at,
        revision=comment.revision,
        voided_at=comment.voided_at,
        voided_by=person(comment.voided_by) if comment.voided_by is not None else None,
        void_reason=comment.void_reason,
        may_edit=shown.may_edit,
        may_void=shown.may_void,
    )
