"""A table of employees as it is sent in: read, with the fields of its columns; its faulty rows given back as Excel."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.tables import reading
from connectors.tables.reading import BadTable, Table
from connectors.tables.writing import Head, write
from engine.errors import Problem, RuleViolation
from engine.i18n import Sentence, _, listed
from processes.organization.operations.importing import COLUMNS, Line, Outcome, fields_of
from webapp import bootstrap
from webapp.registers import unreadable

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
            raise RuleViolation(unreadable.why(bad)) from None
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


def _in_every_language(sentence: Sentence) -> list[str]:
    return [bootstrap.translate(sentence.template, language) for language in bootstrap.LANGUAGES]


def said(problem: Problem) -> str:
    return f"{problem.message} {problem.remedy}" if problem.remedy else str(problem.message)


def excel(title: str, heads: list[str], rows: Iterable[Iterable[str]]) -> bytes:
    file = io.BytesIO()
    write(file, title, [Head(one) for one in heads], [list(row) for row in rows])
    return file.getvalue()
