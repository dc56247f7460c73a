"""A received mail, from its bytes to what people and programs read of it. No I/O, and it never fails."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime

from connectors.mail import decoding, html, marks, reports
from connectors.mail.marks import Mark
from connectors.mail.reports import Report

logger = logging.getLogger(__name__)

MOST_REFERENCES = 50
MOST_FILES = 100
LARGEST_PICTURE = 512 * 1024
"""Of those shown inside the text; larger ones are files."""

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(?:自动回复|自动答复|自動回覆|外出|休假自动|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office)"
    r"\s*(?:[:：\-—(（\[【]|$)",
    re.IGNORECASE,
)
"""What answering machines write that say so nowhere else, QQ Mail's for one."""


@dataclass(frozen=True)
class Mailbox:
    address: str
    name: str = ""


@dataclass(frozen=True)
class InFile:
    """An attachment. cid: the Content-ID of a picture shown inside the text."""

    name: str
    content: bytes = field(repr=False)
    media_type: str = "application/octet-stream"
    cid: str = ""


@dataclass(frozen=True)
class InMail:
    """One mail as it came in.

    message_id, in_reply_to, references: with their angle brackets. at: what the sender's clock said.
    automatic: why no person may have written it, a word of `why_automatic`; "" for a letter. Nothing may answer one.
    calendar: the iCalendar text of an invitation or of an answer to one.
    """

    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sender: Mailbox = Mailbox("")
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    subject: str = ""
    at: datetime | None = None
    text: str = ""
    html: str = field(default="", repr=False)
    files: tuple[InFile, ...] = ()
    automatic: str = ""
    report: Report | None = None
    calendar: str = ""

    @property
    def marks(self) -> Iterator[Mark]:
        """Ours, the surest first: of the mail answered, of those before it, of the subject."""
        for text in (*self.in_reply_to, *reversed(self.references)):
            if mark := marks.find(text):
                yield mark
        if mark := marks.find_in_subject(self.subject):
            yield mark

    @property
    def pictures(self) -> dict[str, str]:
        """Content-ID -> data URI, for `html.clean`."""
        return {
            one.cid: f"data:{one.media_type};base64,{base64.b64encode(one.content).decode('ascii')}"
            for one in self.files
            if one.cid and one.media_type.startswith("image/") and len(one.content) <= LARGEST_PICTURE
        }


UNREADABLE = InMail(automatic="unreadable")
"""All that is known of a mail of which the bytes alone are kept."""


def read(raw: bytes) -> InMail:
    """What these bytes say. What cannot be read is left out: the bytes themselves are kept, nothing is lost."""
    try:
        message = message_from_bytes(raw, policy=compat32)
        return _read(message, raw)
    except Exception:  # whatever strangers send must not stop the mailbox
        logger.exception("mail.unreadable", extra={"octets": len(raw), "sha256": hashlib.sha256(raw).hexdigest()})
        return _head_alone(raw)


def fingerprint(raw: bytes, message_id: str) -> str:
    """The same for the same mail wherever it lies and however often it came: its Message-ID and its body.

    Headers before the body grow on the way; two mails under one Message-ID with other words are two mails.
    """
    body = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1] if message_id else raw
    normal = body.replace(b"\r\n", b"\n").rstrip(b"\n")
    return hashlib.sha256(message_id.encode("utf-8", "replace") + b"\n" + normal).hexdigest()


def why_automatic(message: Message, subject: str) -> str:
    """Why no person wrote it: report | null_sender | auto_submitted | bulk | auto_reply | system; "" for a letter."""
    submitted = decoding.header(message, "Auto-Submitted").split(";")[0].strip().lower()
    precedence = decoding.header(message, "Precedence").lower()
    sender = decoding.header(message, "From").lower()
    if message.get_content_type() == "multipart/report":
        return "report"
    if "".join(decoding.header(message, "Return-Path").split()) == "<>":
        return "null_sender"
    if submitted not in ("", "no"):
        return "auto_submitted"
    if precedence in ("bulk", "junk", "list") or any(name in message for name in ("List-Id", "List-Unsubscribe")):
        return "bulk"
    if precedence == "auto_reply" or any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")):
        return "auto_reply"
    if _AUTOMATIC_SUBJECT.match(subject):
        return "auto_reply"
    if any(name in sender for name in ("mailer-daemon@", "postmaster@")):
        return "system"
    return ""


# ------------------------------------------------------------------------------------------------- parts


@dataclass
class _Body:
    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    calendars: list[str] = field(default_factory=list)
    files: list[InFile] = field(default_factory=list)


