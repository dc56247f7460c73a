"""What is typed and what is kept meet in the same words."""

from __future__ import annotations

import pytest

from processes.lookup import rules


def meets(typed: str, name: str) -> bool:
    tokens, asked = rules.tokens_of_name(name), rules.question(typed)

    def met(word: rules.Word) -> bool:
        return any(one.startswith(word.text) if word.begins else one == word.text for one in tokens)

    return bool(asked.words) and all(map(met, asked.words))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("云启", True),
        ("启智联", True),
        ("云", True),
        ("联", True),
        ("yunqi", True),
        ("ZHILIAN", True),
        ("yqzl", True),
        ("zl", True),
        ("科技（ABC）有限公司", True),
        ("ＡＢＣ", True),
        ("abc 云启", True),
        ("启云", False),
        ("云启智能", False),
        ("yuqi", False),
        ("qyzl", False),
        ("有限公司", False),
        ("（）", False),
    ],
)
def test_two_characters_pinyin_and_initials_find_a_name(typed: str, found: bool) -> None:
    assert meets(typed, "云启智联科技（ABC）有限公司") is found


@pytest.mark.parametrize(
    ("typed", "number", "found"),
    [
        ("8000", "+8613800138000", True),
        ("138 0013 8000", "+8613800138000", True),
        ("+86 138-0013-8000", "+8613800138000", True),
        ("13800", "+8613800138000", True),
        ("0001", "+862155550001", True),
        ("021-5555 0001", "+862155550001", True),
        ("0013", "+8613800138000", False),
        ("800", "+8613800138000", False),
    ],
)
def test_the_last_digits_and_the_first_find_a_number(typed: str, number: str, found: bool) -> None:
    tokens, asked = rules.tokens_of_number(number), rules.question(typed)
    assert any(one.startswith(word.text) for word in (*asked.tails, *asked.heads) for one in tokens) is found


def test_no_word_is_longer_than_its_column() -> None:
    long = "长三角一体化高端装备与智能制造产业技术协同创新研究院" * 3 + "x" * 99
    assert max(map(len, rules.tokens_of_name(long))) <= 24
    assert max(len(word.text) for word in rules.question(long).words) <= 24
    assert len(rules.question(long).words) <= rules.MOST_WORDS
