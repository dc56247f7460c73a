import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from connectors.word import guarding
from connectors.word.faults import Refused
from connectors.word.guarding import check
from tests.connectors.word_files import changed, docx, part

PLAIN = docx("正文")
ENTITY = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
RELATIONS = "word/_rels/document.xml.rels"


def _related(kind: str, target: str, mode: str = "External") -> bytes:
    relation = f'<Relationship Id="rIdX" Type="http://x/{kind}" Target="{target}" TargetMode="{mode}"/></Relationships>'
    return changed(PLAIN, {RELATIONS: part(PLAIN, RELATIONS).replace(b"</Relationships>", relation.encode())})


def _with_field(instruction: str) -> bytes:
    run = "".join(f"<w:r><w:instrText>{piece}</w:instrText></w:r>" for piece in (instruction[:4], instruction[4:]))
    field = f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{run}<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    body = part(PLAIN, "word/document.xml").replace(b"</w:p>", field.encode(), 1)
    return changed(PLAIN, {"word/document.xml": body})


def _picture(width: int, height: int) -> bytes:
    """A white PNG: it packs to next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    lines = zlib.compress((b"\0" * (1 + -(-width // 8))) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def test_a_plain_file_and_one_with_links_pictures_and_page_numbers_pass() -> None:
    check(PLAIN)
    check(changed(PLAIN, {"word/media/photo.png": _picture(4000, 3000), "word/media/none.png": b"no picture"}))
    check(_related("hyperlink", "https://example.com/a"))
    check(_with_field(" PAGE "))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_word"),
        ("只是文字".encode(), "not_word"),
        (b"PK\x03\x04 torn", "not_word"),
        (PLAIN[: len(PLAIN) // 2], "not_word"),
        (changed(PLAIN, {"word/document.xml": None}), "not_word"),
        (changed(PLAIN, {"word/document.xml": b"<w:document"}), "not_word"),
        (changed(PLAIN, {"word/x.xml": ENTITY}), "not_word"),
        (changed(PLAIN, {"word/vbaProject.bin": b"x"}), "macros"),
        (changed(PLAIN, {"word/activeX/activeX1.xml": b"<a/>"}), "macros"),
        (_related("image", "http://example.com/pixel.png"), "external"),
        (_related("attachedTemplate", "http://example.com/evil.dotm"), "external"),
        (_related("hyperlink", "file:///etc/passwd"), "external"),
        (_related("image", "file:///etc/passwd", "Internal"), "external"),
        (_related("image", "\\\\server\\share\\x.png", "Internal"), "external"),
        (_related("image", "http://example.com/pixel.png", "external"), "external"),
        (changed(PLAIN, {"word/media/huge.png": _picture(30_000, 30_000)}), "bomb"),
        (_related("oleObject", "embeddings/oleObject1.bin", "Internal"), "embedded"),
        (_related("aFChunk", "chunk.html", "Internal"), "foreign_part"),
        (_with_field(' INCLUDEPICTURE "http://example.com/x.png" '), "reaching_field"),
        (_with_field(" DDEAUTO c:\\\\cmd "), "reaching_field"),
        (changed(PLAIN, {"word/media/big.bin": b"\0" * (guarding.MOST_PACKED * 20_000)}), "bomb"),
        (changed(PLAIN, {f"word/media/{number}": b"x" for number in range(guarding.MOST_PARTS)}), "bomb"),
    ],
)  # fmt: skip
def test_what_is_dangerous_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check(content)
    assert refused.value.code == code


def test_a_document_with_macros_is_known_by_its_content_type() -> None:
    types = part(PLAIN, "[Content_Types].xml").replace(
        guarding.DOCUMENT.encode(), b"application/vnd.ms-word.document.macroEnabled.main+xml"
    )
    with pytest.raises(Refused, match="macros"):
        check(changed(PLAIN, {"[Content_Types].xml": types}))


def test_too_large_and_twice_the_same_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    twice = tmp_path / "twice.docx"
    twice.write_bytes(PLAIN)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("word/document.xml", b"<other/>")
    with pytest.raises(Refused, match="not_word"):
        check(twice.read_bytes())
    monkeypatch.setattr(guarding, "LARGEST", 10)
    with pytest.raises(Refused, match="too_large"):
        check(PLAIN)