def _read(message: Message, raw: bytes) -> InMail:
    body = _Body()
    _gather(message, body)
    whole_html = "\n".join(body.htmls)
    text = "\n".join(body.texts).replace("\r\n", "\n").strip() or html.to_text(whole_html)
    head = _head(message)
    return replace(
        head,
        text=text.replace("\0", ""),
        html=whole_html.replace("\0", ""),
        files=tuple(body.files[:MOST_FILES]),
        automatic=why_automatic(message, head.subject),
        report=reports.read(message, raw),
        calendar=next(iter(body.calendars), ""),
    )


def _head_alone(raw: bytes) -> InMail:
    """Of a mail that cannot be read: who wrote, and about what, as far as even that can be read."""
    try:
        head = _head(BytesHeaderParser(policy=compat32).parsebytes(raw))
    except Exception:  # as above: the bytes are kept
        logger.exception("mail.head_unreadable")
        return UNREADABLE
    return replace(head, automatic=UNREADABLE.automatic)


def _head(message: Message) -> InMail:
    senders = _mailboxes(message, "From") or _mailboxes(message, "Sender")
    return InMail(
        message_id=next(iter(_ids(message, "Message-ID")), ""),
        in_reply_to=_ids(message, "In-Reply-To"),
        references=_ids(message, "References")[-MOST_REFERENCES:],
        sender=senders[0] if senders else Mailbox(""),
        reply_to=_mailboxes(message, "Reply-To"),
        to=_mailboxes(message, "To"),
        cc=_mailboxes(message, "Cc"),
        subject=decoding.header(message, "Subject"),
        at=_instant(decoding.header(message, "Date")),
    )


def _gather(part: Message, body: _Body) -> None:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        _gather_letter(part, body)
    elif kind == "multipart/alternative":
        _gather_alternatives(part, body)
    elif part.is_multipart() and not kind.startswith("message/"):
        for inner in _parts(part):
            _gather(inner, body)
    else:
        _gather_leaf(part, kind, body)


def _gather_alternatives(part: Message, body: _Body) -> None:
    """The same said several times: one text and one HTML of it are enough."""
    before = len(body.texts), len(body.htmls)
    for inner in _parts(part):
        _gather(inner, body)
    del body.texts[before[0] + 1 :]
    del body.htmls[before[1] + 1 :]


def _gather_leaf(part: Message, kind: str, body: _Body) -> None:
    name = decoding.file_name(part)
    content = _content(part)
    as_file = part.get_content_disposition() == "attachment" or bool(name)
    if kind in ("text/calendar", "application/ics"):
        body.calendars.append(decoding.text_of(content, part.get_content_charset() or "utf-8"))
        if not as_file:
            return
    elif not as_file and kind in ("text/plain", "text/html"):
        text = decoding.text_of(content, part.get_content_charset())
        (body.htmls if kind == "text/html" else body.texts).append(text)
        return
    elif kind.startswith(("message/delivery-status", "message/disposition", "text/rfc822-headers")) and not name:
        return  # the machine's half of a report
    if content:
        cid = decoding.header(part, "Content-ID").strip("<> ")
        body.files.append(InFile(name or _name_for(kind, len(body.files) + 1), content, kind, cid))


def _gather_letter(part: Message, body: _Body) -> None:
    """A mail within the mail, as a file."""
    for inner in _parts(part):
        name = decoding.header(inner, "Subject") or "mail"
        try:
            content = inner.as_bytes()
        except (UnicodeError, ValueError, LookupError):
            content = str(inner).encode("utf-8", "replace")
        body.files.append(InFile(f"{name[:80].replace('/', '_')}.eml", content, "message/rfc822"))


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        return content
    return b"".join(inner.as_bytes() for inner in _parts(part))


def _parts(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _name_for(kind: str, number: int) -> str:
    ending = {"image/jpeg": "jpg", "text/plain": "txt", "text/calendar": "ics"}.get(kind, kind.rpartition("/")[2])
    return f"{number}.{re.sub(r'[^a-z0-9]', '', ending)[:10] or 'bin'}"


# ------------------------------------------------------------------------------------------------- headers


def _ids(message: Message, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(decoding.header(message, name))))


def _mailboxes(message: Message, name: str) -> tuple[Mailbox, ...]:
    """Parsed while names are still encoded: they may hold commas."""
    found = getaddresses(decoding.raw_headers(message, name))
    return tuple(Mailbox(decoding.words(address), decoding.words(shown)) for shown, address in found if "@" in address)


def _instant(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
