"""What a message written by hand is about: the record its writer names, else whoever it goes to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Problem
from engine.i18n import _
from processes.kernel.known_numbers import Known
from processes.messaging.permissions import EMPLOYEE

Record = tuple[str, int]


def faults(session: Session, actor: Actor, record: Record | None) -> list[Problem]:
    """A record the writer may not read is as if not there: nothing is laid to it."""
    if record is None or CATALOG.may_read(session, actor, *record):
        return []
    return [Problem("record", _("There is no such record among those you may read."))]


def of(people: Iterable[Known]) -> Record | None:
    """The first customer or contact among them. A colleague's own page lists no messages, and one laid to him would
    count as written to him by the house: its address would be hidden from the writer.
    """
    return next(((one.record_type, one.record_id) for one in people if one.record_type != EMPLOYEE), None)
