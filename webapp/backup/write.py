"""Writing a backup: one consistent look at the database while the house goes on working."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

import msgspec
from sqlalchemy import Connection, Engine, MetaData, Table, select

from engine import clock
from engine.i18n import _
from webapp import migrations
from webapp.backup.manifest import (
    FORMAT,
    MANIFEST,
    REVISION_TABLE,
    WRITE,
    AttachmentPart,
    BackupRefused,
    Column,
    Manifest,
    TablePart,
    kind_of,
)

ROWS_AT_ONCE = 1000
CHUNK = 1 << 20


def backup(engine: Engine, attachments: Path, file: Path) -> Manifest:
    """Write `file` whole or not at all; only its owner may read it, for it holds everything people wrote."""
    revision = migrations.present(engine)
    if revision is None:
        raise BackupRefused(_("There is nothing to back up: the database has no tables yet."))
    unfinished = file.with_name(f"{file.name}.part")
    with contextlib.ExitStack() as stack:
        stack.callback(unfinished.unlink, missing_ok=True)
        output = stack.enter_context(os.fdopen(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "wb"))
        with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            with _one_look(engine) as connection:
                tables = [_write_table(archive, connection, table) for table in _tables(connection)]
            manifest = Manifest(
                format=FORMAT,
                release=release(),
                revision=revision,
                made_at=clock.now(),
                database=engine.dialect.name,
                tables=tables,
                attachments=[_write_attachment(archive, path, attachments) for path in _files(attachments)],
            )
            archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        output.flush()
        os.fsync(output.fileno())
        unfinished.replace(file)
    return manifest


def release() -> str:
    try:
        return version("yunliu")
    except PackageNotFoundError:
        return "checkout"


@contextlib.contextmanager
def _one_look(engine: Engine) -> Iterator[Connection]:
    """A read-only transaction that sees the same moment from the first table to the last."""
    options = {"read_only": True} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _tables(connection: Connection) -> list[Table]:
    """As they stand in the database, so that a backup does not depend on this release's models."""
    there = MetaData()
    there.reflect(connection)
    return [table for name, table in sorted(there.tables.items()) if name != REVISION_TABLE]


def _write_table(archive: zipfile.ZipFile, connection: Connection, table: Table) -> TablePart:
    columns = [Column(str(column.name), kind_of(column.type)) for column in table.columns]
    writers = [WRITE[column.kind] for column in columns]
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=ROWS_AT_ONCE)
    digest, count = hashlib.sha256(), 0
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as part:
        for row in connection.execute(query):
            values = [None if value is None else write(value) for write, value in zip(writers, row, strict=True)]
            line = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            part.write(line)
            count += 1
    return TablePart(str(table.name), columns, count, digest.hexdigest())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def _write_attachment(archive: zipfile.ZipFile, path: Path, folder: Path) -> AttachmentPart:
    inside = path.relative_to(folder).as_posix()
    with path.open("rb") as source, archive.open(f"attachments/{inside}", "w", force_zip64=True) as part:
        size, digest = copy(source, part)
    return AttachmentPart(inside, size, digest)


def copy(source: IO[bytes], target: IO[bytes] | None) -> tuple[int, str]:
    """Copy (or only read) to the end; returns the size and the SHA-256."""
    digest, size = hashlib.sha256(), 0
    while block := source.read(CHUNK):
        digest.update(block)
        size += len(block)
        if target is not None:
            target.write(block)
    return size, digest.hexdigest()
