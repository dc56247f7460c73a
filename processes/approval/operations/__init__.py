"""Reminding, urging and escalating: what a diagram draws, what happens by itself, what people do by hand."""

from processes.approval.operations.overdue import escalate_overdue, remind_overdue
from processes.approval.operations.reminders import due_for_reminder, enrol, on_due_of_house, remind
from processes.approval.operations.urging import Urged, urge, urge_instance, urge_right

__all__ = [
    "Urged",
    "due_for_reminder",
    "enrol",
    "escalate_overdue",
    "on_due_of_house",
    "remind",
    "remind_overdue",
    "urge",
    "urge_instance",
    "urge_right",
]
