"""The shape of the house: files one can read at a sitting, rooms that say what they are for, nothing left undone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("engine", "connectors", "processes", "webapp")
MODULES = sorted(
    path
    for floor in FLOORS
    for path in (ROOT / floor).rglob("*.py")
    if "versions" not in path.parts and "node_modules" not in path.parts
)
LONGEST = 500
"""the limit of a list of tables; most modules are a quarter of it"""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_are_only_the_agreed_folders() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(FLOORS)


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_says_what_it_is_for_and_fits_the_mind(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or not tree.body, "a module opens with one sentence"
    assert text.count("\n") <= LONGEST


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_nothing_is_left_undone(module: Path) -> None:
    assert not re.search(r"\b(?:TODO|FIXME|XXX)\b", module.read_text(encoding="utf-8"))
