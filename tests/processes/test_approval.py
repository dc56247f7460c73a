"""Overdue approvals: who is reminded, and to whom they escalate."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from processes.approval import rules


def people(*ids: int, left: tuple[int, ...] = ()) -> list[Any]:
    return [SimpleNamespace(id=one, is_active=one not in left) for one in ids]


@pytest.mark.parametrize(
    ("line", "holders", "starter", "target"),
    [
        (people(2, 3), people(1), 9, 2),
        (people(2, 3, left=(2,)), people(1), 9, 3),
        (people(2, 3), people(1, 2), 9, 3),
        (people(2, 3), people(1), 2, 3),
        (people(2), people(1), 2, None),
        (people(), people(1), 9, None),
    ],
)
def test_whom_an_overdue_item_reaches(line: list[Any], holders: list[Any], starter: int, target: int | None) -> None:
    found = rules.escalation_target(line, holders, starter)
    assert (found.id if found else None) == target
