"""Marks between words, as the reader's language writes them."""

from __future__ import annotations

import pytest

from engine.i18n import listed, reading_as, set_apart


@pytest.mark.parametrize(("locale", "row"), [("zh_CN", "王磊、李娜"), ("en", "王磊, 李娜")])
def test_words_in_a_row(locale: str, row: str) -> None:
    with reading_as(locale):
        assert listed(["王磊", "李娜"]) == row
    assert listed(["王磊", "李娜"], locale=locale) == row
    assert listed([]) == ""


def test_each_mark_has_its_own_in_other_languages() -> None:
    with reading_as("zh_CN"):
        assert [set_apart(one) for one in "、，；："] == ["、", "，", "；", "："]
    with reading_as("en"):
        assert [set_apart(one) for one in "、，；："] == [", ", ", ", "; ", ": "]
