"""What the documents promise is there: links, commands, and a reason for every dependency."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.cli import main
from webapp.settings import settings_table

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CODE = re.compile(r"^```(?:sh|console)?\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def names(document: Path) -> str:
    return str(document.relative_to(ROOT))


def anchors(document: Path) -> set[str]:
    """As forges make them of headings."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def links(document: Path) -> Iterator[str]:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    yield from (
        link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link and not link.startswith("mailto:")
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links(document):
        path, _hash, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link} does not exist"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_command_shown_exists(document: Path) -> None:
    code = "\n".join("".join(found) for found in CODE.findall(document.read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|[\s;&$])make (?:-k )?([a-z][a-z-]*)\b", code)) <= targets
    assert set(re.findall(r"(?:^|[\s;&/])yunliu ([a-z][a-z-]*)\b", code)) <= set(main.commands)


def declared() -> set[str]:
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    return {re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower() for requirement in wanted}


def test_every_dependency_has_its_reason_and_no_reason_has_lost_its_dependency() -> None:
    page = (ROOT / "docs/decisions/2026-11-23-dependencies.md").read_text()
    reasons = set(re.findall(r"^\| ([a-z0-9-]+) \| .{10,}", page, re.MULTILINE)) - {"package"}
    assert reasons == declared()


@pytest.mark.parametrize("lock", ["runtime.lock", "dev.lock"])
def test_the_locks_pin_what_is_declared_with_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    dependencies = PROJECT["project"]["dependencies"] + (
        PROJECT["dependency-groups"]["dev"] if lock == "dev.lock" else []
    )
    wanted = {re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower() for requirement in dependencies}
    assert wanted <= pinned
    assert len(re.findall(r"^[a-z0-9-]+==[^\n]*\\\n +--hash=sha256:", text, re.MULTILINE)) == len(
        re.findall(r"^[a-z0-9-]+==", text, re.MULTILINE)
    )


def test_the_operators_page_lists_the_settings_there_are() -> None:
    """Not as it should be? Paste `webapp.settings.settings_table()` between the two comments."""
    page = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
    between = page.split("do not edit by hand -->\n")[1].split("\n<!-- end of settings")[0]
    assert between == settings_table()
