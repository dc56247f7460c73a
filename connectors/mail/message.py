"""Building a mail: Chinese subject and names, text with HTML, attachments, nothing smuggled in. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from connectors.mail import marks
from connectors.mail.transport import OutMail
from connectors.outcome import BadMessage

POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
"""Bodies as 7-bit text, so that any relay may carry them."""

LONGEST_THREAD = 20

_METHOD = re.compile(r"^METHOD:([A-Z]+)\r?$", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u0085\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_NAMED = re.compile(r'(?P<name>"[^"]*"|[^"<>]*)\s*<(?P<bare>[^<>]+)>')
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")


def build(m: OutMail, sender: str) -> EmailMessage:
    """The message as it is sent. `sender`: the road's own address, used when the mail names none.

    Bcc recipients are not in it. Raises BadMessage for line breaks in headers and addresses that cannot be mailed.
    """
    author = parse_address(m.sender or sender, "From")
    message = EmailMessage(policy=POLICY)
    message["From"] = author
    message["To"] = _addresses(m.to, "To")
    if m.cc:
        message["Cc"] = _addresses(m.cc, "Cc")
    if m.reply_to:
        message["Reply-To"] = parse_address(m.reply_to, "Reply-To")
    message["Subject"] = _one_line(_subject(m), "Subject")
    message["Date"] = format_datetime(m.at)
    message["Message-ID"] = message_id(m.id, author.domain, m.number)
    if m.in_reply_to:
        message["In-Reply-To"] = _reference(m.in_reply_to)
    if thread := _thread(m):
        message["References"] = " ".join(_reference(reference) for reference in thread)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_whole(m.text, "text"))
    if m.html:
        message.add_alternative(_whole(m.html, "html"), subtype="html")
    if m.calendar:
        _add_calendar(message, _whole(m.calendar, "calendar"))
    for attachment in m.attachments:
        kind, _slash, subkind = _one_line(attachment.media_type, "Content-Type").partition("/")
        if not subkind:
            raise BadMessage(f"{attachment.media_type!r} is no media type.", code="bad_attachment")
        filename = _one_line(attachment.filename, "filename")
        message.add_attachment(attachment.content, maintype=kind, subtype=subkind, filename=filename)
    return message


def to_bytes(message: EmailMessage) -> bytes:
    """With CRLF line ends, as it goes over the wire (without dot stuffing)."""
    return message.as_bytes(policy=POLICY)


def message_id(key: str, domain: str, number: int = 0) -> str:
    """The same for the same mail, whichever attempt it is."""
    return f"<{marks.of_mail(key, number)}@{domain}>"


def _subject(m: OutMail) -> str:
    tag = marks.for_subject(m.id, m.number) if m.tagged and m.number else ""
    return f"{m.subject} {tag}" if tag and tag not in m.subject else m.subject


def _thread(m: OutMail) -> tuple[str, ...]:
    """The references of the mail answered and then itself; of long threads the first and the newest."""
    whole = tuple(dict.fromkeys((*m.references, *((m.in_reply_to,) if m.in_reply_to else ()))))
    return whole if len(whole) <= LONGEST_THREAD else (whole[0], *whole[1 - LONGEST_THREAD :])


def _add_calendar(message: EmailMessage, calendar: str) -> None:
    """As another way of saying the same: mail programs that know invitations show buttons, the others the text."""
    method = _METHOD.search(calendar)
    if method is None:
        raise BadMessage("An invitation needs its METHOD.", code="bad_calendar")
    message.add_alternative(calendar, subtype="calendar", params={"method": method[1]})


def parse_address(text: str, field: str) -> Address:
    """Of "name@host" or "显示名 <name@host>", one only. Raises BadMessage, which names the field, not its content."""
    named = _NAMED.fullmatch(_one_line(text, field).strip())
    name, bare = (named["name"].strip().strip('"'), named["bare"]) if named else ("", text.strip())
    if not _ADDRESS.fullmatch(bare) or ".." in bare:
        raise BadMessage(f"{field}: not a mail address we can send to.", code="bad_address")
    try:
        return Address(display_name=name, addr_spec=bare)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise BadMessage(f"{field}: not a mail address we can send to.", code="bad_address") from error


def recipients(m: OutMail) -> tuple[str, ...]:
    """Bare addresses of all who still wait for this mail, each once."""
    fields = (("To", m.to), ("Cc", m.cc), ("Bcc", m.bcc))
    bare = (parse_address(text, field).addr_spec for field, texts in fields for text in texts)
    waiting = tuple(address for address in dict.fromkeys(bare) if address not in m.settled)
    if not waiting:
        raise BadMessage("The mail has no recipient.", code="no_recipient")
    return waiting


def _addresses(texts: Iterable[str], field: str) -> list[Address]:
    return [parse_address(text, field) for text in texts]


def is_reference(text: str) -> bool:
    """Whether this Message-ID may stand in a header of ours; strangers make some that may not."""
    return _MESSAGE_ID.fullmatch(text) is not None


def _reference(text: str) -> str:
    if not is_reference(text):
        raise BadMessage("A reference must be one message id in angle brackets.", code="bad_header")
    return text


def _one_line(text: str, field: str) -> str:
    if _CONTROL.search(text):
        raise BadMessage(f"{field}: line breaks and control characters are not allowed.", code="bad_header")
    return _whole(text, field)


def _whole(text: str, field: str) -> str:
    if _SURROGATE.search(text):
        raise BadMessage(f"{field}: holds half of a character (a lone surrogate).", code="bad_text")
    return text
