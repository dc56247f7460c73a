"""A page asks nobody but us: no script, style, font, image or request of another host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEBAPP = Path(__file__).parents[2] / "webapp"
TEMPLATES = sorted((WEBAPP / "templates").rglob("*.html"))
STYLES = sorted((WEBAPP / "static").rglob("*.css"))
SCRIPTS = sorted([*(WEBAPP / "static" / "app").rglob("*.js"), *(WEBAPP / "frontend" / "src").rglob("*.js")])

LOADED = re.compile(r"""(?:\bsrc|\bsrcset|\bposter|\bdata|\bhx-get|\bhx-post)\s*=\s*["']\s*(?:https?:)?//""")
LINKED = re.compile(r"""<link\b[^>]*\bhref\s*=\s*["']\s*(?:https?:)?//""")
IN_STYLE = re.compile(r"""url\(\s*["']?\s*(?:https?:)?//|@import""")
NAMESPACES = re.compile(
    r"https?://(?:www\.w3\.org|www\.omg\.org|bpmn\.io/schema|camunda\.org/schema|flowable\.org|activiti\.org)"
)
ADDRESS = re.compile(r"https?://[\w.-]+")


def name(path: Path) -> str:
    return str(path.relative_to(WEBAPP))


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_a_template_loads_nothing_from_elsewhere(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not LOADED.search(text)
    assert not LINKED.search(text)


@pytest.mark.parametrize("style", STYLES, ids=name)
def test_a_style_sheet_loads_nothing_from_elsewhere(style: Path) -> None:
    assert not IN_STYLE.search(style.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_our_scripts_name_no_other_host(script: Path) -> None:
    code = re.sub(r"/\*.*?\*/|^\s*//.*$", "", script.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert ADDRESS.findall(NAMESPACES.sub("", code)) == []
