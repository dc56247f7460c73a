"""From what a record is called, and from what somebody types, to words that meet: pure, without a database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

LONGEST = 24
"""signs of a word that are kept (the width of its column) and compared"""

MOST_WORDS = 8
"""of a question; further ones are not asked for"""
SHORTEST_TAIL, SHOWN_TAIL, WHOLE_NUMBER = 4, 4, 11
"""digits: from how many on a number is looked for; as many as a mask shows; as many as a whole one has"""

CODE = 18
"""signs of a credit code"""

_HAN = re.compile("[㐀-鿿豈-﫿]+")
_LATIN = re.compile("[a-z0-9]+")
_DIGITS = re.compile(r"[+\d][\d\s\-()]*")
_BEYOND = "\U0010ffff"
COMMON = frozenset(("有限", "限公", "公司", "份有", "股份", "限责", "责任", "任公"))
"""In nearly every company's name: they tell nothing apart, so they are neither kept nor asked for."""


def plain(text: str) -> str:
    """One width, small letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def syllables(text: str) -> list[str]:
    """Pinyin without tones, sign by sign; other letters as they are."""
    return _pinyin()(text)


@cache
def _pinyin() -> Callable[[str], list[str]]:
    from pypinyin import lazy_pinyin  # its dictionary takes a tenth of a second and 20 MB

    return cast("Callable[[str], list[str]]", lazy_pinyin)


def tokens_of_name(name: str) -> set[str]:
    """Pairs of neighbouring characters and the last one alone; words of Latin; and, from each character on, the pinyin
    and its initials: 云启 -> 云启, 启, yunqi, qi, yq.
    """
    text, found = plain(name), set[str]()
    found.update(word[:LONGEST] for word in _LATIN.findall(text))
    for run in _HAN.findall(text):
        found |= set(_pairs(run)) - COMMON
        found.add(run[-1])
        spoken = syllables(run)
        for at in range(len(spoken)):
            found.add("".join(spoken[at:])[:LONGEST])
            if at < len(spoken) - 1:
                found.add("".join(one[0] for one in spoken[at:])[:LONGEST])
    return {one for one in found if one}


def tokens_of_number(number: str) -> set[str]:
    """A phone number as one begins to type it, and from behind: the last digits are what people remember."""
    digits = "".join(one for one in number if one.isdigit())
    national = digits.removeprefix("86") if number.startswith("+86") else digits
    return {national[:LONGEST], "~" + digits[::-1][: LONGEST - 1]}


@dataclass(frozen=True)
class Word:
    """A word that is asked for: tokens equal to it, or beginning with it."""

    text: str
    begins: bool = False

    @property
    def beyond(self) -> str:
        return self.text + _BEYOND


@dataclass(frozen=True)
class Question:
    """What somebody typed. All words must meet; of a number, one way of writing it."""

    words: tuple[Word, ...] = ()
    tails: tuple[Word, ...] = ()
    heads: tuple[Word, ...] = ()
    digits: int = 0
    exact: str = ""
    """a mail address or a code as a whole"""


def question(text: str) -> Question:
    typed = plain(text).strip()
    exact = typed[:LONGEST] if "@" in typed or len(typed) == CODE else ""
    if not _DIGITS.fullmatch(typed):
        return Question(words=tuple(_words(typed))[:MOST_WORDS], exact=exact)
    digits = _only_digits(typed)
    words = (Word(digits[:LONGEST], begins=True),)
    if len(digits) < SHORTEST_TAIL:
        return Question(words, exact=exact)
    ways = {digits, digits.removeprefix("0")}  # a landline is kept without the zero before its area code
    if typed.startswith("+86"):
        ways.add(digits.removeprefix("86"))
    return Question(
        words,
        tails=tuple(Word("~" + one[::-1][: LONGEST - 1], begins=True) for one in sorted(ways)),
        heads=tuple(Word(one[:LONGEST], begins=True) for one in sorted(ways)),
        digits=len(digits),
        exact=exact,
    )


def _only_digits(text: str) -> str:
    return "".join(one for one in text if one.isdigit())


def _words(text: str) -> Iterator[Word]:
    seen = set()
    for run in re.findall(f"{_HAN.pattern}|{_LATIN.pattern}", text):
        for one in _of_run(run):
            if one not in seen:
                seen.add(one)
                yield one


def _of_run(run: str) -> Iterable[Word]:
    if not _HAN.fullmatch(run):
        return [Word(run[:LONGEST], begins=True)]
    if len(run) == 1:
        return [Word(run, begins=True)]
    pairs = [one for one in _pairs(run) if one not in COMMON]
    return [Word(one) for one in pairs]


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]
