"""Telling people, their reading of it, and the roads they choose."""

from processes.notices.operations.choosing import preferences, set_preferences
from processes.notices.operations.digests import due_people, send_digest, sweep
from processes.notices.operations.reading import mark_all_read, mark_read, unread_count
from processes.notices.operations.telling import PUSH, notify

__all__ = [
    "PUSH",
    "due_people",
    "mark_all_read",
    "mark_read",
    "notify",
    "preferences",
    "send_digest",
    "set_preferences",
    "sweep",
    "unread_count",
]
