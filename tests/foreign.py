"""Diagrams that others drew: licensed to be used, not copied into the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("YUNLIU_DIAGRAMS", Path(__file__).parents[2] / "shared" / "data"))
ABSENT = "no diagrams of others in"
"""How the reason of such a skip begins: nothing that can be installed is missing, so no run may insist on it."""


def diagrams(name: str) -> Path:
    """The folder of this name; without it the whole module is skipped."""
    found = FOLDER / name
    if not found.is_dir():
        pytest.skip(f"{ABSENT} {found}: set YUNLIU_DIAGRAMS to the folder that holds them", allow_module_level=True)
    return found
