"""Writes a Paper as .docx. No I/O: the same paper gives the same words whoever asks."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.image.exceptions import InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table as WordTable, _Cell as WordCell
from docx.text.paragraph import Paragraph as WordParagraph
from docx.text.run import Run

from connectors.word.paper import Align, Cell, Column, Facts, Heading, Paper, Paragraph, Picture, Table

WIDTH, HEIGHT = 210, 297
MARGIN, MARGIN_TOP = 18, 20
TEXT_WIDTH = WIDTH - 2 * MARGIN
LABEL_WIDTH = 26

BODY = ("Times New Roman", "宋体")
HEADINGS = ("Arial", "等线")
"""(Latin, East Asian): Word picks by the sign, and would else set Chinese in whatever its theme names."""

_ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_FIELD = re.compile(r"(\{page\}|\{pages\})")
_FIELDS = {"{page}": "PAGE", "{pages}": "NUMPAGES"}
_NO_PICTURE = (InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError)
_GREY = RGBColor(0x55, 0x55, 0x55)


def write(paper: Paper) -> bytes:
    """The file's bytes."""
    document = Document()
    _lay_out(document, paper)
    _title(document, paper)
    for block in paper.blocks:
        match block:
            case Heading():
                document.add_heading(_plain(block.text), block.level)
            case Paragraph():
                _paragraph(document.add_paragraph(), block)
            case Facts():
                _facts(document, block)
            case Table():
                _table(document, block)
            case Picture():
                _picture(document.add_paragraph(), block)
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


# ------------------------------------------------------------------------------------------------- the page


def _lay_out(document: WordDocument, paper: Paper) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(WIDTH), Mm(HEIGHT)
    section.left_margin = section.right_margin = Mm(MARGIN)
    section.top_margin = section.bottom_margin = Mm(MARGIN_TOP)
    section.header_distance = section.footer_distance = Mm(10)
    _style(document, "Normal", BODY, 10.5, paper.language)
    document.styles["Normal"].paragraph_format.space_after = Pt(0)
    _style(document, "Title", HEADINGS, 18, paper.language, bold=True)
    for level, size in ((1, 12.5), (2, 11)):
        _style(document, f"Heading {level}", HEADINGS, size, paper.language, bold=True)
        spacing = document.styles[f"Heading {level}"].paragraph_format
        spacing.space_before, spacing.space_after, spacing.keep_with_next = Pt(12), Pt(4), True
    _running(section.header.paragraphs[0], paper.head[0], paper.head[1])
    _running(section.footer.paragraphs[0], paper.foot, paper.page_words)
    properties = document.core_properties
    properties.title, properties.author, properties.language = _plain(paper.title), _plain(paper.author), paper.language
    properties.comments = ""
    if paper.made_at is not None:
        properties.created = properties.modified = paper.made_at.replace(tzinfo=None)


def _style(
    document: WordDocument, name: str, fonts: tuple[str, str], size: float, language: str, *, bold: bool = False
) -> None:
    style: Any = document.styles[name]
    latin, east_asian = fonts
    font = style.font
    font.name, font.size, font.bold, font.color.rgb = latin, Pt(size), bold, RGBColor(0, 0, 0)
    properties = style.element.get_or_add_rPr()
    faces = properties.get_or_add_rFonts()
    for kind, face in (("ascii", latin), ("hAnsi", latin), ("cs", latin), ("eastAsia", east_asian)):
        faces.set(qn(f"w:{kind}"), face)
    for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):  # a theme's font would win
        faces.attrib.pop(qn(f"w:{kind}"), None)
    for old in properties.findall(qn("w:lang")):
        properties.remove(old)
    spoken = OxmlElement("w:lang")
    spoken.set(qn("w:val"), language)
    spoken.set(qn("w:eastAsia"), language if language.startswith("zh") else "zh-CN")
    properties.append(spoken)
    if name == "Title":  # the default template underlines titles in blue
        for border in style.element.pPr.findall(qn("w:pBdr")):
            style.element.pPr.remove(border)


def _running(paragraph: WordParagraph, left: str, right: str) -> None:
    """A line of the page's head or foot; counting fields where the words ask for them."""
    stops = paragraph.paragraph_format.tab_stops
    stops.add_tab_stop(Mm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT)
    for text in (left, "\t", *_FIELD.split(right)):
        if text in _FIELDS:
            _count(paragraph, _FIELDS[text])
        else:
            _small(paragraph.add_run(_plain(text)))
    if paragraph.style is not None:
        tabs = paragraph.style.element.find(f"{qn('w:pPr')}/{qn('w:tabs')}")
        if tabs is not None:  # Word's own stops in the middle would catch our tab
            tabs.getparent().remove(tabs)


def _small(run: Run) -> Run:
    run.font.size, run.font.color.rgb = Pt(8.5), _GREY
    return run


def _count(paragraph: WordParagraph, field: str) -> None:
    """A field that counts: its marks each in a run of their own, or its figure would lose the run's look."""
    for kind in ("begin", "instruction", "separate", "figure", "end"):
        run = _small(paragraph.add_run("1" if kind == "figure" else ""))
        if kind == "figure":
            continue
        part = OxmlElement("w:instrText" if kind == "instruction" else "w:fldChar")
        if kind == "instruction":
            part.set(qn("xml:space"), "preserve")
            part.text = f" {field} "
        else:
            part.set(qn("w:fldCharType"), kind)
        inside: Any = run._r  # noqa: SLF001 - fields have no public name in python-docx
        inside.append(part)


