"""The command line, as an operator uses it: every command in a process of its own, on both databases."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.house import sample
from webapp import migrations

Run = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    code: int
    output: str
    """what a person sees: both streams without our log lines"""


@pytest.fixture
def yunliu(empty: Engine, tmp_path: Path) -> Run:
    """yunliu("backup", "house.zip", DATABASE_URL=...) -> Answer"""
    environment = os.environ | {
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": empty.url.render_as_string(hide_password=False),
    }

    def run(*words: str, **settings: str) -> Answer:
        command = [sys.executable, "-m", "webapp.cli", *words]
        done = subprocess.run(
            command, env=environment | settings, capture_output=True, text=True, timeout=100, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        lines = [line for line in (done.stdout + done.stderr).splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]
        return Answer(done.returncode, "\n".join(lines))

    return run


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("empty_kind", "another_kind"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_house_is_set_up_filled_backed_up_and_moved(
    yunliu: Run, empty: Engine, another_empty: Engine, tmp_path: Path
) -> None:
    assert yunliu("health").code == 1, "an empty database is not healthy"

    first = yunliu("init")
    assert re.search(r"administrator: admin +password: \S{12,} ", first.output)
    assert yunliu("init").output == "up to date; there are logins already"
    assert yunliu("migrate").output == f"schema {migrations.newest()} -> {migrations.newest()}"
    assert re.search(r"^schema +up", yunliu("health").output, re.MULTILINE)

    assert "administrator: second" in yunliu("create-admin", "second").output
    taken = yunliu("create-admin", "second")
    assert (taken.code, taken.output.splitlines()[0][:6]) == (1, "Error:")

    assert yunliu("load-demo").output == "the demo company has moved in"
    assert yunliu("load-demo").output == "the demo company is there already"
    assert yunliu("verify-history").output == "every chain holds"

    file = str(tmp_path / "house.zip")
    assert yunliu("backup", file).code == 0
    assert "not empty" in yunliu("restore", file).output
    elsewhere = {
        "DATABASE_URL": another_empty.url.render_as_string(hide_password=False),
        "DATA_DIR": str(tmp_path / "elsewhere"),
    }
    assert yunliu("restore", file, **elsewhere).output.startswith("restored ")
    assert yunliu("verify-history", **elsewhere).output == "every chain holds"
    assert sample.everything(another_empty) == sample.everything(empty)

    with another_empty.begin() as connection:
        connection.execute(text("UPDATE record_audit SET actor_name = 'somebody else' WHERE seq = 1 AND record_id = 1"))
    forged = yunliu("verify-history", **elsewhere)
    assert forged.code == 1
    assert "does not match its hash" in forged.output

    assert re.match(r"the demo company has moved out: 15 people, \d+ requests", yunliu("remove-demo", "--yes").output)
    assert "no demo company" in yunliu("remove-demo", "--yes").output
    assert yunliu("verify-history").output == "every chain holds"


@pytest.mark.parametrize("empty_kind", ["sqlite"])
def test_a_wrong_setting_is_named_in_one_line(yunliu: Run) -> None:
    answer = yunliu("health", SECRET_KEY="short")
    assert answer == Answer(1, "Error: SECRET_KEY: needs at least 32 characters")


@pytest.mark.parametrize("empty_kind", ["sqlite"])
def test_what_is_no_backup_is_refused_in_one_line(yunliu: Run, tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"pictures")
    answer = yunliu("restore", str(tmp_path / "holiday.zip"))
    assert answer.code == 1
    assert answer.output.startswith("Error: The file is damaged or no backup")


@pytest.mark.parametrize("empty_kind", ["sqlite"])
def test_help_answers_without_loading_the_house(yunliu: Run) -> None:
    answer = yunliu("--help")
    assert answer.code == 0
    assert "verify-history" in answer.output
