"""Whose customers are: taken, given, given back, asked for; each change under its locks, with its trace."""

from processes.ownership.operations.holding import LOCKED, RELEASED
from processes.ownership.operations.house_rules import HOUSE, lay_down
from processes.ownership.operations.limits import change_limit, create_limit, remove_limit, usage
from processes.ownership.operations.locking import history, lock, release
from processes.ownership.operations.policies import change_policy, create_policy, place_new
from processes.ownership.operations.registries import (
    Mover,
    register_holdback,
    register_mover,
    report_deals,
)
from processes.ownership.operations.requests import apply_for, place_in_queue

__all__ = [
    "HOUSE",
    "LOCKED",
    "RELEASED",
    "Mover",
    "apply_for",
    "change_limit",
    "change_policy",
    "create_limit",
    "create_policy",
    "history",
    "lay_down",
    "lock",
    "place_in_queue",
    "place_new",
    "register_holdback",
    "register_mover",
    "release",
    "remove_limit",
    "report_deals",
    "usage",
]
