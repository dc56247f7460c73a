"""What an uploaded file is: by its bytes, never by what its sender says."""

from __future__ import annotations

from engine.errors import Problem, RuleViolation
from engine.i18n import Sentence, _

_SIGNATURES: tuple[tuple[bytes, str, frozenset[str]], ...] = (
    (b"%PDF-", "application/pdf", frozenset({"pdf"})),
    (b"\x89PNG\r\n\x1a\n", "image/png", frozenset({"png"})),
    (b"\xff\xd8\xff", "image/jpeg", frozenset({"jpg", "jpeg"})),
    (b"GIF8", "image/gif", frozenset({"gif"})),
    (b"BM", "image/bmp", frozenset({"bmp"})),
    (b"II*\0", "image/tiff", frozenset({"tif", "tiff"})),
    (b"MM\0*", "image/tiff", frozenset({"tif", "tiff"})),
    (b"PK\x03\x04", "application/zip", frozenset({"zip", "docx", "xlsx", "pptx", "odt", "ods", "odp", "ofd"})),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "application/x-ole-storage",
        frozenset({"doc", "xls", "ppt", "wps", "et", "msg"}),
    ),
    (b"Rar!\x1a\x07", "application/vnd.rar", frozenset({"rar"})),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", frozenset({"7z"})),
    (b"\x1f\x8b", "application/gzip", frozenset({"gz", "tgz"})),
    (b"ID3", "audio/mpeg", frozenset({"mp3"})),
)

_OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ofd": "application/ofd",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
}
"""Endings that say more than the container's signature."""

_CLAIMED = frozenset().union(*(endings for _mark, _type, endings in _SIGNATURES))
"""Endings whose content must look like it."""

_PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
_PROGRAM_ENDINGS = frozenset(
    (
        "exe",
        "dll",
        "com",
        "bat",
        "cmd",
        "msi",
        "msp",
        "scr",
        "pif",
        "cpl",
        "hta",
        "js",
        "jse",
        "vbs",
        "vbe",
        "wsf",
        "wsh",
        "ps1",
        "psm1",
        "sh",
        "jar",
        "lnk",
        "reg",
        "apk",
        "app",
        "dmg",
    )
)


def ending_of(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def media_type_of(name: str, content: bytes) -> str:
    """What the bytes are, whatever their sender called them.

    Raises RuleViolation for programs and for content that its ending belies.
    """
    ending = ending_of(name)
    if ending in _PROGRAM_ENDINGS or content.startswith(_PROGRAMS):
        raise refused(_("“{name}” is a program; programs are not accepted.", name=name))
    for mark, media_type, endings in _SIGNATURES:
        if content.startswith(mark):
            if ending in endings:
                return _OFFICE.get(ending, media_type)
            if ending in _CLAIMED:
                raise _belied(name)
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if ending in _CLAIMED and ending != "mp3":
        raise _belied(name)
    if b"\0" not in content and _is_text(content):
        return "text/csv" if ending == "csv" else "text/plain"
    return "application/octet-stream"


def _is_text(content: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _belied(name: str) -> RuleViolation:
    return refused(_("The content of “{name}” is not what its ending says.", name=name))


def refused(reason: Sentence) -> RuleViolation:
    return RuleViolation(_("This file is not accepted."), code="file_refused", problems=(Problem("file", reason),))
