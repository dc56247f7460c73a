"""The committed third-party files are those that the build wrote down, and every licence is told."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "webapp" / "static"
VENDOR_PAGE = (STATIC / "VENDOR.md").read_text("utf-8")

HASHES = dict(re.findall(r"^\| ((?:vendor|dist)/\S+) \|.*\| `([0-9a-f]{64})` \|$", VENDOR_PAGE, re.MULTILINE))
PACKAGES = re.findall(r"^\| (@?[\w./-]+) \| (\d\S*|as shipped[^|]*|\d[^|]*) \| [^|]+ \|$", VENDOR_PAGE, re.MULTILINE)


def test_every_file_is_the_one_that_was_built() -> None:
    found = {
        file.relative_to(STATIC).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for folder in ("vendor", "dist")
        for file in (STATIC / folder).iterdir()
    }
    assert found == HASHES


def test_every_package_stands_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    assert len(PACKAGES) > 30
    assert [name for name, _version in PACKAGES if f"\n{name} (" not in notice] == []


def test_the_condition_of_the_diagram_library_is_kept() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    assert "the watermark must stay fully visible and not visually overlapped" in notice
    for bundle in ("bpmn-designer.js", "bpmn-viewer.js"):
        assert "bjs-powered-by" in (STATIC / "dist" / bundle).read_text("utf-8")
