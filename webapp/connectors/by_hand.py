"""What the pages have in common on which people write: SMS, mails, answers. A form sent twice is done once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, Forbidden, InvalidForm, NotFound, Problem
from engine.i18n import _
from processes.kernel.working_time import ZONE
from webapp.once import once
from webapp.registers.interface import endpoint_of

LONGEST_WISH = 40


@dataclass(frozen=True)
class Refused:
    problems: Mapping[str, str]
    """field -> why; "" for what concerns no field"""
    status: int


def new_wish() -> str:
    """What a form bears, so that it is known when it comes again."""
    return secrets.token_hex(12)


def wish_of(kind: str, given: Mapping[str, str]) -> str:
    """The key of the message a form asks for."""
    return f"{kind}:{given.get('wish', '')[:LONGEST_WISH] or new_wish()}"


def sent_once(actor: Actor, wish: str, work: Callable[[Session], dict[str, Any]]) -> Refused | None:
    """Do it, however often the form comes; why not, when its writer can mend it."""
    try:
        once(actor, wish, work)
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        Sessions().rollback()
        return Refused(_by_field(refusal), refusal.status)
    return None


def _by_field(refusal: AppError) -> dict[str, str]:
    """Problems of single addresses ("to.1") stand with their field."""
    if not isinstance(refusal, InvalidForm):
        return {"": str(refusal)}
    found: dict[str, str] = {}
    for field, text in refusal.by_field().items():
        name = field.partition(".")[0]
        found[name] = f"{found[name]} {text}" if name in found else str(text)
    return found


def moment(text: str) -> datetime | None:
    """A day and time as the browser sends them; None for at once."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=ZONE)
    except ValueError:
        raise InvalidForm([Problem("send_at", _("Please choose a day and a time."))]) from None


def page_of(record_type: str, record_id: int) -> str:
    """The page of a record that has one."""
    return url_for(f"{endpoint_of(record_type)}.show", pk=record_id) if record_type in CATALOG.registers else ""


def titled(session: Session, actor: Actor, record: tuple[str, int] | None) -> str:
    """What a record the actor may read is called; "" of any other."""
    kind = CATALOG.record_kind(record[0]) if record is not None else None
    if record is None or kind is None or not CATALOG.may_read(session, actor, *record):
        return ""
    return kind.title(session, record[1])


def number(text: str) -> int:
    """An id as it is typed into an address; 0, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0
