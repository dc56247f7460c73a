"""Why a table that was sent in cannot be read, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.tables import reading
from connectors.tables.reading import BadTable
from engine.i18n import Sentence, _

_WHY: Mapping[str, Sentence] = {
    "too_large": _("The file is too large; at most 5 MB can be imported at once."),
    "too_many_rows": _("There are too many rows; at most {count} can be imported at once.", count=reading.MOST_ROWS),
    "too_many_columns": _("There are too many columns."),
    "cell_too_long": _("A cell is too long."),
    "empty": _("There is nothing in this file."),
    "unknown_encoding": _("The file is neither UTF-8 nor GB18030."),
    "old_excel": _("This is the format of Excel before 2007 (.xls); save it as .xlsx first."),
    "no_table": _("This is neither an Excel file (.xlsx) nor CSV."),
}


def why(bad: BadTable) -> Sentence:
    said = _WHY.get(bad.code, _WHY["no_table"])
    if bad.row and bad.column:
        return _("Row {row}, column {column}: {why}", row=bad.row, column=bad.column, why=said)
    return _("Row {row}: {why}", row=bad.row, why=said) if bad.row else said