def _title(document: WordDocument, paper: Paper) -> None:
    """Title and what stands below it, with the picture in the corner."""
    corner = 26 if paper.corner else 0
    table = _grid(document, (TEXT_WIDTH - corner, *([corner] if corner else [])), rows=1)
    words = table.cell(0, 0)
    words.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    title = words.paragraphs[0]
    title.style = "Title"
    title.add_run(_plain(paper.title))
    title.paragraph_format.space_after = Pt(2)
    below = words.add_paragraph()
    below.add_run(_plain(paper.subtitle)).font.color.rgb = _GREY
    if paper.corner:
        beside = table.cell(0, 1).paragraphs[0]
        beside.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        _picture(beside, paper.corner)
    for cell in table.rows[0].cells:
        _flush(cell)
    _after(document)


# ------------------------------------------------------------------------------------------------- blocks


def _paragraph(made: WordParagraph, block: Paragraph) -> None:
    made.alignment = _ALIGN[block.align]
    made.paragraph_format.space_after = Pt(3)
    made.paragraph_format.keep_with_next = block.strong  # it stands above something
    run = made.add_run(_plain(block.text))
    run.bold = block.strong
    if block.small:
        _small(run)


def _picture(made: WordParagraph, picture: Picture) -> None:
    """A picture that cannot be read leaves its place empty: a paper is never refused for it."""
    try:
        shape = made.add_run().add_picture(io.BytesIO(picture.png), height=Mm(picture.height_mm))
    except _NO_PICTURE:
        return
    if picture.width_mm is not None and shape.width > Mm(picture.width_mm):
        shape.height = int(shape.height * Mm(picture.width_mm) / shape.width)  # type: ignore[assignment]
        shape.width = Mm(picture.width_mm)


def _facts(document: WordDocument, block: Facts) -> None:
    value = (TEXT_WIDTH - 2 * LABEL_WIDTH) / 2
    table = _grid(document, (LABEL_WIDTH, value, LABEL_WIDTH, value), rows=len(block.rows), ruled=True)
    for number, pairs in enumerate(block.rows):
        cells = table.rows[number].cells
        _keep_whole(table, number)
        if len(pairs) == 1:
            places = [(cells[0], cells[1].merge(cells[3]))]
        else:
            places = [(cells[0], cells[1]), (cells[2], cells[3])]
        for (label, content), (left, right) in zip(pairs, places, strict=True):
            _fill(left, Cell(label), "left", grey=True)
            _fill(right, content, "left")
    _after(document)


def _table(document: WordDocument, block: Table) -> None:
    whole = sum(column.width_mm for column in block.columns) or 1
    widths = [column.width_mm * TEXT_WIDTH / whole for column in block.columns]
    table = _grid(document, widths, rows=1 + len(block.rows) + bool(block.totals), ruled=True)
    for place, column in zip(table.rows[0].cells, block.columns, strict=True):
        _fill(place, Cell(column.title, strong=True), column.align)
        _shade(place)
    _repeat(table)
    for number, row in enumerate(block.rows, start=1):
        _keep_whole(table, number)
        _line(table.rows[number].cells, block.columns, row)
    if block.totals:
        _line(table.rows[-1].cells, block.columns, [Cell(text, strong=True) for text in block.totals])
    _after(document)


def _line(places: Iterable[WordCell], columns: Iterable[Column], row: Iterable[Cell]) -> None:
    for place, column, cell in zip(places, columns, row, strict=True):
        _fill(place, cell, column.align)


def _fill(place: WordCell, cell: Cell, align: Align, *, grey: bool = False) -> None:
    paragraph = place.paragraphs[0]
    paragraph.alignment = _ALIGN[align]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    if cell.text:
        run = paragraph.add_run(_plain(cell.text))
        run.bold = cell.strong
        run.font.size = Pt(9.5)
        if grey:
            run.font.color.rgb = _GREY
    if cell.picture:
        _picture(place.add_paragraph() if cell.text else paragraph, cell.picture)


def _after(document: WordDocument) -> None:
    """Word joins two tables that touch."""
    gap = document.add_paragraph()
    gap.paragraph_format.line_spacing = Pt(6)


# ------------------------------------------------------------------------------------------------- tables in XML


def _grid(document: WordDocument, widths: Iterable[float], *, rows: int, ruled: bool = False) -> WordTable:
    """A table of fixed columns: Word and its relatives must not each find widths of their own."""
    sizes = [Mm(width) for width in widths]
    table: WordTable = document.add_table(rows=rows, cols=len(sizes))
    table.autofit = False
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    if ruled:
        table.style = "Table Grid"
    for column, size in zip(table.columns, sizes, strict=True):
        column.width = size
    for row in table.rows:
        for cell, size in zip(row.cells, sizes, strict=True):
            cell.width = size
    return table


def _repeat(table: WordTable) -> None:
    _mark_row(table, 0, "w:tblHeader")
    _mark_row(table, 0, "w:cantSplit")


def _keep_whole(table: WordTable, number: int) -> None:
    _mark_row(table, number, "w:cantSplit")


def _mark_row(table: WordTable, number: int, name: str) -> None:
    row: Any = table.rows[number]._tr  # noqa: SLF001 - no public name
    mark = OxmlElement(name)
    mark.set(qn("w:val"), "true")
    row.get_or_add_trPr().append(mark)


def _flush(place: WordCell) -> None:
    """No room at the sides of a cell: what stands in it begins where the text does."""
    inside: Any = place._tc  # noqa: SLF001 - no public name
    margins = OxmlElement("w:tcMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "0")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    inside.get_or_add_tcPr().append(margins)


def _shade(place: WordCell) -> None:
    inside: Any = place._tc  # noqa: SLF001 - no public name
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", "EDEDED")):
        shade.set(qn(f"w:{name}"), value)
    inside.get_or_add_tcPr().append(shade)
