"""Lists of numbers out of uploaded files, in the formats every import of the house reads."""

from __future__ import annotations

from connectors.tables import reading
from connectors.tables.reading import BadTable
from engine.errors import InvalidForm, Problem
from engine.i18n import Sentence, _
from webapp.registers import unreadable

LARGEST = reading.MOST_BYTES
LARGEST_LIST = 450_000
"""bytes; it stands in the form again when the draft is edited, and a form takes half a megabyte"""


def as_lines(content: bytes) -> str:
    """The rows of a file as lines with tabs between the cells, as they would be pasted. Raises InvalidForm."""
    try:
        text = "\n".join("\t".join(" ".join(cell.split()) for cell in cells) for cells in reading.rows(content))
    except BadTable as bad:
        raise _refused(unreadable.why(bad), _("Save the list anew and choose it again.")) from None
    if len(text.encode()) > LARGEST_LIST:
        raise _refused(_("The list is too long."), _("Send them in several campaigns."))
    return text


def _refused(message: Sentence, remedy: Sentence) -> InvalidForm:
    return InvalidForm([Problem("file", message, remedy)])
