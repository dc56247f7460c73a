"""Looks a Word file over before anything opens it: size, bombs, macros, and whatever would reach outside."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from docx.image.exceptions import InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError
from docx.image.image import Image
from lxml import etree

from connectors.word.faults import Refused

LARGEST = 25 * 1024 * 1024
"""Bytes of the file."""
LARGEST_UNPACKED = 200 * 1024 * 1024
LARGEST_XML = 30 * 1024 * 1024
"""Bytes of one part that is parsed."""
MOST_PARTS = 2000
MOST_PACKED = 200
"""Times a part of more than a megabyte may grow; the words of a real file grow tenfold."""

MOST_PIXELS = 60_000_000
"""Of one picture: a page of A3 at 400 dots an inch; a phone's photograph has a third of it."""
_UNMEASURED = (
    InvalidImageStreamError,
    UnexpectedEndOfFileError,
    UnrecognizedImageError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)
"""What python-docx says of what is no picture after all; then nothing is known of its size."""
_PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".gif", ".bmp", ".tif", ".tiff")

DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
TEMPLATE = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_CONTENT = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_LINK = re.compile(r"(?i)(https?|mailto|tel):[^\x00-\x20]*")
_OUTSIDE = re.compile(r"(?i)\s*([a-z][a-z0-9+.-]*:|//|\\\\)")
"""A target that is no part of this file, whatever its mode says."""
_REACHING = re.compile(r"(?i)\s*(DDEAUTO|DDE|INCLUDEPICTURE|INCLUDETEXT|LINK|IMPORT|DATABASE|MACROBUTTON)\b")
"""Fields that fetch something or run something."""

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def check(content: bytes) -> None:
    """Raises Refused for what is not a plain Word document that stands by itself."""
    if len(content) > LARGEST:
        raise Refused("too_large")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_sizes(archive)
            _check_types(archive)
            for info in archive.infolist():
                if info.filename.lower().endswith((".xml", ".rels")):
                    _check_part(info.filename, archive.read(info))
                elif _is_macro(info.filename):
                    raise Refused("macros", info.filename)
                elif info.filename.lower().endswith(_PICTURES):
                    check_picture(archive.read(info), info.filename)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError) as error:
        raise Refused("not_word") from error


def check_picture(content: bytes, name: str) -> None:
    """Raises Refused for a picture that is small as a file and fills the memory of whoever draws it."""
    try:
        found = Image.from_blob(content)
        pixels = found.px_width * found.px_height
    except _UNMEASURED:
        return
    if pixels > MOST_PIXELS:
        raise Refused("bomb", name)


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """By the sizes the archive states: reading a part never yields more than it says."""
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise Refused("bomb")
    for part in parts:
        grown = part.file_size > MOST_PACKED * max(part.compress_size, 1)
        if part.file_size > 1024 * 1024 and grown:
            raise Refused("bomb", part.filename)
        if part.filename.lower().endswith((".xml", ".rels")) and part.file_size > LARGEST_XML:
            raise Refused("bomb", part.filename)
        if part.flag_bits & 0x1:
            raise Refused("encrypted")
    names = [part.filename for part in parts]
    if len(set(names)) != len(names):  # readers differ in which of two they take
        raise Refused("not_word")


def _check_types(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    if "[Content_Types].xml" not in names or "word/document.xml" not in names:
        raise Refused("not_word")
    types = _parsed(archive.read("[Content_Types].xml"))
    kinds = {str(one.get("PartName")): str(one.get("ContentType")) for one in types.iter(f"{_CONTENT}Override")}
    every = [*kinds.values(), *(str(one.get("ContentType")) for one in types.iter(f"{_CONTENT}Default"))]
    for kind in every:
        if "macroenabled" in kind.lower() or "vbaproject" in kind.lower():
            raise Refused("macros")
    if kinds.get("/word/document.xml") not in {DOCUMENT, TEMPLATE}:
        raise Refused("not_word")


def _is_macro(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(("vbaproject.bin", "vbadata.xml")) or "/activex/" in lower


def _check_part(name: str, xml: bytes) -> None:
    if _is_macro(name):
        raise Refused("macros", name)
    root = _parsed(xml)
    if name.endswith(".rels"):
        for relation in root.iter(_RELATION):
            _check_relation(relation)
    elif name.startswith("word/"):
        for instruction in _instructions(root):
            if _REACHING.match(instruction):
                raise Refused("reaching_field", instruction.split()[0])


def _parsed(xml: bytes) -> Any:
    """The tree; a document type declaration (entities, files of this machine) is never needed and refused."""
    try:
        root = etree.fromstring(xml, PARSER)
    except etree.XMLSyntaxError as error:
        raise Refused("not_word") from error
    if root.getroottree().docinfo.doctype:
        raise Refused("not_word")
    return root


def _check_relation(relation: Any) -> None:
    kind = str(relation.get("Type")).rpartition("/")[2]
    target = str(relation.get("Target"))
    if kind in {"vbaProject", "wordVbaData", "control"}:
        raise Refused("macros", target)
    if kind == "aFChunk":
        raise Refused("foreign_part", target)
    if kind == "oleObject":  # opened with a click, by whatever program it names; a sheet (package) is Office's own
        raise Refused("embedded", target)
    outside = str(relation.get("TargetMode", "Internal")).lower() != "internal" or _OUTSIDE.match(target) is not None
    if outside and not (kind == "hyperlink" and _LINK.fullmatch(target)):
        raise Refused("external", target)


def _instructions(root: Any) -> Iterator[str]:
    """What the fields of a part are told to do; Word cuts an instruction over runs, nested fields lie inside."""
    for simple in root.iter(f"{W}fldSimple"):
        yield str(simple.get(f"{W}instr"))
    open_fields: list[str] = []
    for element in root.iter(f"{W}fldChar", f"{W}instrText"):
        if element.tag == f"{W}instrText":
            if open_fields:
                open_fields[-1] += element.text or ""
            else:
                yield element.text or ""
            continue
        kind = element.get(f"{W}fldCharType")
        if kind == "begin":
            open_fields.append("")
        elif open_fields and kind == "end":
            yield open_fields.pop()
    yield from open_fields
