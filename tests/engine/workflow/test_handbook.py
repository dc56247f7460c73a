"""The page of the handbook that lists the elements is the table lint works by."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.workflow import elements

PAGE = Path(__file__).parents[3] / "docs" / "bpmn-elements.md"


def test_the_page_is_current() -> None:
    command = "python -m tests.engine.workflow.test_handbook > docs/bpmn-elements.md"
    assert PAGE.read_text() == elements.page(), f"run: {command}"


if __name__ == "__main__":
    sys.stdout.write(elements.page())
