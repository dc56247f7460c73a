"""What people do with their work items, and who may do what: every road asks here."""

from __future__ import annotations

from engine.work_items.actions import act, add_candidate, claim, open_items, release, send_copies, too_late
from engine.work_items.instances import decided, terminate, withdraw
from engine.work_items.reading import hidden_fields, readable_values
from engine.work_items.rights import Right, allowed_actions, instance_actions, may_read_instance

__all__ = [
    "Right",
    "act",
    "add_candidate",
    "allowed_actions",
    "claim",
    "decided",
    "hidden_fields",
    "instance_actions",
    "may_read_instance",
    "open_items",
    "readable_values",
    "release",
    "send_copies",
    "terminate",
    "too_late",
    "withdraw",
]
