"""Draws a PrintedInstance: as one self-contained HTML page, and as a Word file."""

from __future__ import annotations

import base64
import io
from functools import cache
from pathlib import Path

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connectors import word
from engine.i18n import _, current_locale, reading_as
from processes.document import rules
from processes.document.operations.form import Facts, Lines, Value
from processes.document.operations.printed import WORDS, Opinion, PrintedInstance

TEMPLATES = Path(__file__).parents[3] / "templates"

WORD_TYPE = rules.WORD_TYPE

QR_MM = 24
SIGNATURE_MM = (9.0, 23.0)


def as_html(printed: PrintedInstance, *, nonce: str = "", tools: str = "") -> str:
    """A page that needs nothing else: style, pictures and QR code are in it.

    nonce: of the answer's content security policy.  tools: what the site puts above the paper, never printed.
    """
    with reading_as(printed.locale):
        template = _environment().get_template("instance.html")
        return template.render(
            p=printed,
            words={name: str(sentence) for name, sentence in WORDS.items()},
            top=[(str(WORDS[name]), text) for name, text in heading_pairs(printed)],
            chain=_chain(printed),
            foot=_foot(printed),
            page_words=_page_words(),
            qr=Markup(_code(printed).svg_inline(border=0, scale=1, omitsize=True)),  # noqa: S704 - made of digits here
            nonce=nonce,
            tools=Markup(tools),  # noqa: S704 - the site's own fragment
        )


def as_word(printed: PrintedInstance) -> bytes:
    with reading_as(printed.locale):
        return word.write(_paper(printed))


def _code(printed: PrintedInstance) -> segno.QRCode:
    return segno.make_qr(printed.address, error="m")


def _foot(printed: PrintedInstance) -> str:
    return str(_("Printed by {who}, {when}", who=printed.printed_by, when=printed.printed_on))


def _page_words() -> str:
    return str(_("Page {page} of {pages}", page="{page}", pages="{pages}"))


# ------------------------------------------------------------------------------------------------- HTML


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "print"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"css": _css, "counted": _counted, "picture": _picture, "sums": sums, "missing": missing}
    return environment


def _css(text: str) -> Markup:
    """A CSS string: every sign but the plainest as its number, so that no name can end it."""
    return Markup('"{}"').format(
        Markup("".join(sign if sign.isascii() and sign.isalnum() else f"\\{ord(sign):06x}" for sign in text))  # noqa: S704
    )


def _counted(words: str) -> Markup:
    """Words like "Page {page} of {pages}" as the content of a page's margin."""
    before, _place, rest = words.partition("{page}")
    between, _places, after = rest.partition("{pages}")
    return Markup(" ").join((_css(before), "counter(page)", _css(between), "counter(pages)", _css(after)))


