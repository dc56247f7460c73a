"""Giving tasks, moving them, handing them over, and warning when they are late."""

from processes.tasks.operations.giving import create_task
from processes.tasks.operations.moving import move, reassign, reassign_all
from processes.tasks.operations.reading import VIEWS, View, moves, of_record, open_count, tasks, watchers
from processes.tasks.operations.warning import due_warnings, warn

__all__ = [
    "VIEWS",
    "View",
    "create_task",
    "due_warnings",
    "move",
    "moves",
    "of_record",
    "open_count",
    "reassign",
    "reassign_all",
    "tasks",
    "warn",
    "watchers",
]
