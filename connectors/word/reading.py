"""The parts of a Word file that hold words, and the paragraphs in them with their places."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.word.faults import Part, Place
from connectors.word.guarding import PARSER, W

MC_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""The same words once more, for old readers."""
LONGEST_TEXT = 200

_TEXTS = {f"{W}t", f"{W}delText"}
_GAPS = {f"{W}tab": " ", f"{W}br": " ", f"{W}cr": " ", f"{W}noBreakHyphen": "-"}


def kind_of(name: str) -> Part | None:
    """What a part of the zip is; None for parts without words of their own."""
    if name == "word/document.xml":
        return "body"
    stem = name.removeprefix("word/")
    if "/" in stem or not stem.endswith(".xml"):
        return None
    if stem.startswith("header"):
        return "header"
    if stem.startswith("footer"):
        return "footer"
    return "footnotes" if stem in {"footnotes.xml", "endnotes.xml"} else None


@dataclass(frozen=True)
class WordPart:
    name: str
    kind: Part
    root: Any


def parts_of(docx: bytes) -> list[WordPart]:
    """The body first, then headers, footers and notes. The file has been checked before."""
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        found = [(name, kind) for name in archive.namelist() if (kind := kind_of(name)) is not None]
        found.sort(key=lambda one: (one[1] != "body", one[0]))
        return [WordPart(name, kind, etree.fromstring(archive.read(name), PARSER)) for name, kind in found]


def with_parts(docx: bytes, changed: Mapping[str, Any]) -> bytes:
    """The file with these parts in place of its own, everything else byte for byte."""
    output = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(docx)) as old,
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            content = old.read(info)
            if info.filename in changed:
                content = etree.tostring(
                    changed[info.filename], xml_declaration=True, encoding="UTF-8", standalone=True
                )
            new.writestr(info, content, zipfile.ZIP_DEFLATED)
    return output.getvalue()


def paragraphs(root: Any) -> Iterator[Any]:
    """Every paragraph in reading order, text boxes once."""
    for paragraph in root.iter(f"{W}p"):
        if not any(above.tag == MC_FALLBACK for above in paragraph.iterancestors()):
            yield paragraph


def text_of(paragraph: Any, *, deleted: bool = False) -> str:
    """The words of a paragraph as they stand; `deleted` = those struck out too."""
    words = []
    for element in paragraph.iter():
        if element.tag in _TEXTS:
            if (deleted or element.tag == f"{W}t") and _own(element, paragraph):
                words.append(element.text or "")
        elif element.tag in _GAPS and _own(element, paragraph):
            words.append(_GAPS[element.tag])
    return "".join(words)


def _own(element: Any, paragraph: Any) -> bool:
    """Not of a paragraph inside this one (a text box)."""
    return next(element.iterancestors(f"{W}p"), None) is paragraph


def place_of(part: Part, paragraph: Any) -> Place:
    text = " ".join(text_of(paragraph).split())
    shown = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return Place(part, shown, in_row=row_of(paragraph) is not None)


def row_of(paragraph: Any) -> Any:
    """The table row a paragraph stands in, None outside tables."""
    return next(paragraph.iterancestors(f"{W}tr"), None)
