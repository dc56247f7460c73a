"""Word files as another reader of them sees them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import UTC, datetime

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm

from connectors import word

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def png(width: int = 120, height: int = 40) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    dots = zlib.compress((b"\0" + b"\xff" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", dots) + chunk(b"IEND", b"")


def written(*blocks: word.Block, **more: object) -> tuple[object, str]:
    """(the document as python-docx reads it, its XML)"""
    content = word.write(word.Paper("费用申请", "拜访客户", blocks, made_at=AT, **more))  # type: ignore[arg-type]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return Document(io.BytesIO(content)), archive.read("word/document.xml").decode()


def table_of(rows: int) -> word.Table:
    columns = (word.Column("类别", 2), word.Column("金额", 1, "right"))
    lines = tuple((word.Cell(f"差旅 {n}"), word.Cell(f"{n}.00")) for n in range(rows))
    return word.Table(columns, lines, ("合计", "9.00"))


def test_a_table_repeats_its_head_and_keeps_its_rows_whole() -> None:
    document, _xml = written(table_of(60))
    table = document.tables[1]  # type: ignore[attr-defined]
    assert len(table.rows) == 62
    heads = [row._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in table.rows]
    assert heads == [True] + [False] * 61
    whole = [row._tr.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in table.rows]
    assert all(whole[:-1])
    assert [cell.text for cell in table.rows[-1].cells] == ["合计", "9.00"]
    assert table.rows[1].cells[1].paragraphs[0].alignment == 2


def test_chinese_has_fonts_of_its_own_and_the_page_is_a4() -> None:
    document, _xml = written(word.Heading("表单"))
    faces = {}
    for name in ("Normal", "Title", "Heading 1"):
        fonts = document.styles[name].element.rPr.rFonts  # type: ignore[attr-defined]
        faces[name] = fonts.get(qn("w:eastAsia"))
        assert fonts.get(qn("w:eastAsiaTheme")) is None
    assert faces == {"Normal": "宋体", "Title": "等线", "Heading 1": "等线"}
    section = document.sections[0]  # type: ignore[attr-defined]
    assert (round(section.page_width / Mm(1)), round(section.page_height / Mm(1))) == (210, 297)


def test_head_and_foot_count_the_pages() -> None:
    document, _xml = written(head=("云启", "编号 1"), foot="打印", page_words="第 {page} 页，共 {pages} 页")
    section = document.sections[0]  # type: ignore[attr-defined]
    assert section.header.paragraphs[0].text == "云启\t编号 1"
    assert section.footer.paragraphs[0].text == "打印\t第 1 页，共 1 页"
    fields = [one.text.strip() for one in section.footer._element.iter(qn("w:instrText"))]
    assert fields == ["PAGE", "NUMPAGES"]


def test_facts_pair_up_and_a_single_one_spans() -> None:
    pair = (("编号", word.Cell("1")), ("状态", word.Cell("已完成")))
    document, _xml = written(word.Facts((pair, (("补充", word.Cell("第一行\n第二行")),))))
    rows = document.tables[1].rows  # type: ignore[attr-defined]
    assert [cell.text for cell in rows[0].cells] == ["编号", "1", "状态", "已完成"]
    assert {cell.text for cell in rows[1].cells[1:]} == {"第一行\n第二行"}


def test_pictures_are_as_large_as_asked_and_never_wider() -> None:
    document, xml = written(word.Picture(png(120, 40), 10), word.Picture(png(600, 40), 10, 24))
    shapes = document.inline_shapes  # type: ignore[attr-defined]
    assert [(round(s.width / 36000), round(s.height / 36000)) for s in shapes] == [(30, 10), (24, 2)]
    assert xml.count("<pic:pic") == 2


@pytest.mark.parametrize("content", [b"", b"no picture", png()[:20], b"\x89PNG\r\n\x1a\n"])
def test_a_spoilt_picture_spoils_no_paper(content: bytes) -> None:
    document, xml = written(word.Picture(content, 10), word.Paragraph("danach"))
    assert "<pic:pic" not in xml
    assert document.paragraphs[-1].text == "danach"  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["a\x00b\x0bc", "\ud800", "<w:p>&amp;", "]]>", "=1+1", "🖋"])
def test_no_text_breaks_the_file(text: str) -> None:
    document, _xml = written(
        word.Paragraph(text), word.Facts((((text, word.Cell(text)),),)), head=(text, text), foot=text, author=text
    )
    said = document.paragraphs[-2].text if document.paragraphs[-1].text == "" else ""  # type: ignore[attr-defined]
    printable = text.replace("\x00", "\ufffd").replace("\x0b", "\ufffd").replace("\ud800", "\ufffd")
    assert printable in {said, *(p.text for p in document.paragraphs)}  # type: ignore[attr-defined]


def test_it_says_who_made_it_when() -> None:
    document, _xml = written(author="郑凯")
    properties = document.core_properties  # type: ignore[attr-defined]
    assert (properties.author, properties.title, properties.comments) == ("郑凯", "费用申请", "")
    assert properties.created.replace(tzinfo=UTC) == AT
