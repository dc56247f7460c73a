"""A backup's hash chains are checked without a database, and every kind of tampering is named with its place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from engine.db import transaction
from engine.journal import Break, Entry
from engine.models import Definition, Instance, InstanceLog
from tests.databases import Database
from webapp import migrations
from webapp.backup import backup, broken_links
from webapp.backup.manifest import BackupRefused

LI = Actor(person_id=7, name="李娜")
AT = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
LINES = 5

Rows = list[list[Any]]
Crime = Callable[[Rows, list[str]], None]


def _live(session: Session) -> None:
    """Two processes with five lines each, two records with three."""
    definition = Definition(key="x", version=1, name="x", sha256="", deployed_at=AT, deployed_by=0, files=[])
    session.add(definition)
    session.flush()
    for instance_id in (1, 2):
        steps = [
            Entry("approve", node=f"n{n}", token=n, item_id=None, detail={"opinion": "同意", "amount": "1.50", "n": n})
            for n in range(LINES)
        ]
        rows, seq, head = journal.chain(instance_id, 0, "", AT + timedelta(hours=instance_id), LI, steps)
        session.add(
            Instance(
                id=instance_id,
                definition_id=definition.id,
                definition_key="x",
                state="running",
                title="x",
                starter_id=7,
                starter_name="李娜",
                started_at=AT,
                changed_at=AT,
                log_seq=seq,
                log_hash=head,
            )
        )
        session.flush()
        session.add_all(InstanceLog(**row) for row in rows)
    for n in range(3):
        for record in (1, 2):
            journal.audit(session, LI, "spending.budget", record, "changed", None if n == 0 else {"n": n}, {"n": n + 1})


@pytest.fixture
def file(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(migrations, "present", lambda _engine: migrations.newest())  # made without them
    with transaction() as session:
        _live(session)
    made = tmp_path / "house.zip"
    backup(database.engine, tmp_path / "attachments", made)
    return made


def forge(file: Path, table: str, crime: Crime, *, cover_up: bool) -> Path:
    """A copy with one table tampered with; cover_up: its sum in the manifest is made to fit."""
    forged = file.with_name("forged.zip")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(forged, "w") as target:
        parts = {name: source.read(name) for name in source.namelist()}
        manifest = json.loads(parts["manifest.json"])
        (part,) = (one for one in manifest["tables"] if one["name"] == table)
        rows = [json.loads(line) for line in parts[f"tables/{table}.jsonl"].splitlines()]
        crime(rows, [column["name"] for column in part["columns"]])
        content = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        if cover_up:
            part["sha256"] = hashlib.sha256(content).hexdigest()
        parts |= {f"tables/{table}.jsonl": content, "manifest.json": json.dumps(manifest).encode()}
        for name, body in parts.items():
            target.writestr(name, body)
    return forged


def set_value(row: int, column: str, value: Any) -> Crime:
    def crime(rows: Rows, columns: list[str]) -> None:
        rows[row][columns.index(column)] = value

    return crime


def remove(*numbers: int) -> Crime:
    def crime(rows: Rows, columns: list[str]) -> None:
        for number in sorted(numbers, reverse=True):
            del rows[number]

    return crime


def swap_places(rows: Rows, columns: list[str]) -> None:
    rows[1], rows[2] = rows[2], rows[1]


def swap_numbers(rows: Rows, columns: list[str]) -> None:
    """What line 3 says stands in line 2, and the other way round."""
    seq = columns.index("seq")
    rows[1][seq], rows[2][seq] = rows[2][seq], rows[1][seq]
    rows[1], rows[2] = rows[2], rows[1]


def twice(rows: Rows, columns: list[str]) -> None:
    rows.insert(2, list(rows[1]))


def rehash(rows: Rows, columns: list[str]) -> None:
    """The forger reckons the line's own hash anew; the next line still remembers the old one."""
    at = {name: columns.index(name) for name in columns}
    row = rows[1]
    row[at["actor_name"]] = "王伟"
    facts = [row[at[name]] for name in ("instance_id", "seq")]
    facts.append(datetime.fromisoformat(row[at["at"]]).replace(tzinfo=UTC).isoformat(timespec="microseconds"))
    facts += [
        row[at[name]]
        for name in ("actor_id", "actor_name", "on_behalf_of", "action", "node", "token", "item_id", "detail")
    ]
    row[at["hash"]] = journal.digest(rows[0][at["hash"]], facts)


def test_an_untouched_backup_holds(file: Path) -> None:
    assert list(broken_links(file)) == []


CHANGED = "the line does not match its hash"
END = "the log does not end where the instance says it ends"


