"""Requests filed, decided and closed; budgets and categories kept."""

from processes.spending.operations.budgets import archive_budget, change_budget, create_budget
from processes.spending.operations.categories import archive_category, change_category, create_category
from processes.spending.operations.requests import (
    close_request,
    ensure_number_rule,
    file_request,
    mark_rejected,
    mark_withdrawn,
)
from processes.spending.operations.reservations import release_reservation, reserve_budget, take_back

__all__ = [
    "archive_budget",
    "archive_category",
    "change_budget",
    "change_category",
    "close_request",
    "create_budget",
    "create_category",
    "ensure_number_rule",
    "file_request",
    "mark_rejected",
    "mark_withdrawn",
    "release_reservation",
    "reserve_budget",
    "take_back",
]
