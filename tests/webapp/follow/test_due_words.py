"""How an appointment stands to today, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.i18n import reading_as
from processes.activity.operations import today
from webapp.crm.follow.words import due_word


@pytest.mark.parametrize(
    ("days", "said"),
    [(-2, "2 days overdue"), (-1, "One day overdue"), (0, "Today"), (1, "Tomorrow"), (2, "In 2 days")],
)
def test_one_day_is_not_many(days: int, said: str) -> None:
    with reading_as("en"):
        assert str(due_word(today() + timedelta(days=days)).text) == said
