"""What every approval shares: reminding and escalating; free-hand approvals; standing in for whoever is away."""

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
from processes.approval.operations.overdue import escalate_overdue, remind_overdue
from processes.approval.operations.proxies import proxies

__all__ = [
    "accept_delegation",
    "answer",
    "cancel_delegation",
    "check_request",
    "decline_delegation",
    "end",
    "end_delegation",
    "escalate_overdue",
    "file_delegation",
    "proxies",
    "remind_overdue",
    "send_copies",
    "settle_delegation",
    "start_delegation",
]
