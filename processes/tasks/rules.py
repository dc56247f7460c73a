"""Which move leads from which state to which, and who may make it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from engine.errors import InvalidForm, Problem
from engine.forms import unprintable
from engine.i18n import Sentence, _

Side = Literal["assignee", "assigner"]

AT_WORK = frozenset({"assigned", "accepted", "in_progress", "returned"})
"""The assignee is to do something."""
OPEN = AT_WORK | {"submitted", "declined"}
"""Not at its end."""

LONGEST_TEXT = 5000
LONGEST_REASON = 2000
MOST_WATCHERS = 50


@dataclass(frozen=True)
class Move:
    side: Side
    sources: frozenset[str]
    target: str
    needs_text: bool = False


MOVES: dict[str, Move] = {
    "accept": Move("assignee", frozenset({"assigned"}), "accepted"),
    "decline": Move("assignee", frozenset({"assigned"}), "declined", needs_text=True),
    "start": Move("assignee", frozenset({"accepted", "returned"}), "in_progress"),
    "submit": Move("assignee", frozenset({"accepted", "in_progress", "returned"}), "submitted"),
    "confirm": Move("assigner", frozenset({"submitted"}), "confirmed"),
    "return": Move("assigner", frozenset({"submitted"}), "returned", needs_text=True),
    "cancel": Move("assigner", frozenset(OPEN), "cancelled", needs_text=True),
}


def first_state(assigner_id: int, assignee_id: int, above: Collection[int]) -> str:
    """Who is told by somebody above him, or tells himself, need not be asked."""
    return "accepted" if assigner_id == assignee_id or assigner_id in above else "assigned"


def next_state(action: str, assigner_id: int, assignee_id: int) -> str:
    """Nobody confirms to himself: a task one gave oneself ends when it is handed in."""
    if action == "submit" and assigner_id == assignee_id:
        return "confirmed"
    return MOVES[action].target


def check_text(name: str, text: str, *, needed: bool, longest: int = LONGEST_REASON) -> str:
    text = text.replace("\r\n", "\n").strip()
    if needed and not text:
        raise _wrong(name, _("Please give a reason."))
    if len(text) > longest:
        raise _wrong(name, _("At most {count} characters fit here.", count=longest))
    if unprintable(text):
        raise _wrong(name, _("This contains characters that cannot be printed."))
    return text


def _wrong(name: str, message: Sentence) -> InvalidForm:
    return InvalidForm([Problem(name, message)])
