"""Tracked changes: listed, accepted, rejected and written, in the body, headers, footers and notes alike."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from lxml import etree

from connectors.word import guarding
from connectors.word.faults import Place, Refused
from connectors.word.guarding import W
from connectors.word.reading import WordPart, parts_of, place_of, text_of, with_parts

Kind = Literal["insertion", "deletion", "move_from", "move_to", "format"]

_MARKS: dict[str, Kind] = {
    f"{W}ins": "insertion",
    f"{W}del": "deletion",
    f"{W}moveFrom": "move_from",
    f"{W}moveTo": "move_to",
    **{
        f"{W}{name}": "format"
        for name in (
            "rPrChange", "pPrChange", "tblPrChange", "tcPrChange", "trPrChange", "sectPrChange", "tblGridChange",
            "tblPrExChange", "numberingChange",
        )
    },
    f"{W}cellIns": "insertion",
    f"{W}cellDel": "deletion",
}  # fmt: skip
_RANGES = tuple(
    f"{W}{name}" for name in ("moveFromRangeStart", "moveFromRangeEnd", "moveToRangeStart", "moveToRangeEnd")
)
_ADDS = {"insertion", "move_to"}
_TAKES = {"deletion", "move_from"}
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


@dataclass(frozen=True, slots=True)
class Revision:
    """One tracked change. `id` is ours: part and number in reading order, stable while the file is."""

    id: str
    kind: Kind
    author: str
    at: datetime | None
    text: str
    """what is added or taken; "" for a paragraph mark and for a change of looks"""
    place: Place


def list_revisions(docx: bytes) -> list[Revision]:
    guarding.check(docx)
    return [_revision(part, mark, name) for part in parts_of(docx) for name, mark in _marks(part)]


def accept(docx: bytes, ids: Collection[str] | None = None) -> bytes:
    """The file with these changes made for good, all without `ids`. An id that is not there is Refused."""
    return _settle(docx, ids, _accept)


def reject(docx: bytes, ids: Collection[str] | None = None) -> bytes:
    """The file with these changes undone, all without `ids`."""
    return _settle(docx, ids, _reject)


def _marks(part: WordPart) -> Iterator[tuple[str, Any]]:
    for number, mark in enumerate(one for one in part.root.iter() if one.tag in _MARKS):
        yield f"{part.name.removeprefix('word/').removesuffix('.xml')}:{number}", mark


def _revision(part: WordPart, mark: Any, name: str) -> Revision:
    paragraph = next(mark.iterancestors(f"{W}p"), None)
    return Revision(
        id=name,
        kind=_MARKS[mark.tag],
        author=str(mark.get(f"{W}author") or ""),
        at=_instant(mark.get(f"{W}date")),
        text="".join(one.text or "" for one in mark.iter(f"{W}t", f"{W}delText")),
        place=place_of(part.kind, paragraph) if paragraph is not None else Place(part.kind, "", in_row=True),
    )


def _instant(written: str | None) -> datetime | None:
    """Word writes a local time and calls it UTC; without a zone it is taken for UTC all the same."""
    try:
        at = datetime.fromisoformat(written) if written else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


# ------------------------------------------------------------------------------------------------- settling


def _settle(docx: bytes, ids: Collection[str] | None, settle: Callable[[Any, Kind], None]) -> bytes:
    guarding.check(docx)
    wanted = set(ids) if ids is not None else None
    changed: dict[str, Any] = {}
    for part in parts_of(docx):
        for name, mark in sorted(_marks(part), key=lambda one: _ends_paragraph(one[1])):
            if wanted is not None and name not in wanted:
                continue
            if wanted is not None:
                wanted.discard(name)
            changed[part.name] = part.root
            if mark.getparent() is not None:
                settle(mark, _MARKS[mark.tag])
        if part.name in changed and not any(one.tag in _MARKS for one in part.root.iter()):
            for one in list(part.root.iter(*_RANGES)):
                one.getparent().remove(one)
    if wanted:
        raise Refused("no_such_revision", ", ".join(sorted(wanted)))
    return with_parts(docx, changed) if changed else docx


def _ends_paragraph(mark: Any) -> bool:
    """A change of a paragraph's end, settled after the words: only then is it known what the paragraph still holds."""
    above = mark.getparent()
    return bool(above.tag == f"{W}rPr" and above.getparent() is not None and above.getparent().tag == f"{W}pPr")


def _accept(mark: Any, kind: Kind) -> None:
    if kind == "format":
        _remove(mark)
    elif kind in _ADDS:
        _keep(mark)
    else:
        _take_away(mark)


def _reject(mark: Any, kind: Kind) -> None:
    if kind == "format":
        _former_looks(mark)
    elif kind in _ADDS:
        _take_away(mark)
    else:
        _keep(mark)


def _keep(mark: Any) -> None:
    """What is inside stands as if it had always been there."""
    for struck in list(mark.iter(f"{W}delText")):
        struck.tag = f"{W}t"
    for struck in list(mark.iter(f"{W}delInstrText")):
        struck.tag = f"{W}instrText"
    above = mark.getparent()
    at = above.index(mark)
    for child in reversed(list(mark)):
        above.insert(at + 1, child)
    above.remove(mark)


