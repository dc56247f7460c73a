"""Where the page of a record is, known by its type and id."""

from __future__ import annotations

from typing import Any

from flask import url_for

from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.activity.permissions import RECORD
from processes.tasks.permissions import TASK
from processes.telephony.permissions import CALL
from webapp.registers.addresses import address_in_register

PAGES = {
    INSTANCE: ("instances.show", "instance_id"),
    TASK: ("tasks.show", "task_id"),
    CALL: ("calls.show", "call_id"),
    RECORD: ("follow.show", "record_id"),
}
"""record type -> endpoint of its page, and what its id is called there; registers know their own"""


def address(record_type: str | None, record_id: int | None) -> str:
    """Empty when there is no such page; whether the reader may open it is asked there."""
    if record_type is None or record_id is None:
        return ""
    if record_type in PAGES:
        endpoint, name = PAGES[record_type]
        place: dict[str, Any] = {name: record_id}
        return url_for(endpoint, **place)
    return address_in_register(record_type, record_id)
