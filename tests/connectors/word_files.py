"""Word files for tests: built paragraph by paragraph, or spoilt on purpose."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from docx import Document

FILTERS: Mapping[str, Callable[..., object]] = {
    "amount": lambda value: f"{Decimal(str(value)):,.2f}",
    "capitals": lambda value: f"大写{value}",
    "date": str,
    "number": str,
}

Lines = Sequence[str | Sequence[str]]


def docx(
    *paragraphs: str | Sequence[str], rows: Sequence[Sequence[str]] = (), header: str = "", footer: str = ""
) -> bytes:
    """A text is a paragraph of one run; a list of texts a paragraph of as many runs, each second one bold."""
    document = Document()
    for words in paragraphs:
        made = document.add_paragraph()
        for number, run in enumerate([words] if isinstance(words, str) else words):
            added = made.add_run(run)
            if number % 2:
                added.bold = True
    if rows:
        table = document.add_table(rows=len(rows), cols=len(rows[0]))
        for number, row in enumerate(rows):
            for place, words in zip(table.rows[number].cells, row, strict=True):
                place.text = words
    section = document.sections[0]
    if header:
        section.header.paragraphs[0].text = header
    if footer:
        section.footer.paragraphs[0].text = footer
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def texts(content: bytes) -> list[str]:
    """Every paragraph of the body, tables last."""
    document = Document(io.BytesIO(content))
    found = [paragraph.text for paragraph in document.paragraphs]
    return found + [cell.text for table in document.tables for row in table.rows for cell in row.cells]


def changed(content: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """The file with these parts put in, in place of its own if it has them; None = taken out."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, part in parts.items():
            if part is not None:
                new.writestr(name, part)
    return output.getvalue()


def part(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)
