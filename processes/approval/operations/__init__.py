"""Reminding, urging and escalating; free-hand approvals; standing in for whoever is away."""

from processes.approval.operations.by_sms import answer_by_sms, sms_approvals_of_house
from processes.approval.operations.delegations import (
    accept_delegation,
    answer,
    cancel_delegation,
    decline_delegation,
    end,
    end_delegation,
    file_delegation,
    settle_delegation,
    start_delegation,
)
from processes.approval.operations.free_hand import check_request, send_copies
from processes.approval.operations.many import DEEDS, do_to_many, foresee_many
from processes.approval.operations.overdue import escalate_overdue, remind_overdue
from processes.approval.operations.proxies import proxies
from processes.approval.operations.reminders import due_for_reminder, enrol, on_due_of_house, remind
from processes.approval.operations.urging import Urged, urge, urge_instance, urge_right

__all__ = [
    "DEEDS",
    "Urged",
    "accept_delegation",
    "answer",
    "answer_by_sms",
    "cancel_delegation",
    "check_request",
    "decline_delegation",
    "do_to_many",
    "due_for_reminder",
    "end",
    "end_delegation",
    "enrol",
    "escalate_overdue",
    "file_delegation",
    "foresee_many",
    "on_due_of_house",
    "proxies",
    "remind",
    "remind_overdue",
    "send_copies",
    "settle_delegation",
    "sms_approvals_of_house",
    "start_delegation",
    "urge",
    "urge_instance",
    "urge_right",
]
