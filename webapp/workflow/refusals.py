"""A refused decision in the words of the page: who did what when, where somebody was faster."""

from __future__ import annotations

from engine.errors import AppError, Conflict, Forbidden
from engine.i18n import _
from engine.models import WorkItem
from webapp.skin import formats, words


def as_told(refusal: AppError, present: WorkItem) -> AppError:
    """The same refusal, or who was faster with the item as it is now."""
    if present.state in ("open", "delegated") or not isinstance(refusal, (Conflict, Forbidden)):
        return refusal
    if present.done_by is None:
        return Conflict(_("This step is no longer needed: the process has moved on."))
    return Conflict(
        _(
            "Too late: {who} {did} at {when}.",
            who=present.done_by_name,
            did=words.deed(present.outcome).text,
            when=formats.instant(present.done_at),
        )
    )
