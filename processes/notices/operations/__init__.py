"""Telling people, their reading of it, and the roads they choose."""

from processes.notices.operations.choosing import preferences, set_preferences
from processes.notices.operations.digests import due_people, is_notice, send_digest, sweep
from processes.notices.operations.reading import mark_all_read, mark_read, told, unread, unread_count
from processes.notices.operations.sms_rules import (
    change_sms_rule,
    create_sms_rule,
    fire,
    listening,
    preview,
    remove_sms_rule,
    sms_rules,
)
from processes.notices.operations.telling import PUSH, notify

__all__ = [
    "PUSH",
    "change_sms_rule",
    "create_sms_rule",
    "due_people",
    "fire",
    "is_notice",
    "listening",
    "mark_all_read",
    "mark_read",
    "notify",
    "preferences",
    "preview",
    "remove_sms_rule",
    "send_digest",
    "set_preferences",
    "sms_rules",
    "sweep",
    "told",
    "unread",
    "unread_count",
]
