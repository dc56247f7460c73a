"""A table of employees as it is sent in: read, with the fields of its columns; its faulty rows given back as Excel."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.tables import reading
from connectors.tables.reading import BadTable, Table
from connectors.tables.writing import Head, write
from engine.errors import Problem, RuleViolation
from engine.i18n import Sentence, _, listed
from processes.organization.operations.importing import COLUMNS, Line, Outcome, fields_of
from webapp import bootstrap

UNREADABLE: Mapping[str, Sentence] = {
    "too_large": _("The file is too large; at most 5 MB can be imported at once."),
    "too_many_rows": _("There are too many rows; at most {count} can be imported at once.", count=reading.MOST_ROWS),
    "too_many_columns": _("There are too many columns."),
    "cell_too_long": _("A cell is too long."),
    "empty": _("There is nothing in this file."),
    "unknown_encoding": _("The file is neither UTF-8 nor GB18030."),
    "old_excel": _("This is the format of Excel before 2007 (.xls); save it as .xlsx first."),
    "no_table": _("This is neither an Excel file (.xlsx) nor CSV."),
}
FAULTS_FILE = "faults.xlsx"


@dataclass(frozen=True)
class Fault:
    row: int
    field: str
    """of an employee; "" where it is about the row"""
    value: str
    message: str

    @property
    def column(self) -> str:
        return str(COLUMNS[self.field]) if self.field in COLUMNS else ""


@dataclass(frozen=True)
class EmployeeTable:
    table: Table
    fields: list[str]
    """what stands in each column"""

    @classmethod
    def read(cls, content: bytes) -> EmployeeTable:
        """Raises RuleViolation for what is no table, InvalidForm for one with other columns."""
        try:
            table = reading.read(content)
        except BadTable as bad:
            raise RuleViolation(_why(bad)) from None
        return cls(table, fields_of(table.head, _in_every_language))

    @property
    def lines(self) -> list[Line]:
        return [Line(row.number, dict(zip(self.fields, row.cells, strict=False))) for row in self.table.rows]

    def faults(self, outcome: Outcome) -> list[Fault]:
        values = {line.number: line.values for line in self.lines}
        return [
            Fault(number, one.where, values[number].get(one.where, ""), said(one))
            for number, found in sorted(outcome.faults.items())
            for one in found
        ]

    def faulty_rows(self, outcome: Outcome) -> bytes:
        """Those rows as they came, with what is wrong beside them: mended there, they can be imported again."""
        rows = [
            [*row.cells[: len(self.fields)], listed((said(one) for one in outcome.faults[row.number]), "；")]
            for row in self.table.rows
            if row.number in outcome.faults
        ]
        return excel(str(_("Rows with faults")), [*self.table.head, str(_("Faults"))], rows)


def _why(bad: BadTable) -> Sentence:
    why = UNREADABLE.get(bad.code, UNREADABLE["no_table"])
    if bad.row and bad.column:
        return _("Row {row}, column {column}: {why}", row=bad.row, column=bad.column, why=why)
    return _("Row {row}: {why}", row=bad.row, why=why) if bad.row else why


def _in_every_language(sentence: Sentence) -> list[str]:
    return [bootstrap.translate(sentence.template, language) for language in bootstrap.LANGUAGES]


def said(problem: Problem) -> str:
    return f"{problem.message} {problem.remedy}" if problem.remedy else str(problem.message)


def excel(title: str, heads: list[str], rows: Iterable[Iterable[str]]) -> bytes:
    file = io.BytesIO()
    write(file, title, [Head(one) for one in heads], [list(row) for row in rows])
    return file.getvalue()
