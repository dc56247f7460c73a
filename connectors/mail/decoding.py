"""What foreign mail programs write, as text: labels that lie, no label at all, file names in four fashions."""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from email.message import Message
from urllib.parse import unquote_to_bytes

GB18030 = "gb18030"

_SAME = {
    # GB 18030 holds all that its forerunners hold, and what senders put under their names although it was not in them
    **dict.fromkeys(
        ("gb2312", "gbk", "x-gbk", "gb_2312-80", "csgb2312", "cp936", "ms936", "euc-cn", "x-euc-cn"), GB18030
    ),
    **dict.fromkeys(("utf8", "utf-8-sig", "unicode-1-1-utf-8"), "utf-8"),
    **dict.fromkeys(("hz", "hz-gb2312"), "hz-gb-2312"),
    **dict.fromkeys(("x-x-big5", "cn-big5", "chinesebig5"), "big5hkscs"),
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
}
_UNLABELLED = frozenset(
    {"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown", "default", "7bit", "8bit"}
)

_NO_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined"})
"""What Python calls codecs of text and no mail program means."""

_FOLD = re.compile(r"[\r\n]+(?=[ \t])|[\r\n]+$")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HALF = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]+\?[bBqQ]\?)")


def text_of(content: bytes, label: str | None) -> str:
    """The text of these bytes under that label of a charset; never fails, and holds nothing that cannot be stored.

    UTF-7 can spell half of a character (a lone surrogate): it is shown as a replacement sign.
    """
    return _HALF.sub("\ufffd", _decoded(content, label))


def _decoded(content: bytes, label: str | None) -> str:
    name = _codec(label or "")
    for codec in (name,) if name else ("utf-8", GB18030):
        try:
            return content.decode(codec)
        except UnicodeDecodeError:
            continue
    # a label that does not hold: UTF-8 cannot be mistaken for anything else, the rest is as good as its label
    for codec in ("utf-8", GB18030):
        try:
            return content.decode(codec)
        except UnicodeDecodeError:
            continue
    return content.decode(name or "utf-8", "replace")


def _codec(label: str) -> str:
    """Python's name of a charset; "" where nothing usable is said."""
    name = label.strip().strip("\"'").lower()
    if name in _UNLABELLED:
        return ""
    name = _SAME.get(name, name)
    try:
        info = codecs.lookup(name)
        b"x".decode(info.name)  # base64 and rot13 are codecs, too, and no charsets
    except (LookupError, ValueError, UnicodeError):
        return ""
    return "" if info.name.replace("-", "_") in _NO_CHARSETS else info.name


# ------------------------------------------------------------------------------------------------- headers


def raw_header(message: Message, name: str) -> str:
    """A header as one line, with encoded words still encoded; bytes without a label as what they most likely are."""
    wanted = name.lower()
    for key, value in message.raw_items():
        if key.lower() == wanted:
            return _line(value)
    return ""


def raw_headers(message: Message, name: str) -> list[str]:
    wanted = name.lower()
    return [_line(value) for key, value in message.raw_items() if key.lower() == wanted]


def header(message: Message, name: str) -> str:
    """A header as people read it; "" where there is none."""
    return words(raw_header(message, name))


def _line(value: object) -> str:
    text = str(value)
    if not text.isascii():  # the parser keeps such bytes as lone surrogates
        text = text_of(text.encode("utf-8", "surrogateescape"), None)
    return _FOLD.sub("", text).replace("\r", " ").replace("\n", " ").strip()


def words(text: str) -> str:
    """Encoded words decoded; neighbours of one charset together, as senders cut them in the middle of a character."""
    text = _BETWEEN_WORDS.sub(r"\1", text)
    parts: list[str] = []
    label, waiting, end = "", b"", 0
    for found in _WORD.finditer(text):
        between = text[end : found.start()]
        end = found.end()
        content = _word_bytes(found[2], found[3])
        if waiting and (between or found[1].lower() != label):
            parts.append(text_of(waiting, label))
            waiting = b""
        parts.append(between)
        if content is None:
            parts.append(found[0])
            continue
        label, waiting = found[1].lower(), waiting + content
    if waiting:
        parts.append(text_of(waiting, label))
    parts.append(text[end:])
    return _CONTROL.sub(" ", "".join(parts)).strip()


def _word_bytes(encoding: str, payload: str) -> bytes | None:
    if not payload.isascii():
        return None
    if encoding in "qQ":
        return quopri.decodestring(payload.replace("_", " ").encode("ascii"), header=True)
    packed = payload.encode("ascii").rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4))
    except binascii.Error:
        return None


# ------------------------------------------------------------------------------------------------- file names


def file_name(part: Message) -> str:
    """Of an attachment: RFC 2231 whole or in pieces, encoded words, bare bytes, or `name` alone; "" if none."""
    for field, parameter in (("Content-Disposition", "filename"), ("Content-Type", "name")):
        if name := _parameter(part, field, parameter):
            return name.replace("\\", "/").rpartition("/")[2].strip()  # some send the whole path
    return ""


def _parameter(part: Message, field: str, parameter: str) -> str:
    plain = Message()
    plain[field] = raw_header(part, field)
    value = plain.get_param(parameter, header=field)
    if isinstance(value, tuple):
        label, _language, text = value
        return _CONTROL.sub(" ", text_of(text.encode("latin-1", "replace"), label))
    if not value:
        return ""
    if "''" in value and "%" in value:  # the fashion of RFC 2231 under a name without its star
        label, _language, text = value.split("'", 2)
        if _codec(label):
            return text_of(unquote_to_bytes(text), label)
    return words(value)
