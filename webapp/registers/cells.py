"""A value of a record as people read it, by the kind of its column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import Column, Hidden, Look, Masked, Register, Sealed, whole
from engine.i18n import _, listed
from webapp.skin import formats

TONES = {
    "green": {"active", "open", "approved", "completed", "done", "sent", "delivered", "up", "won", "ok", "filed"},
    "blue": {"running", "sending", "queued", "new", "approving"},
    "amber": {"waiting", "suspended", "draft", "warn", "due", "degraded", "locked", "reserved"},
    "red": {"rejected", "failed", "overdue", "void", "terminated", "lost", "stop", "down", "wrong", "broken"},
}
"""Colour beside the word of a state, never instead of it; whatever is not named here is grey."""


SHARE_TONES = {"spent": "blue", "reserved": "amber", "left": "none"}


def tone(state: Any) -> str:
    return next((name for name, states in TONES.items() if state in states), "grey")


@dataclass(frozen=True)
class Cell:
    """What a template needs to draw a value."""

    column: Column
    value: Any
    text: str

    @property
    def kind(self) -> str:
        return self.column.kind

    @property
    def empty(self) -> bool:
        return self.value is None or self.value in ("", [])

    @property
    def masked(self) -> bool:
        return isinstance(self.value, Masked)

    @property
    def sealed(self) -> bool:
        """Masked, and not to be uncovered by the asker."""
        return isinstance(self.value, Sealed)

    @property
    def hidden(self) -> bool:
        return isinstance(self.value, Hidden)

    @property
    def many(self) -> bool:
        return isinstance(self.value, (list, tuple, set))

    @property
    def tone(self) -> str:
        return tone(self.value)

    @property
    def shares(self) -> list[tuple[float, str, str]]:
        """Parts of a bar (kind "shares"): percent of the whole, tone, words. What is below nothing takes no room."""
        whole = sum(max(part, 0) for part in self.value.values())
        return [
            (
                round(float(max(part, 0) / whole * 100), 2) if whole else 0.0,
                SHARE_TONES.get(name, "grey"),
                f"{self.column.choices.get(name, name)} {_part(part)}",
            )
            for name, part in self.value.items()
        ]


def look(session: Session, register: Register, actor: Actor, records: Sequence[Any]) -> Look:
    """How the values of these records look to this actor; every road that shows them asks here."""
    return register.sight(session, actor, records) if register.sight is not None else whole


def cell(record: Any, column: Column, look: Look = whole) -> Cell:
    value = getattr(record, column.name)
    if callable(value):
        value = value()
    value = look(record, column.name, value)
    return Cell(column, value, text(column, value))


def text(column: Column, value: Any) -> str:
    """The value as plain text, the same on pages, in exports and in the history."""
    if value is None or value == "":
        return ""
    if isinstance(value, (list, tuple, set)):
        return listed(str(one) for one in value)
    match column.kind:
        case "money":
            return formats.money(value)
        case "number":
            return formats.number(value)
        case "date":
            return formats.day(value)
        case "datetime":
            return formats.instant(value)
        case "bool":
            return str(_("yes") if value else _("no"))
        case "state":
            return str(column.choices.get(value, value))
        case "shares":
            return listed((f"{column.choices.get(name, name)} {_part(part)}" for name, part in value.items()), "，")
        case "person" if isinstance(value, int):
            return formats.person(value)
    return str(value)


def _part(part: Any) -> str:
    """A share of money or of things that are counted."""
    return formats.number(part) if isinstance(part, int) else formats.money(part)


def plain(column: Column, value: Any) -> str:
    """For spreadsheets: numbers without signs and separators, instants as they sort."""
    if column.kind in {"money", "number"} and value is not None:
        return str(getattr(value, "amount", value))
    if isinstance(value, datetime):
        return formats.local(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return text(column, value)