def _picture(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


# ------------------------------------------------------------------------------------------------- Word


def _paper(printed: PrintedInstance) -> word.Paper:
    words = {name: str(sentence) for name, sentence in WORDS.items()}
    blocks: list[word.Block] = []
    if not printed.finished:
        blocks.append(word.Paragraph(words["not_finished"], strong=True))
    blocks.append(_heading_facts(printed, words))
    for section in printed.sections:
        blocks.append(word.Heading(section.title or words["form"]))
        for block in section.blocks:
            blocks += _lines(block, words) if isinstance(block, Lines) else [_facts(block, words)]
    blocks += [word.Heading(words["opinions"]), _opinions(printed.opinions, words)]
    if printed.files:
        blocks += [word.Heading(words["files"]), _files(printed)]
    blocks += [
        word.Heading(words["history"]),
        word.Paragraph(_chain(printed), small=True),
        word.Paragraph(f"{words['scan']}: {printed.address}", small=True),
    ]
    return word.Paper(
        title=printed.process,
        subtitle=printed.title,
        blocks=tuple(blocks),
        corner=word.Picture(_png(printed), QR_MM),
        language="zh-CN" if current_locale().startswith("zh") else "en-GB",
        author=printed.printed_by,
        made_at=printed.printed_at,
        head=(printed.company, f"{words['number']} {printed.number}"),
        foot=_foot(printed),
        page_words=_page_words(),
    )


def heading_pairs(printed: PrintedInstance) -> list[tuple[str, str]]:
    """What stands above the form: (name in WORDS, text), without what is not there."""
    pairs = [
        ("number", str(printed.number)),
        ("file_number", printed.file_number),
        ("starter", printed.starter),
        ("department", printed.department),
        ("started_at", printed.started_at),
        ("ended_at", printed.ended_at),
        ("state", printed.state),
        ("version", str(printed.process_version)),
    ]
    return [(name, text) for name, text in pairs if text]


def _heading_facts(printed: PrintedInstance, words: dict[str, str]) -> word.Facts:
    pairs = [(words[name], word.Cell(text)) for name, text in heading_pairs(printed)]
    return word.Facts(tuple(tuple(pairs[n : n + 2]) for n in range(0, len(pairs), 2)))


def _facts(block: Facts, words: dict[str, str]) -> word.Facts:
    return word.Facts(tuple(tuple((one.label, word.Cell(_text(one, words))) for one in row) for row in block.rows))


def _text(value: Value, words: dict[str, str]) -> str:
    if value.in_capitals:
        return f"{value.text}\n{words['in_capitals']}: {value.in_capitals}"
    return value.text or "—"


def _lines(block: Lines, words: dict[str, str]) -> list[word.Block]:
    columns = tuple(word.Column(one.title, one.share, "right" if one.is_amount else "left") for one in block.columns)
    rows = tuple(tuple(word.Cell(text) for text in row) for row in block.rows)
    label = word.Paragraph(block.label, strong=True)
    if not rows:
        return [label, word.Paragraph(words["none"], small=True)]
    return [label, word.Table(columns, rows, sums(block, words["sum"]))]


def sums(block: Lines, word_for_it: str) -> tuple[str, ...]:
    """The last line of a table: its word stands in the first column that has no sum, if there is one."""
    if not block.totals:
        return ()
    texts = list(block.totals)
    if "" in texts:
        texts[texts.index("")] = word_for_it
    return tuple(texts)


def _opinions(opinions: tuple[Opinion, ...], words: dict[str, str]) -> word.Table:
    signed = any(one.signature_sha256 for one in opinions)
    columns = [
        word.Column(words["step"], 26),
        word.Column(words["who"], 28),
        word.Column(words["result"], 18),
        word.Column(words["said"], 44),
        word.Column(words["at"], 31),
    ]
    if signed:
        columns.append(word.Column(words["signature"], 30))
    height, width = SIGNATURE_MM
    rows = []
    for one in opinions:
        cells = [word.Cell(text) for text in (one.step, one.who, one.result, one.said, one.at)]
        if signed:
            picture = word.Picture(one.signature, height, width) if one.signature else None
            cells.append(word.Cell(missing(one), picture))
        rows.append(tuple(cells))
    return word.Table(tuple(columns), tuple(rows))


def missing(opinion: Opinion) -> str:
    """What stands where a signature should be whose picture is lost."""
    if opinion.signature_sha256 and opinion.signature is None:
        return str(_("picture missing ({hash})", hash=opinion.signature_sha256[:12]))
    return ""


def _files(printed: PrintedInstance) -> word.Facts:
    return word.Facts(tuple(((file.size, word.Cell(f"{file.name}\nSHA-256 {file.sha256}")),) for file in printed.files))


def _chain(printed: PrintedInstance) -> str:
    return str(
        _("{count} lines; SHA-256 of the last: {hash}", count=printed.chain_lines, hash=printed.chain_head or "—")
    )


def _png(printed: PrintedInstance) -> bytes:
    output = io.BytesIO()
    _code(printed).save(output, kind="png", scale=8, border=0)
    return output.getvalue()
