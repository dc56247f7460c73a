"""A backup brings back every row and file, into either database, and refuses what it cannot bring back whole."""

from __future__ import annotations

import json
import sqlite3
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, select

from engine import db
from tests.house import sample
from webapp import migrations
from webapp.backup import backup, restore
from webapp.backup.manifest import BackupRefused
from webapp.migrations import schema


@pytest.fixture
def full(empty: Engine, tmp_path: Path) -> Engine:
    migrations.upgrade(empty)
    with empty.begin() as connection:
        sample.fill(connection)
    sample.write_attachments(tmp_path / "attachments")
    return empty


@pytest.fixture
def file(full: Engine, tmp_path: Path) -> Path:
    made = tmp_path / "house.zip"
    backup(full, tmp_path / "attachments", made)
    return made


@pytest.fixture
def sqlite_target(tmp_path: Path) -> Iterator[Engine]:
    engine = db.make_engine(f"sqlite:///{tmp_path / 'target.db'}")
    yield engine
    engine.dispose()


def test_every_row_and_file_comes_back_in_either_database(
    full: Engine, file: Path, another_empty: Engine, tmp_path: Path
) -> None:
    manifest = restore(another_empty, tmp_path / "restored", file)
    assert sample.everything(another_empty) == sample.everything(full)
    for name, content in sample.ATTACHMENTS.items():
        assert (tmp_path / "restored" / name).read_bytes() == content
    assert {part.rows for part in manifest.tables} == {2}


def test_counting_goes_on_after_the_restored_rows(file: Path, another_empty: Engine, tmp_path: Path) -> None:
    restore(another_empty, tmp_path / "restored", file)
    users = schema.target().tables["ab_user"]
    with another_empty.begin() as connection:
        new = connection.execute(
            insert(users).values(first_name="伟", last_name="张", username="zhang.wei", email="zhang.wei@example.com")
        )
    assert new.inserted_primary_key == (3,)


def test_arrows_are_watched_again_after_a_restore(file: Path, another_empty: Engine, tmp_path: Path) -> None:
    restore(another_empty, tmp_path / "restored", file)
    names = {"instance_log": 1, "department": 2, "employee": 3}
    for table, arrows in names.items():
        assert len(inspect(another_empty).get_foreign_keys(table)) == arrows


def test_only_its_owner_may_read_a_backup(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_database_with_rows_is_never_written_over(full: Engine, file: Path, tmp_path: Path) -> None:
    before = sample.everything(full)
    with pytest.raises(BackupRefused, match="not empty"):
        restore(full, tmp_path / "restored", file)
    assert sample.everything(full) == before


def test_an_empty_database_has_nothing_to_back_up(empty: Engine, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="nothing to back up"):
        backup(empty, tmp_path, tmp_path / "house.zip")
    assert list(tmp_path.glob("house.zip*")) == []


def _rewrite(file: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(file, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, change(content) if part == name else content)


def _with(**said: object) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps(json.loads(content) | said).encode()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "made by a newer release": lambda file: _rewrite(file, "manifest.json", _with(revision="9999")),
    "another format": lambda file: _rewrite(file, "manifest.json", _with(format=2)),
    "damaged": lambda file: _rewrite(file, "tables/ab_user.jsonl", lambda rows: rows.replace(b"1 ", b"2 ", 1)),
    "damaged or no": lambda file: file.write_bytes(file.read_bytes()[:-3000]),
    "damaged or": lambda file: file.write_bytes(b"not a zip"),
    "ab/abcd": lambda file: _rewrite(file, "attachments/ab/abcd", lambda _: b"other bytes"),
    "damaged or no backup": lambda file: _rewrite(file, "manifest.json", lambda _: b"{}"),
}


@pytest.mark.parametrize("empty_kind", ["sqlite"])
@pytest.mark.parametrize("said", DAMAGE)
def test_what_cannot_come_back_whole_is_refused_before_a_row_is_written(
    said: str, file: Path, sqlite_target: Engine, tmp_path: Path
) -> None:
    DAMAGE[said](file)
    with pytest.raises(BackupRefused, match=said):
        restore(sqlite_target, tmp_path / "restored", file)
    assert inspect(sqlite_target).get_table_names() == []
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("empty_kind", ["sqlite"])
def test_an_attachment_cannot_climb_out_of_its_folder(file: Path, sqlite_target: Engine, tmp_path: Path) -> None:
    _rewrite(file, "manifest.json", lambda content: content.replace(b"ab/abcd", b"../evil"))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("attachments/../evil", sample.ATTACHMENTS["ab/abcd"])
    with pytest.raises(BackupRefused, match="evil"):
        restore(sqlite_target, tmp_path / "restored", file)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("empty_kind", ["sqlite"])
def test_a_backup_shows_one_moment_while_people_go_on_writing(full: Engine, tmp_path: Path) -> None:
    """Somebody writes a row into an early and a late table while the dump stands between them."""
    department, work_item = (schema.target().tables[name] for name in ("department", "work_item"))
    original = zipfile.ZipFile.open

    def write_meanwhile(archive: zipfile.ZipFile, name: str, *rest: object, **more: object) -> object:
        if name == "tables/employee.jsonl":
            with sqlite3.connect(str(full.url.database), timeout=5) as other:
                other.execute("UPDATE department SET name = 'changed meanwhile'")
                other.execute("UPDATE work_item SET title = 'changed meanwhile'")
            other.close()
        return original(archive, name, *rest, **more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", write_meanwhile)
        backup(full, tmp_path / "attachments", tmp_path / "house.zip")
    with full.connect() as connection:
        assert connection.scalars(select(work_item.c.title)).all() == ["changed meanwhile"] * 2
    with zipfile.ZipFile(tmp_path / "house.zip") as archive:
        for table in (department, work_item):
            assert b"changed meanwhile" not in archive.read(f"tables/{table.name}.jsonl")
