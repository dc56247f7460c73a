"""Giving tasks, moving them, handing them over, and warning when they are late."""

from processes.tasks.operations.giving import create_task
from processes.tasks.operations.moving import (
    follow_record,
    may_hand_over,
    move,
    open_about,
    reassign,
    reassign_all,
    to_hand_over,
)
from processes.tasks.operations.reading import VIEWS, View, lying_with, moves, of_record, open_count, tasks, watchers
from processes.tasks.operations.warning import due_warnings, warn

__all__ = [
    "VIEWS",
    "View",
    "create_task",
    "due_warnings",
    "follow_record",
    "lying_with",
    "may_hand_over",
    "move",
    "moves",
    "of_record",
    "open_about",
    "open_count",
    "reassign",
    "reassign_all",
    "tasks",
    "to_hand_over",
    "warn",
    "watchers",
]
