"""Lists of numbers out of uploaded files: CSV in the encodings offices use, and Excel."""

from __future__ import annotations

from io import BytesIO
from zipfile import BadZipFile, ZipFile

from engine.errors import InvalidForm, Problem
from engine.i18n import Sentence, _
from processes.messaging.rules import MOST_RECIPIENTS

LARGEST = 2 * 1024 * 1024
LARGEST_UNPACKED = 40 * 1024 * 1024
LARGEST_LIST = 450_000
"""bytes; it stands in the form again when the draft is edited, and a form takes half a megabyte"""
MOST_COLUMNS = 30


def as_lines(name: str, content: bytes) -> str:
    """The rows of a file as lines with tabs between the cells, as they would be pasted. Raises InvalidForm."""
    text = _text(name, content)
    if len(text.encode()) > LARGEST_LIST:
        raise InvalidForm([Problem("file", _("The list is too long."), _("Send them in several campaigns."))])
    return text


def _text(name: str, content: bytes) -> str:
    if len(content) > LARGEST:
        raise _refused(_("The file is larger than {size} MB.", size=LARGEST // 1024 // 1024))
    if name.lower().endswith(".xlsx") or content.startswith(b"PK"):
        return _from_excel(content)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _refused(_("Only CSV and Excel (.xlsx) files can be read."))


def _from_excel(content: bytes) -> str:
    from openpyxl import load_workbook  # here: every process would pay a fifth of a second for it at its start
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with ZipFile(BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST_UNPACKED:
                raise _refused(_("The file is larger than {size} MB.", size=LARGEST_UNPACKED // 1024 // 1024))
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            rows = sheet.iter_rows(max_row=MOST_RECIPIENTS + 2, max_col=MOST_COLUMNS, values_only=True)
            return "\n".join("\t".join(_cell(value) for value in row) for row in rows)
        finally:
            book.close()
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, TypeError, OSError):
        raise _refused(_("Only CSV and Excel (.xlsx) files can be read.")) from None


def _cell(value: object) -> str:
    """As one reads it in the sheet; a number that is kept as 1.3800138e10 comes back as its digits."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def _refused(message: Sentence) -> InvalidForm:
    return InvalidForm([Problem("file", message, _("Save the list anew and choose it again."))])
