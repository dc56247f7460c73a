import os
import shutil
import stat
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.word import printing
from connectors.word.faults import NotPrinted, Refused
from connectors.word.printing import pdf, png
from connectors.word.revisions import replace_text
from tests.connectors.word_files import docx


@pytest.fixture
def office() -> None:
    if printing.office() is None or shutil.which("pdftoppm") is None:
        pytest.skip("install libreoffice-writer-nogui and poppler-utils")


def _fake_office(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "soffice"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.slow
def test_two_jobs_at_once_print_without_marks_in_the_right_fonts(office: None, tmp_path: Path) -> None:
    marked, _count = replace_text(
        docx("价款为一万元"), "一万元", "两万元", author="x", at=datetime(2026, 11, 27, tzinfo=UTC)
    )
    made: list[printing.Printed] = []
    jobs = [threading.Thread(target=lambda: made.append(pdf(marked))) for _number in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [one.pages for one in made] == [1, 1]
    paper = tmp_path / "a.pdf"
    paper.write_bytes(made[0].pdf)
    words = subprocess.run(["pdftotext", str(paper), "-"], capture_output=True, check=True).stdout.decode()
    assert words.split() == ["价款为两万元"]
    assert png(made[0].pdf, 1).startswith(b"\x89PNG")
    with pytest.raises(NotPrinted, match="failed"):
        png(made[0].pdf, 9)


def test_what_is_no_word_file_never_reaches_the_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_office(tmp_path, f"touch {tmp_path}/started", monkeypatch)
    with pytest.raises(Refused, match="not_word"):
        pdf("只是文字".encode())
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", "failed"), ("exit 1", "failed"), ("echo x > document.pdf", "failed")]
)
def test_an_office_that_ends_without_a_file_is_noticed(
    script: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_office(tmp_path, script, monkeypatch)
    with pytest.raises(NotPrinted, match=code):
        pdf(docx("x"))


def test_an_office_that_hangs_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_office(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait", monkeypatch)
    with pytest.raises(NotPrinted, match="timeout"):
        pdf(docx("x"), timeout=1)
    child = int((tmp_path / "child").read_text())
    for _moment in range(100):  # SIGKILL has been sent, but the kernel takes its time
        if not _runs(child):
            break
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Not a zombie either: without an init process nobody may collect an orphan."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_machine_without_an_office_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "office", lambda: None)
    with pytest.raises(NotPrinted, match="no_office"):
        pdf(docx("x"))
    health = printing.health()
    assert (health.state.value, health.reason) == ("degraded", "no_office")
