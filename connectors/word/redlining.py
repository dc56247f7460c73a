"""Compares two Word files: the new one with every difference to the old as a tracked change."""

from __future__ import annotations

import fcntl
import importlib.metadata
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from python_redlines import DocxodusEngine
from python_redlines.engines import EngineNotInstalledError

from connectors.word import guarding, revisions
from connectors.word.faults import Refused

TIMEOUT = 60.0

_folder: Path | None = None

NOT_COMPARED = "not_compared"
NO_COMPARER = "no_comparer"


def install(folder: Path) -> None:
    """Say where the comparing program may be unpacked; called once at start."""
    global _folder
    _folder = folder


def compare(old: bytes, new: bytes, *, author: str, at: datetime) -> bytes:
    """What turns `old` into `new`, as changes of this author at this instant.

    Changes either file still carries are accepted first: they would be taken for words. Raises Refused.
    """
    for file in (old, new):
        guarding.check(file)
    engine = _engine()
    with tempfile.TemporaryDirectory(prefix="yunliu-word-") as name:
        paths = [Path(name) / f"{one}.docx" for one in ("old", "new", "redlined")]
        paths[0].write_bytes(revisions.accept(old))
        paths[1].write_bytes(revisions.accept(new))
        instant = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        command = engine._build_command(author, *(str(path) for path in paths), date_time=instant)  # noqa: SLF001
        try:  # not by its own run_redline: that one waits for ever
            subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT)
            return paths[2].read_bytes()
        except (subprocess.SubprocessError, OSError) as error:
            raise Refused(NOT_COMPARED) from error


def _engine() -> DocxodusEngine:
    """The comparer; its first use unpacks the program, which two processes must not do at once."""
    if _folder is None:
        return DocxodusEngine()
    try:
        version = importlib.metadata.version("python-redlines-docxodus")
        _folder.mkdir(parents=True, exist_ok=True)
        with (_folder / "redline.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return DocxodusEngine(target_path=str(_folder / f"redline-{version}"))
    except (EngineNotInstalledError, OSError, importlib.metadata.PackageNotFoundError) as error:
        raise Refused(NO_COMPARER) from error
