"""What mail servers tell of a mail of ours: not delivered, delayed, delivered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from flufl.bounce import all_failures

from connectors.mail import decoding, marks
from connectors.mail.marks import Mark

LONGEST_DIAGNOSTIC = 500

_BARE = re.compile(r"[^\s<>;,\"]+@[^\s<>;,\"]+")
_OUR_ID = ("Message-ID", "X-Original-Message-ID")


class Action(StrEnum):
    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    """handed to a server that sends no reports: no more will be heard"""
    EXPANDED = "expanded"
    """given to the members of a list"""


@dataclass(frozen=True)
class Fate:
    """What became of a mail for one recipient.

    status: RFC 3463, "5.1.1"; "" when the report does not say.
    """

    recipient: str
    action: Action
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True)
class Report:
    """mark: ours, from the ENVID or else from the Message-ID it quotes; None when it quotes neither."""

    fates: tuple[Fate, ...]
    mark: Mark | None


def read(message: Message, raw: bytes) -> Report | None:
    """The report a mail carries; None for any other mail.

    The standard form first; bounces of mail systems that know none are left to flufl.bounce, and only if the mail comes
    from such a system: a customer may quote a bounce.
    """
    fates, envelope_id = _standard(message)
    if not fates and _from_a_system(message):
        temporary, permanent = all_failures(message)
        fates = [Fate(address.decode("utf-8", "replace"), Action.FAILED) for address in sorted(permanent)]
        fates += [Fate(address.decode("utf-8", "replace"), Action.DELAYED) for address in sorted(temporary)]
    if not fates:
        return None
    quoted = marks.find(_quoted_id(message)) or marks.find(raw.decode("ascii", "replace"))
    return Report(tuple(fates), marks.find(envelope_id) or quoted)


def _standard(message: Message) -> tuple[list[Fate], str]:
    """Per-recipient fields of message/delivery-status, and the ENVID."""
    fates, envelope_id = [], ""
    for part in message.walk():
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        for block in _blocks(part):
            envelope_id = decoding.header(block, "Original-Envelope-Id") or envelope_id
            fate = _fate(block)
            if fate is not None:
                fates.append(fate)
    return fates, envelope_id


def _blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _fate(block: Message) -> Fate | None:
    """The original recipient is who we wrote to; the final one may be behind a forwarding we know nothing of."""
    recipients = (_BARE.search(decoding.header(block, name)) for name in ("Original-Recipient", "Final-Recipient"))
    found = next((one[0] for one in recipients if one), "")
    action = decoding.header(block, "Action").split(" ")[0].lower()
    if not found or action not in set(Action):
        return None
    status = re.match(r"[245]\.\d{1,3}\.\d{1,3}", decoding.header(block, "Status"))
    diagnostic = decoding.header(block, "Diagnostic-Code").partition(";")[2].strip()
    return Fate(found, Action(action), status[0] if status else "", diagnostic[:LONGEST_DIAGNOSTIC])


def _quoted_id(message: Message) -> str:
    """The Message-ID of the mail the report is about."""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "text/rfc822-headers":
            found = re.search(rb"(?im)^Message-ID:\s*(<[^>]+>)", part.get_payload(decode=True) or b"")  # type: ignore[arg-type]
            if found:
                return found[1].decode("ascii", "replace")
        if kind in ("message/rfc822", "message/global"):
            for inner in _blocks(part):
                for name in _OUR_ID:
                    if text := decoding.header(inner, name):
                        return text
    return ""


def _from_a_system(message: Message) -> bool:
    sender = decoding.header(message, "From").lower()
    null_sender = "".join(decoding.header(message, "Return-Path").split()) == "<>"
    return null_sender or any(name in sender for name in ("mailer-daemon", "postmaster", "mail delivery"))
