"""Sentences that are translated for their reader when they are shown, not where they are raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

DEFAULT_LOCALE = "zh_CN"

Translator = Callable[[str, str], str]
"""(English sentence, locale) -> the sentence in that locale."""

_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)


def _untranslated(sentence: str, _locale: str) -> str:
    return sentence


_translate: Translator = _untranslated


def install(translator: Translator) -> None:
    """Called once by bootstrap with the reader of the catalogues."""
    global _translate
    _translate = translator


def current_locale() -> str:
    return _locale.get()


@contextmanager
def reading_as(locale: str) -> Iterator[None]:
    """Resolve every sentence inside for a reader of this locale."""
    token = _locale.set(locale)
    try:
        yield
    finally:
        _locale.reset(token)


class Sentence:
    """A whole sentence with named places, kept untranslated until str() is asked for.

    Example: _("A claim must lie between {low} and {high}.", low=…, high=…)
    """

    __slots__ = ("template", "values")

    def __init__(self, template: str, values: dict[str, object]) -> None:
        self.template = template
        self.values = values

    def in_locale(self, locale: str) -> str:
        with reading_as(locale):
            return str(self)

    def __str__(self) -> str:
        text = _translate(self.template, _locale.get()) if self.template else ""
        return text.format(**self.values) if self.values else text

    def __repr__(self) -> str:
        return f"Sentence({self.template!r}, {self.values!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentence) and (self.template, self.values) == (
            other.template,
            other.values,
        )

    def __hash__(self) -> int:
        return hash(self.template)


_MARKS = {"、": ", ", "，": ", ", "；": "; ", "：": ": "}
"""Chinese mark -> what stands for it in other languages"""


def set_apart(chinese: str, locale: str | None = None) -> str:
    """A mark between words as the reader's language writes it."""
    return chinese if (locale or _locale.get()).startswith("zh") else _MARKS[chinese]


def listed(parts: Iterable[object], between: str = "、", *, locale: str | None = None) -> str:
    """Words in a row, set apart as the reader's language does it: "王磊、李娜", "王磊, 李娜"."""
    return set_apart(between, locale).join(str(one) for one in parts)


def kept(sentence: Sentence) -> dict[str, Any]:
    """A sentence as it is stored: untranslated, for readers of any language."""
    return {"text": sentence.template, "values": {name: str(value) for name, value in sentence.values.items()}}


def restored(stored: Mapping[str, Any]) -> Sentence:
    """The sentence that was `kept`."""
    return Sentence(stored["text"], dict(stored["values"]))


def retold(stored: object) -> str:
    """A stored text for its reader: what a person wrote as it stands, what the house said in the reader's language."""
    return str(restored(stored) if isinstance(stored, Mapping) else stored)


def _(template: str, **values: object) -> Sentence:
    """Mark a sentence for translation (extracted by `pybabel`)."""
    return Sentence(template, values)
