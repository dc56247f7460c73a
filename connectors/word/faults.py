"""What can be wrong with a Word file: refused as a whole, or a template with faults, each with its paragraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["body", "header", "footer", "footnotes"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: the part, whether in a row of a table, and the paragraph's own words."""

    part: Part
    text: str
    in_row: bool = False


class WordError(Exception):
    """Base of what this connector refuses; `code` is a word of ours, `detail` a name out of the file."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Refused(WordError):
    """Not a Word file we open: no Word file at all, a bomb, macros, pointers to the outside."""


class MissingField(WordError):
    """The data has no value for a place of the template."""

    def __init__(self, name: str) -> None:
        super().__init__("missing_field", name)
        self.name = name


class BadTemplate(WordError):
    """The template cannot be filled; `where` = as near as can be told."""

    def __init__(self, where: str, detail: str = "") -> None:
        super().__init__("bad_template", detail)
        self.where = where


class NotPrinted(WordError):
    """No PDF came: no_office | timeout | failed | no_pages."""
