"""What a view of a list may be: its question, its name, with whom it may be shared, how many there may be."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.errors import RuleViolation
from engine.forms import unprintable
from engine.i18n import Sentence, _

AUDIENCES: Mapping[str, Sentence] = {
    "private": _("Only me"),
    "department": _("My department"),
    "everybody": _("Everybody"),
}

LONGEST_NAME = 40
MOST_ON_A_LIST = 30
"""views one person keeps of one list"""
MOST_FILTERS = 30
MOST_COLUMNS = 40
LONGEST_VALUE = 300
IN_SIDEBAR = 8
"""lines of one list in the sidebar; further ones are in the list's own menu"""


@dataclass(frozen=True)
class Question:
    """What a list is asked, as far as it is kept: everything but the page."""

    q: str = ""
    view: str = ""
    """name of a ready-made view it stands on"""
    filters: tuple[tuple[str, str, str], ...] = ()
    """column, operator, value"""
    order: str = ""
    """a column's name, with - before it the largest first; "" = the list's own order"""
    size: int = 20
    columns: tuple[str, ...] = ()
    """in this order; () = the list's own"""

    def kept(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {**asdict(self), "filters": [list(one) for one in self.filters], "columns": list(self.columns)}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Question:
        filters = tuple((str(column), str(code), str(value)) for column, code, value in kept.get("filters", ()))
        return cls(
            q=kept.get("q", ""),
            view=kept.get("view", ""),
            filters=filters,
            order=kept.get("order", ""),
            size=kept.get("size", 20),
            columns=tuple(kept.get("columns", ())),
        )


def check_size(question: Question) -> None:
    """Raise RuleViolation for more than anybody asks."""
    values = (question.q, question.view, question.order, *(part for one in question.filters for part in one))
    too_much = (
        len(question.filters) > MOST_FILTERS
        or len(question.columns) > MOST_COLUMNS
        or any(len(value) > LONGEST_VALUE for value in (*values, *question.columns))
    )
    if too_much:
        raise RuleViolation(
            _("A view takes at most {filters} filters and {columns} columns.",
              filters=MOST_FILTERS, columns=MOST_COLUMNS),
            code="view_too_large",
            remedy=_("Take some of them away and save it again."),
        )  # fmt: skip


def checked_name(text: Any) -> str:
    """A name as it is kept. Raises RuleViolation when it is none."""
    name = " ".join(text.split()) if isinstance(text, str) else ""
    if not name:
        raise RuleViolation(_("This is required."))
    if len(name) > LONGEST_NAME:
        raise RuleViolation(_("At most {count} characters fit here.", count=LONGEST_NAME))
    if unprintable(name):
        raise RuleViolation(_("This contains characters that cannot be printed."))
    return name


def name_key(name: str) -> str:
    """Names that read alike are the same: no matter how wide their letters are, or whether they are capitals."""
    return unicodedata.normalize("NFKC", name).casefold()[: 2 * LONGEST_NAME]
