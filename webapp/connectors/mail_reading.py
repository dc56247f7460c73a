"""Mails that came in, as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.mail import html, quoting, reading
from engine import attachments, health
from engine.actor import Actor
from engine.i18n import Sentence, _
from engine.models import Attachment, OutboxMessage
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import receiving_mail
from processes.messaging.permissions import READ_ALL, RECEIVED_MAIL, addresses_open, may_read_received, received_by
from processes.messaging.rules import masked, reason_of
from webapp.connectors.queues import STATES, TONES
from webapp.connectors.sent import LONGEST_SEARCH, PAGE_SIZE, Message, message

ANSWERS = "answer"
"""The kind people choose for letters that answer something; the rest of KINDS are kinds of the table."""

KINDS: dict[str, Sentence] = {
    ANSWERS: _("Answers"),
    "letter": _("New letters"),
    "report": _("Not delivered"),
    "automatic": _("Automatic"),
    "calendar": _("Invitations answered"),
}
_CHIPS: dict[str, tuple[Sentence, str, str]] = {
    ANSWERS: (_("Answer"), "green", "arrow-back-up"),
    "letter": (_("New letter"), "blue", "mail"),
    "report": (_("Delivery report"), "amber", "alert-triangle"),
    "automatic": (_("Automatic"), "grey", "settings"),
    "calendar": (_("Invitation answered"), "green", "calendar-event"),
}


@dataclass(frozen=True)
class Wanted:
    text: str = ""
    kind: str = ""

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.kind)

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Wanted:
        kind = args.get("kind", "")
        return cls(args.get("q", "").strip()[:LONGEST_SEARCH], kind if kind in KINDS else "")

    def arguments(self, **changes: str) -> dict[str, str]:
        pairs = {"q": self.text, "kind": self.kind} | changes
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True)
class Mail:
    """One mail as a page shows it."""

    id: int
    kind: str
    sender: str
    """name, or address where there is none"""
    address: str
    recipients: str
    subject: str
    words: str
    """what is new in it"""
    text: str
    has_html: bool
    received_at: datetime
    sent_at: datetime | None
    answers: int | None
    """our mail"""
    instance_id: int | None
    other_sender: bool
    """it answers us from another address than we wrote to"""
    whole: bool
    raw_id: int | None
    can_be_answered: bool
    answered_by: tuple[int, ...]
    """ids of our mails in answer"""
    refused_files: tuple[str, ...]
    stuck: str
    """why nobody could be told; "" when all is well"""
    record: tuple[str, int] | None = None
    """what it is kept with"""
    files: tuple[Attachment, ...] = ()

    @property
    def chip(self) -> tuple[Sentence, str, str]:
        return _CHIPS.get(self.kind, _CHIPS["letter"])


def mails(
    session: Session, actor: Actor, wanted: Wanted, *, before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[Mail], bool]:
    """A page of what this person may see, newest first, and whether there is more."""
    query = select(ReceivedMail).where(received_by(actor))
    if wanted.kind:
        query = query.where(ReceivedMail.kind == ("letter" if wanted.kind == ANSWERS else wanted.kind))
    if wanted.kind == ANSWERS:
        query = query.where(ReceivedMail.outbox_id.is_not(None))
    if wanted.kind == "letter":
        query = query.where(ReceivedMail.outbox_id.is_(None))
    if wanted.text:
        columns = [ReceivedMail.subject, ReceivedMail.text, ReceivedMail.sender_name]
        if actor.may(READ_ALL):
            columns.append(ReceivedMail.sender)
        query = query.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
    if before is not None:
        query = query.where(ReceivedMail.id < before)
    rows = list(session.scalars(query.order_by(ReceivedMail.id.desc()).limit(size + 1)))
    return _shown(session, actor, rows[:size]), len(rows) > size


def of_instance(session: Session, actor: Actor, instance_id: int) -> list[Mail]:
    """What has come in answer to one process, oldest first; the caller has asked whether the actor may read it."""
    rows = session.scalars(
        select(ReceivedMail).where(ReceivedMail.instance_id == instance_id).order_by(ReceivedMail.id)
    )
    return _shown(session, actor, list(rows))


def one(session: Session, actor: Actor, mail_id: int) -> Mail | None:
    row = session.get(ReceivedMail, mail_id)
    if row is None or not may_read_received(session, actor, mail_id):
        return None
    return _shown(session, actor, [row])[0]


def answers_to(session: Session, actor: Actor, mail: Mail) -> list[Message]:
    """What has been written in answer to a mail the actor may read, oldest first, without the conversation below."""
    if not mail.answered_by:
        return []
    rows = select(OutboxMessage).where(OutboxMessage.id.in_(mail.answered_by)).order_by(OutboxMessage.id)
    shown = [message(row, actor) for row in session.scalars(rows)]
    return [replace(one, text=quoting.new_words(one.text)) for one in shown]


def page_of(session: Session, actor: Actor, mail_id: int) -> str | None:
    """Its HTML, safe to be shown in a frame of its own; None where there is none to see."""
    row = session.get(ReceivedMail, mail_id)
    if row is None or row.raw_id is None or not may_read_received(session, actor, mail_id):
        return None
    mail = reading.read(receiving_mail.raw_of(session, row))
    return html.clean(mail.html, mail.pictures) or None


def _shown(session: Session, actor: Actor, rows: Sequence[ReceivedMail]) -> list[Mail]:
    whole = addresses_open(session, actor, rows)
    files = attachments.of_records(session, RECEIVED_MAIL, [row.id for row in rows])
    return [_mail(row, files.get(row.id, []), open_=row.id in whole) for row in rows]


def _mail(row: ReceivedMail, files: Iterable[Attachment], *, open_: bool) -> Mail:
    """open_: this reader sees the addresses whole."""
    address = row.sender if open_ else masked(row.sender)
    return Mail(
        row.id,
        ANSWERS if row.kind == "letter" and row.outbox_id is not None else row.kind,
        row.sender_name or address,
        address,
        ", ".join(row.recipients if open_ else map(masked, row.recipients)),
        row.subject,
        quoting.new_words(row.text),
        row.text,
        row.has_html,
        row.received_at,
        row.sent_at,
        row.outbox_id,
        row.instance_id,
        other_sender=row.kind == "letter" and row.outbox_id is not None and not row.from_recipient,
        whole=row.whole,
        raw_id=row.raw_id,
        can_be_answered=row.can_be_answered,
        answered_by=tuple(row.answered_by),
        refused_files=tuple(row.refused_files),
        record=(row.record_type, row.record_id) if row.record_type and row.record_id else None,
        stuck=row.last_error if row.state != "sorted" else "",
        files=tuple(file for file in files if file.id != row.raw_id),
    )


# ------------------------------------------------------------------------------------------------- mailboxes


@dataclass(frozen=True)
class Box:
    state: str
    word: Sentence
    reason: Sentence | str

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "grey")


def boxes(session: Session) -> Iterable[Box]:
    """How the mailboxes are, as their listeners say."""
    for name, seen in health.seen(session).items():
        if name.partition("-")[0] == "mailbox":
            reason = _("a simulator: nothing comes in") if seen.reason == "simulated" else reason_of(seen.reason)
            yield Box(seen.state, STATES.get(seen.state, _("Not known here")), reason)