@pytest.mark.parametrize("cover_up", [True, False])
@pytest.mark.parametrize(
    ("crime", "found"),
    [
        (set_value(1, "actor_name", "王伟"), {(1, 2, CHANGED)}),
        (set_value(1, "at", "2026-11-23T01:02:04"), {(1, 2, CHANGED)}),
        (set_value(6, "detail", {"opinion": "不同意"}), {(2, 2, CHANGED)}),
        (set_value(8, "hash", "0" * 64), {(2, 4, CHANGED), (2, 5, CHANGED)}),
        (rehash, {(1, 3, CHANGED)}),
        (remove(1), {(1, 3, "line 2 is missing")}),
        (remove(0), {(1, 2, "line 1 is missing")}),
        (remove(4), {(1, LINES, END)}),
        (remove(5, 6, 7, 8, 9), {(2, LINES, END)}),
        (swap_places, {(1, 3, "line 2 is missing"), (1, 2, "the line stands after line 3")}),
        (swap_numbers, {(1, 2, CHANGED), (1, 3, CHANGED), (1, 4, CHANGED)}),
        (twice, {(1, 2, "the line stands after line 2")}),
        (set_value(4, "instance_id", 9), {(9, 5, "the log is of an instance that is not there"), (1, 5, END)}),
    ],
    ids=[
        "changed-name", "changed-instant", "changed-detail", "changed-hash", "rehashed", "removed", "removed-first",
        "removed-last", "removed-all", "swapped-places", "swapped-numbers", "doubled", "moved-to-nobody",
    ],
)  # fmt: skip
@pytest.mark.databases("sqlite")
def test_a_tampered_log_is_found_where_it_is_tampered_with(
    file: Path, crime: Crime, found: set[tuple[int, int, str]], cover_up: bool
) -> None:
    broken = list(broken_links(forge(file, "instance_log", crime, cover_up=cover_up)))
    assert {(one.id, one.seq, one.why) for one in broken if one.kind == "instance"} >= found
    assert {one.id for one in broken if one.kind == "instance"} == {place for place, _seq, _why in found}
    tables = [one for one in broken if one.kind == "table"]
    assert [(one.id, one.why) for one in tables] == (
        [] if cover_up else [("instance_log", "the table is not what the backup wrote")]
    )


@pytest.mark.parametrize(
    ("crime", "found"),
    [
        (set_value(0, "log_hash", "0" * 64), {(1, LINES, END)}),
        (set_value(1, "log_seq", LINES - 1), {(2, LINES - 1, END)}),
        (remove(0), {(1, 1, "the log is of an instance that is not there")}),
    ],
    ids=["changed-head", "shortened-head", "removed-instance"],
)
@pytest.mark.databases("sqlite")
def test_a_tampered_head_is_found(file: Path, crime: Crime, found: set[tuple[int, int, str]]) -> None:
    broken = list(broken_links(forge(file, "process_instance", crime, cover_up=True)))
    assert {(one.id, one.seq, one.why) for one in broken} == found


@pytest.mark.parametrize(
    ("crime", "found"),
    [
        (set_value(2, "after", {"n": 99}), {(1, 2, CHANGED)}),
        (remove(3), {(2, 3, "line 2 is missing")}),
        (set_value(5, "record_id", 3), {(3, 3, "line 1 is missing")}),
    ],
    ids=["changed", "removed", "moved-to-another"],
)
@pytest.mark.databases("sqlite")
def test_a_tampered_audit_is_found(file: Path, crime: Crime, found: set[tuple[int, int, str]]) -> None:
    broken = list(broken_links(forge(file, "record_audit", crime, cover_up=True)))
    assert {(one.id, one.seq, one.why) for one in broken} == found
    assert {one.kind for one in broken} == {"spending.budget"}


@pytest.mark.parametrize(
    "row", [None, 7, [], ["x"], "x", {"instance_id": 1}], ids=["nothing", "number", "empty", "short", "text", "object"]
)
@pytest.mark.databases("sqlite")
def test_a_row_that_is_no_row_is_named(file: Path, row: Any) -> None:
    def crime(rows: Rows, columns: list[str]) -> None:
        rows[1] = row

    broken = list(broken_links(forge(file, "instance_log", crime, cover_up=True)))
    assert Break("table", "instance_log", 2, "the row cannot be read") in broken
    assert Break("instance", 1, 3, "line 2 is missing") in broken


def _without(file: Path, gone: str) -> Path:
    damaged = file.with_name("damaged.zip")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            if name != gone:
                target.writestr(name, source.read(name))
    return damaged


@pytest.mark.parametrize("gone", ["manifest.json", "tables/instance_log.jsonl"])
@pytest.mark.databases("sqlite")
def test_a_backup_with_a_part_missing_is_refused(file: Path, gone: str) -> None:
    with pytest.raises(BackupRefused):
        list(broken_links(_without(file, gone)))


@pytest.mark.databases("sqlite")
def test_a_broken_file_is_refused(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = content.index(b"tables/instance_log.jsonl") + 60
    content[middle : middle + 40] = bytes(40)
    file.write_bytes(content)
    with pytest.raises(BackupRefused):
        list(broken_links(file))


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in an empty folder, with nothing of a house in its environment."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DATA_DIR"}}
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "webapp.cli", "verify-history", *words],
        cwd=folder, env=environment | {"PYTHONPATH": root}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.mark.databases("sqlite")
def test_the_command_needs_no_house_and_leaves_none_behind(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "auditor"
    elsewhere.mkdir()
    shutil.copy(file, elsewhere / "house.zip")
    good = run(elsewhere, "--file", "house.zip")
    assert (good.returncode, good.stdout.strip()) == (0, "every chain holds")
    forged = forge(elsewhere / "house.zip", "instance_log", set_value(1, "actor_name", "王伟"), cover_up=True)
    bad = run(elsewhere, "--file", str(forged))
    assert bad.returncode == 1
    assert "instance 1, line 2: the line does not match its hash" in bad.stdout
    assert "1 places do not hold" in bad.stderr
    (elsewhere / "holiday.zip").write_bytes(b"pictures")
    none = run(elsewhere, "--file", "holiday.zip")
    assert none.returncode == 1
    assert none.stderr.strip().splitlines()[-1].startswith("Error: The file is damaged or no backup")
    assert sorted(path.name for path in elsewhere.iterdir()) == ["forged.zip", "holiday.zip", "house.zip"]
