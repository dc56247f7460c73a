"""What a comment may be: its text, its marks for people, how long it may be mended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from engine.errors import InvalidForm, Problem, RuleViolation
from engine.forms import unprintable
from engine.i18n import Sentence, _

LONGEST = 5000
LONGEST_REASON = 500
MOST_MENTIONS = 50
EDIT_WINDOW = timedelta(hours=24)

_MARK = re.compile(r"@\[([1-9][0-9]{0,17})\]")


def clean_text(text: str) -> str:
    """The text as it is kept; refused when it is empty, too long or no text."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise _wrong(_("A comment needs some words."))
    if len(text) > LONGEST:
        raise _wrong(_("At most {count} characters fit here.", count=LONGEST))
    if unprintable(text):
        raise _wrong(_("This contains characters that cannot be printed."))
    if len(mentioned(text)) > MOST_MENTIONS:
        raise _wrong(_("A comment can mention {count} people at most.", count=MOST_MENTIONS))
    return text


def _wrong(message: Sentence) -> InvalidForm:
    return InvalidForm([Problem("text", message)])


def mentioned(text: str) -> list[int]:
    """The persons its marks name, in order, each once."""
    return list(dict.fromkeys(int(number) for number in _MARK.findall(text)))


def in_words(text: str, names: Mapping[int, str]) -> str:
    """The text with names in place of the marks."""
    return _MARK.sub(lambda mark: "@" + names.get(int(mark[1]), mark[1]), text)


def pieces(text: str) -> list[tuple[str, int | None]]:
    """The text cut at its marks: ("written so", None), ("@[17]", 17), …"""
    found: list[tuple[str, int | None]] = []
    end = 0
    for mark in _MARK.finditer(text):
        found += [(text[end : mark.start()], None), (mark[0], int(mark[1]))]
        end = mark.end()
    return [piece for piece in (*found, (text[end:], None)) if piece[0]]


def marked(text: str, picks: Iterable[tuple[int, str]]) -> str:
    """A text in which people were picked by name, with marks in place of "@name".

    Longer names first, so that 王芳 does not take part of 王芳芳; of two people of one name each has his place in turn.
    """
    of_name: dict[str, list[int]] = {}
    for person, name in picks:
        if name:
            of_name.setdefault(name, []).append(person)
    for name in sorted(of_name, key=len, reverse=True):
        before, *others = text.split(f"@{name}")
        persons = of_name[name]
        text = before + "".join(
            f"@[{persons[min(place, len(persons) - 1)]}]{after}" for place, after in enumerate(others)
        )
    return text


def check_window(created_at: datetime, now: datetime) -> None:
    if now - created_at > EDIT_WINDOW:
        raise RuleViolation(
            _("A comment can be changed for {hours} hours; then it stands.", hours=EDIT_WINDOW // timedelta(hours=1)),
            code="edit_window_over",
            remedy=_("Write a further comment, or void this one with a reason."),
        )
