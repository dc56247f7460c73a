"""What stands in the round beside a name."""

from __future__ import annotations

import pytest

from webapp.skin.formats import initials


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张伟", "伟"),
        ("林晓燕", "晓燕"),
        ("欧阳明远", "明远"),
        ("Ann Smith", "AS"),
        ("zheng", "Z"),
        ("杭州澔格贸易有限公司", "杭州"),
    ],
)
def test_people_by_their_given_name_and_firms_by_how_they_begin(name: str, shown: str) -> None:
    assert initials(name) == shown
