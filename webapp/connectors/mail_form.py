"""The form of a mail, begun or in answer: what of it is read, and the files that go with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine import attachments, work_items
from engine.actor import Actor
from engine.models import Attachment

_BETWEEN = re.compile(r"[,;，；、\r\n]+")
_IN_BRACKETS = re.compile(r"<([^<>]*)>\s*$")


def read(session: Session, actor: Actor, given: MultiDict[str, str]) -> dict[str, Any]:
    """What send_mail and answer_mail take of it."""
    return {
        "to": addresses(given.get("to", "")),
        "cc": addresses(given.get("cc", "")),
        "subject": given.get("subject", ""),
        "text": given.get("text", "").replace("\r\n", "\n"),
        "attachments": [work_items.readable_file(session, actor, one) for one in given.getlist("file", type=int)],
    }


def addresses(typed: str) -> list[str]:
    """Bare addresses, each once: with commas, semicolons, blanks or new lines between, with a name in front or not."""
    found: dict[str, str] = {}
    for part in _BETWEEN.split(typed):
        named = _IN_BRACKETS.search(part)
        for one in (named[1].strip(),) if named else part.split():
            found.setdefault(one.casefold(), one)
    return [one for one in found.values() if one]


def files(session: Session, actor: Actor) -> Sequence[Attachment]:
    """Those already loaded up, when a form comes back."""
    return attachments.loose(session, actor, request.form.getlist("file", type=int))
