"""What people do with their work items, and who may do what: every road asks here."""

from __future__ import annotations

from engine.work_items.actions import act, add_candidate, claim, open_items, release, send_copies
from engine.work_items.instances import terminate, withdraw
from engine.work_items.rights import Right, allowed_actions, instance_actions, may_read_instance

__all__ = [
    "Right",
    "act",
    "add_candidate",
    "allowed_actions",
    "claim",
    "instance_actions",
    "may_read_instance",
    "open_items",
    "release",
    "send_copies",
    "terminate",
    "withdraw",
]
