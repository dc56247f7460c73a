"""One field of a form, and when it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from engine.expressions import Expression
from engine.forms.lookups import Lookups
from engine.i18n import DEFAULT_LOCALE, current_locale

Right = Literal["edit", "required", "read", "hide"]
Words = Mapping[str, str]
"""locale -> text"""


def in_words(words: Words, locale: str | None = None) -> str:
    """The text for this reader, else the Chinese one."""
    return words.get(locale or current_locale()) or words[DEFAULT_LOCALE]


@dataclass(frozen=True)
class Condition:
    """Show a field only when another one says so; simple enough for the page to follow while people type."""

    field: str
    op: Literal["eq", "ne", "in", "gt", "lt", "set"]
    value: Any = None

    def holds(self, facts: Mapping[str, Any]) -> bool:
        given = facts.get(self.field)
        match self.op:
            case "set":
                return given is not None and given is not False and given not in ("", [])
            case "eq" | "in":
                wanted = self.value if isinstance(self.value, list) else [self.value]
                return any(_alike(given, one) for one in wanted)
            case "ne":
                return not _alike(given, self.value)
            case "gt" | "lt":
                return _order(given, self.value) == (1 if self.op == "gt" else -1)


def _order(given: Any, limit: Any) -> int:
    """-1, 0 or 1 as a number or an ISO date lies before or after the limit; 0 also when there is none."""
    if isinstance(given, Decimal):
        return int(given.compare(Decimal(str(limit))))
    return (given > limit) - (given < limit) if isinstance(given, str) and isinstance(limit, str) else 0


def _alike(given: Any, wanted: Any) -> bool:
    if isinstance(given, list):
        return wanted in given
    if isinstance(given, Decimal) and not isinstance(wanted, bool):
        try:
            return given == Decimal(str(wanted))
        except ArithmeticError:
            return False
    return bool(given == wanted)


@dataclass(frozen=True)
class Field:
    """One field, or one column of a table. What a type does not know stays at its default."""

    id: str
    type: str
    label_words: Words
    help_words: Words | None = None
    required: bool = False
    when: Condition | None = None
    route: bool = False
    title: bool = False
    summary: bool = False
    wide: bool = False
    min: str | None = None
    max: str | None = None
    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    decimals: int | None = None
    currency: str = "CNY"
    choices: tuple[tuple[str, Words], ...] = ()
    source: str | None = None
    """name of the option source, instead of `choices`"""
    reference: str | None = None
    """record type of a person, department or reference field"""
    multiple: bool = False
    min_items: int = 0
    max_items: int | None = None
    columns: tuple[Field, ...] = ()
    computed: Expression | None = None

    @property
    def label(self) -> str:
        return in_words(self.label_words)

    @property
    def help(self) -> str:
        return in_words(self.help_words) if self.help_words else ""

    def choices_for(self, lookups: Lookups) -> list[tuple[str, str]]:
        """(value, label) of every choice of a select or multi field, in the reader's language."""
        if self.source is not None:
            return [(choice.value, choice.label) for choice in lookups.options(self.source)]
        return [(value, in_words(words)) for value, words in self.choices]