def _take_away(mark: Any) -> None:
    above = mark.getparent()
    if _ends_paragraph(mark):
        _join_with_next(mark, next(mark.iterancestors(f"{W}p")))
    elif above.tag == f"{W}trPr":
        row = next(mark.iterancestors(f"{W}tr"))
        table = row.getparent()
        _remove(row)
        if not any(True for _one in table.iter(f"{W}tr")):
            _remove(table)
    elif mark.tag in {f"{W}cellIns", f"{W}cellDel"}:
        cell = next(mark.iterancestors(f"{W}tc"))
        _remove(cell)
    else:
        _remove(mark)


def _join_with_next(mark: Any, paragraph: Any) -> None:
    """The end of a paragraph goes: its words become the beginning of the next, whose looks they take; where none
    follows an empty one simply goes.
    """
    _remove(mark)
    following, before = paragraph.getnext(), paragraph.getprevious()
    content = [one for one in paragraph if one.tag != f"{W}pPr"]
    if following is None or following.tag != f"{W}p":
        if not content and before is not None and before.tag == f"{W}p" and paragraph.find(f".//{W}sectPr") is None:
            _remove(paragraph)
        return
    start = 1 if len(following) and following[0].tag == f"{W}pPr" else 0
    for number, one in enumerate(content):
        following.insert(start + number, one)
    _remove(paragraph)


def _former_looks(mark: Any) -> None:
    """The properties as they were before; what is no property of looks (a section's headers) stays."""
    properties = mark.getparent()
    former = next(iter(mark), None)
    kept = [one for one in properties if one is not mark and one.tag in _STAYS]
    for one in list(properties):
        properties.remove(one)
    if properties.tag == f"{W}rPr":
        properties.extend(kept)
        kept = []
    for one in list(former) if former is not None else ():
        properties.append(one)
    if properties.tag == f"{W}sectPr":
        for one in reversed(kept):
            properties.insert(0, one)
    else:
        properties.extend(kept)


_STAYS = {f"{W}{name}" for name in ("headerReference", "footerReference", "rPr", "sectPr", "ins", "del")}


def _remove(element: Any) -> None:
    above = element.getparent()
    if above is not None:
        above.remove(element)


# ------------------------------------------------------------------------------------------------- writing


def replace_text(docx: bytes, old: str, new: str, *, author: str, at: datetime) -> tuple[bytes, int]:
    """Write `new` in place of `old` wherever it stands, as a tracked change that keeps the looks of its run.

    Returns the file and how often.
    """
    guarding.check(docx)
    changed: dict[str, Any] = {}
    count = 0
    for part in parts_of(docx):
        number = max((int(one.get(f"{W}id") or 0) for one in part.root.iter() if one.tag in _MARKS), default=900) + 1
        for paragraph in list(part.root.iter(f"{W}p")):
            while True:
                at_ = text_of(paragraph).find(old) if old else -1
                runs = _runs_of(paragraph, at_, len(old)) if at_ >= 0 else []
                if not runs:
                    break
                _replace(runs, new, author, at, number)
                number, count = number + 2, count + 1
                changed[part.name] = part.root
                if old in new:
                    break
    return (with_parts(docx, changed) if changed else docx), count


def _runs_of(paragraph: Any, start: int, length: int) -> list[Any]:
    """The runs that hold exactly these signs; runs are cut where need be. [] where they do not lie in plain runs."""
    found: list[Any] = []
    position = 0
    for run in list(paragraph.iter(f"{W}r")):
        texts = [one for one in run if one.tag == f"{W}t"]
        words = "".join(one.text or "" for one in texts)
        first, last = max(start - position, 0), min(start + length - position, len(words))
        position += len(words) + sum(one.tag in {f"{W}tab", f"{W}br", f"{W}cr"} for one in run)
        if first >= last:
            continue
        others = [one for one in run if one.tag not in {f"{W}t", f"{W}rPr"}]
        if others or run.getparent().tag in _MARKS:
            return []
        found.append(_cut(run, words, first, last))
    return found


def _cut(run: Any, words: str, first: int, last: int) -> Any:
    """The run of words[first:last], with what stands before and after in runs of the same looks."""
    for text, add in ((words[:first], run.addprevious), (words[last:], run.addnext)):
        if text:
            add(_run(run, text))
    for one in [one for one in run if one.tag == f"{W}t"]:
        run.remove(one)
    run.append(_text(words[first:last], "t"))
    return run


def _run(like: Any, text: str) -> Any:
    """A run with the properties of another: font, eastern font, weight."""
    made = etree.Element(f"{W}r", nsmap=like.nsmap)
    properties = like.find(f"{W}rPr")
    if properties is not None:
        made.append(copy.deepcopy(properties))
    made.append(_text(text, "t"))
    return made


def _text(text: str, name: str) -> Any:
    made = etree.Element(f"{W}{name}")
    made.text = text
    made.set(_SPACE, "preserve")
    return made


def _replace(runs: list[Any], new: str, author: str, at: datetime, number: int) -> None:
    last = runs[-1]
    if new:
        inserted = _mark("ins", author, at, number)
        inserted.append(_run(runs[0], new))
        last.addnext(inserted)
    for run in runs:
        struck = _mark("del", author, at, number + 1)
        run.addprevious(struck)
        struck.append(run)
        for one in run.iter(f"{W}t"):
            one.tag = f"{W}delText"


def _mark(name: str, author: str, at: datetime, number: int) -> Any:
    made = etree.Element(f"{W}{name}")
    made.set(f"{W}id", str(number))
    made.set(f"{W}author", author)
    made.set(f"{W}date", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return made
