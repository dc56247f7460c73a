"""HTML that came by mail: as plain text, and cleaned so that reading it runs nothing and tells nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree, html

_GONE = frozenset(
    "script style head title noscript template object embed applet iframe frame frameset svg math link meta base form "
    "input button select textarea audio video source track canvas".split()
)
"""With all that is in them."""
_BLOCKS = frozenset(
    "address article aside blockquote center dd div dl dt fieldset figure footer h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol p pre section table tr ul".split()
)
_KEPT_ATTRIBUTES = frozenset(
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height lang rowspan size start "
    "style title valign width".split()
)
_ADDRESSES = ("http://", "https://", "mailto:", "tel:")
_FETCHES = re.compile(r"url\s*\(|image-set\s*\(|expression\s*\(|@import|\\|/\*", re.IGNORECASE)
"""In a style: what loads something, and what hides that it does."""
_PICTURE = re.compile(r"data:image/(png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*")
_LINES = re.compile(r"\n{3,}")
_TOO_DEEP = 250


def to_text(source: str) -> str:
    """What a person would read, with the lines of the blocks."""
    root = _parse(source)
    if root is None:
        return ""
    parts: list[str] = []
    _gather(root, parts, 0)
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return _LINES.sub("\n\n", "\n".join(lines)).strip()


def _gather(element: etree._Element, parts: list[str], depth: int) -> None:
    tag = _tag(element)
    if tag in _GONE or depth > _TOO_DEEP:
        return
    block = tag in _BLOCKS
    if block or tag == "br":
        parts.append("\n")
    if tag == "li":
        parts.append("· ")
    if tag:
        parts.append(" ".join((element.text or "").split("\n")))
    for child in element:
        _gather(child, parts, depth + 1)
        parts.append(" ".join((child.tail or "").split("\n")))
    if tag in ("td", "th"):
        parts.append(" ")
    if block:
        parts.append("\n")


def clean(source: str, pictures: Mapping[str, str] | None = None) -> str:
    """A whole page without scripts, forms, foreign frames and anything that would be fetched when it is opened.

    pictures: Content-ID -> data URI of the pictures that came with the mail.
    """
    root = _parse(source)
    if root is None:
        return ""
    for element in list(root.iter()):
        tag = _tag(element)
        if not tag or tag in _GONE:
            _drop(element)
            continue
        _clean_attributes(element, tag, pictures or {})
    body = root if root.tag == "body" else root.find("body")
    inner = etree.tostring(body if body is not None else root, encoding="unicode", method="html", with_tail=False)
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head>{inner}</html>'


def _clean_attributes(element: etree._Element, tag: str, pictures: Mapping[str, str]) -> None:
    before = {str(name).lower(): str(value) for name, value in element.attrib.items()}
    element.attrib.clear()
    for name, value in before.items():
        if name in _KEPT_ATTRIBUTES and not (name == "style" and _FETCHES.search(value)):
            element.set(name, value)
    if tag == "a" and before.get("href", "").strip().lower().startswith(_ADDRESSES):
        element.set("href", before["href"].strip())
        element.set("target", "_blank")
        element.set("rel", "noopener noreferrer")
    if tag == "img":
        source = before.get("src", "").strip()
        if source.lower().startswith("cid:"):
            source = pictures.get(source[4:], "")
        if _PICTURE.fullmatch(source):
            element.set("src", source)


def _parse(source: str) -> etree._Element | None:
    if not source.strip():
        return None
    try:
        # bytes with a declared encoding: text with an XML declaration of its own would be refused
        return html.document_fromstring(source.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _tag(element: etree._Element) -> str:
    """Empty for comments and processing instructions."""
    return element.tag.lower().rpartition(":")[2] if isinstance(element.tag, str) else ""


def _drop(element: etree._Element) -> None:
    """Take an element away and leave the text behind it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)
