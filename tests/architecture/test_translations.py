"""Every sentence people may read has its Chinese, with the same places in it."""

from __future__ import annotations

import re
import string
from functools import cache
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "webapp/translations/zh/LC_MESSAGES/messages.po"
FLOORS = ("engine", "connectors", "processes", "webapp")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext.babel_extract")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


@cache
def sentences() -> dict[str, str]:
    """Sentence -> where it stands."""
    found = {}
    for floor in FLOORS:
        rows = extract_from_dir(
            ROOT / floor, METHODS, options_map={"templates/**.html": {"silent": "false"}}, keywords=KEYWORDS,
            directory_filter=lambda path: Path(path).name not in {"node_modules", "versions", "static", "__pycache__"},
        )  # fmt: skip
        for file, line, message, _comments, _context in rows:
            for sentence in message if isinstance(message, tuple) else (message,):
                if sentence:
                    found[sentence] = f"{floor}/{file}:{line}"
    return found


@cache
def chinese() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        messages = [message for message in read_po(file, locale="zh") if message.id]
    return {str(message.id): str(message.string) for message in messages if not message.fuzzy}


def places(sentence: str) -> set[str]:
    """{name} and %(name)s alike."""
    named = {field for _text, field, _spec, _conversion in string.Formatter().parse(sentence) if field}
    return named | {part.split(")")[0] for part in sentence.split("%(")[1:]}


def test_every_sentence_has_its_chinese() -> None:
    assert len(sentences()) > 100, "the extraction finds too little to mean anything"
    missing = {sentence: where for sentence, where in sentences().items() if not chinese().get(sentence)}
    assert missing == {}


def test_a_translation_has_the_same_places() -> None:
    wrong = {sentence: text for sentence, text in chinese().items() if text and places(text) != places(sentence)}
    assert wrong == {}


def test_words_in_a_row_are_set_apart_in_one_place() -> None:
    """A Chinese mark in a template, or one that joins, stands on English pages too: listed() and set_apart() know."""
    pages = {
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in (ROOT / "webapp/templates").rglob("*.html")
        if file.name != "offline.html"  # speaks both languages at once
        for line in file.read_text().splitlines()
        if any(mark in re.sub(r"set_apart\(.{3}\)", "", line) for mark in "、，；：（）")
    }
    joins = {
        f"{file.relative_to(ROOT)}: {found}"
        for floor in ("engine", "processes", "webapp")
        for file in (ROOT / floor).rglob("*.py")
        if "demo" not in file.parts
        for found in re.findall(r"[\"'][、，；：][\"']\.join.*", file.read_text())
    }
    assert pages | joins == set()
