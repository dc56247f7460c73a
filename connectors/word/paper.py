"""What a Word file of ours is made of: headings, facts, tables, pictures; what they mean is the caller's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG and how large it is on paper."""

    png: bytes
    height_mm: float
    width_mm: float | None = None
    """the most it may take; None = as the height gives"""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str = ""
    picture: Picture | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    width_mm: float
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    align: Align = "left"
    small: bool = False
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values; a row of one pair takes the whole width, a row of two shares it."""

    rows: tuple[tuple[tuple[str, Cell], ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose head is repeated on every page it reaches."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[str, ...] = ()
    """texts of a last, strong line; () = none"""


Block = Heading | Paragraph | Facts | Table | Picture


@dataclass(frozen=True)
class Paper:
    """An upright A4 document."""

    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    corner: Picture | None = None
    """stands at the right of the title"""
    language: str = "zh-CN"
    author: str = ""
    made_at: datetime | None = None
    head: tuple[str, str] = ("", "")
    """left and right of every page's head"""
    foot: str = ""
    """left of every page's foot"""
    page_words: str = "{page} / {pages}"
    """right of every page's foot; {page} and {pages} become counting fields"""
