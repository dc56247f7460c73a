"""Turns a Word file into PDF by LibreOffice, each job in a profile of its own, and a page of it into a picture."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.outcome import Health, LinkState
from connectors.word import guarding, revisions
from connectors.word.faults import NotPrinted

FONTS = Path(__file__).with_name("fonts.conf")
TIMEOUT = 60.0

NO_OFFICE = "no_office"

_PAGES = re.compile(rb"^Pages:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Printed:
    pdf: bytes
    pages: int


def office() -> str | None:
    """The LibreOffice of this machine."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def health() -> Health:
    return Health(LinkState.UP) if office() else Health(LinkState.DEGRADED, NO_OFFICE)


def pdf(docx: bytes, *, timeout: float = TIMEOUT, with_marks: bool = False) -> Printed:
    """The file on paper. with_marks: tracked changes stay visible; what is signed must not show any.

    Raises Refused for what is no Word file, and NotPrinted: no_office, timeout, failed, no_pages.
    """
    guarding.check(docx)  # LibreOffice prints any text that is called .docx
    program = office()
    if program is None:
        raise NotPrinted(NO_OFFICE)
    if not with_marks:
        docx = revisions.accept(docx)
    with tempfile.TemporaryDirectory(prefix="yunliu-word-") as name:
        folder = Path(name)
        (folder / "document.docx").write_bytes(docx)
        # Two runs with one profile: the second ends without a file and without a word.
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        _run(
            [program, profile, "--headless", "--norestore", "--convert-to", "pdf:writer_pdf_Export", "document.docx"],
            folder,
            timeout,
            {"FONTCONFIG_FILE": str(FONTS), "HOME": name, "SAL_USE_VCLPLUGIN": "svp"},
        )
        made = folder / "document.pdf"
        content = made.read_bytes() if made.exists() else b""
        if not content.startswith(b"%PDF-"):
            raise NotPrinted("failed")
        pages = _pages(made, folder)
    if pages < 1:
        raise NotPrinted("no_pages")
    return Printed(content, pages)


def png(pdf: bytes, page: int, dpi: int = 110) -> bytes:
    """A page, counted from 1, as a picture."""
    with tempfile.TemporaryDirectory(prefix="yunliu-word-") as name:
        folder = Path(name)
        (folder / "document.pdf").write_bytes(pdf)
        at = str(page)
        command = ["pdftoppm", "-png", "-singlefile", "-r", str(dpi), "-f", at, "-l", at, "document.pdf", "page"]
        _run(command, folder, TIMEOUT)
        made = folder / "page.png"
        if not made.exists():
            raise NotPrinted("no_pages")
        return made.read_bytes()


def _pages(made: Path, folder: Path) -> int:
    """As poppler counts them; without poppler at least one, for there is a PDF."""
    if shutil.which("pdfinfo") is None:
        return 1
    found = _PAGES.search(_run(["pdfinfo", str(made)], folder, TIMEOUT))
    return int(found[1]) if found else 0


def _run(command: Sequence[str], folder: Path, timeout: float, more: Mapping[str, str] | None = None) -> bytes:
    """The program's words. It is started in a group of its own: LibreOffice is a shell, a starter and the office."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    try:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise NotPrinted("failed", command[0]) from error
    with running:
        try:
            said, _nothing = running.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise NotPrinted("timeout") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
    if running.returncode:
        raise NotPrinted("failed", str(running.returncode))
    return said
