"""The talk about a record, as a part of whatever page shows that record.

The page asks for it by `hx-get` on `comments.section` and loads `app/pages/comments.js`, which sends what is typed: the
part may stand inside the form of a decision, and a form within a form would send the decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import attachments, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.models import Attachment
from processes.comments import operations, rules
from webapp.security.access import current_actor, signed_in

pages = Blueprint("comments", __name__)

LONGEST_SUBMISSION = 60


@dataclass(frozen=True)
class Typed:
    """What was sent and refused; shown again, never lost."""

    text: str = ""
    picked: dict[int, str] = field(default_factory=dict)
    reply_to: int | None = None
    editing: int | None = None
    revision: int = 0
    files: tuple[Attachment, ...] = ()
    refusal: AppError | None = None

    @property
    def may_copy(self) -> bool:
        return isinstance(self.refusal, operations.MentionedCannotRead) and self.refusal.may_copy


@pages.get("/comments/<record_type>/<int:record_id>")
@signed_in
def section(record_type: str, record_id: int) -> str:
    return _section(current_actor(), record_type, record_id)


@pages.get("/comments/<record_type>/<int:record_id>/list")
@signed_in
def listing(record_type: str, record_id: int) -> str:
    """What was said, alone: fetched afresh when something was added, and further back when asked for."""
    return render_template(
        "collaboration/_talk.html", **_talk(Sessions(), current_actor(), record_type, record_id), said=_said
    )


def _section(actor: Actor, record_type: str, record_id: int, typed: Typed | None = None) -> str:
    return render_template(
        "collaboration/_comments.html",
        **_talk(Sessions(), actor, record_type, record_id),
        typed=typed or Typed(),
        said=_said,
        longest=rules.LONGEST,
    )


def _talk(session: Session, actor: Actor, record_type: str, record_id: int) -> dict[str, Any]:
    before = request.args.get("before", type=int)
    found, more = operations.of_record(session, actor, record_type, record_id, before=before)
    return {
        "comments": found,
        "older": found[0].comment.id if more else None,
        "count": operations.count(session, record_type, record_id),
        "record_type": record_type,
        "record_id": record_id,
    }


def _said(shown: operations.Shown) -> dict[str, Any]:
    """What the composer needs to mend a comment: its words with names, and whom the names mean."""
    people = {person: shown.names.get(person, str(person)) for person in shown.comment.mentions}
    return {"text": shown.plain, "people": people, "revision": shown.comment.revision}


# ------------------------------------------------------------------------------------------------- saying something


@pages.post("/comments/<record_type>/<int:record_id>")
@signed_in
def add(record_type: str, record_id: int) -> BaseResponse:
    """A new comment, or an old one mended: answered with the whole part."""
    actor = current_actor()
    typed = _typed(Sessions(), actor)
    Sessions().rollback()
    text = rules.marked(typed.text, list(typed.picked.items()))
    copies = request.form.get("send_copy") == "1"

    def change(session: Session) -> None:
        if typed.editing is not None:
            operations.edit_comment(
                session, actor, comment_id=typed.editing, revision=typed.revision, text=text, send_copy=copies
            )
            return
        operations.add_comment(
            session,
            actor,
            record_type=record_type,
            record_id=record_id,
            text=text,
            reply_to=typed.reply_to,
            attachments=[file.id for file in typed.files],
            send_copy=copies,
            submission=request.form.get("submission", "")[:LONGEST_SUBMISSION],
        )

    return _answer(actor, record_type, record_id, change, typed)


@pages.post("/comments/<int:comment_id>/void")
@signed_in
def void(comment_id: int) -> BaseResponse:
    actor = current_actor()
    comment = operations.one(Sessions(), actor, comment_id).comment
    record_type, record_id = comment.record_type, comment.record_id
    Sessions().rollback()
    reason = request.form.get("reason", "")
    return _answer(
        actor,
        record_type,
        record_id,
        lambda session: operations.void_comment(session, actor, comment_id=comment_id, reason=reason),
        Typed(),
    )


def _answer(actor: Actor, record_type: str, record_id: int, change: Any, typed: Typed) -> BaseResponse:
    try:
        runtime.perform(change)
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        again = replace(typed, refusal=refusal)
        return make_response(_section(actor, record_type, record_id, again), refusal.status)
    return make_response(_section(actor, record_type, record_id))


def _typed(session: Session, actor: Actor) -> Typed:
    """What the composer sent. The names stand for whom the author picked; who that is, the numbers say."""
    picked = [int(one) for one in request.form.getlist("person") if one.isdecimal() and len(one) < 19]
    names = CATALOG.directory.names(session, picked) if CATALOG.directory is not None and picked else {}
    sent = [int(one) for one in request.form.getlist("file") if one.isdecimal() and len(one) < 19]
    return Typed(
        text=request.form.get("text", "").replace("\r\n", "\n"),
        picked={person: names[person] for person in picked if person in names},
        reply_to=request.form.get("reply_to", type=int),
        editing=request.form.get("editing", type=int),
        revision=request.form.get("revision", 0, type=int),
        files=tuple(attachments.loose(session, actor, sent)),
    )
