"""Restoring a backup into an empty database of either kind: looked through whole before a row is written."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, Engine, ForeignKeyConstraint, MetaData, Table, func, insert, select, text
from sqlalchemy.schema import AddConstraint, DropConstraint

from engine.i18n import _
from webapp import migrations
from webapp.backup.manifest import FORMAT, MANIFEST, READ, REVISION_TABLE, BackupRefused, Manifest, TablePart
from webapp.backup.write import ROWS_AT_ONCE, copy


def restore(engine: Engine, attachments: Path, file: Path) -> Manifest:
    """Fill an empty database from `file` and bring it to this release's schema.

    Raises BackupRefused, with nothing changed, when the file is damaged or of a newer release, or when the database
    is not empty.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive)
            _look_through(archive, manifest)
            _refuse_full(engine)
            migrations.upgrade(engine, manifest.revision)
            with engine.begin() as connection:
                _fill(connection, archive, manifest)
            _write_attachments(archive, manifest, attachments)
    except (zipfile.BadZipFile, EOFError, KeyError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BackupRefused(_("The file is damaged or no backup: {reason}", reason=str(error))) from error
    migrations.upgrade(engine)
    return manifest


class _Format(msgspec.Struct):
    format: int


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """What the file says of itself, in a format this release reads; of whichever release it is."""
    content = archive.read(MANIFEST)
    if msgspec.json.decode(content, type=_Format).format != FORMAT:
        raise BackupRefused(
            _("The backup has another format than this release reads."),
            remedy=_("Restore it with the release that made it, or a newer one."),
        )
    return msgspec.json.decode(content, type=Manifest)


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    manifest = read_manifest(archive)
    if not migrations.known(manifest.revision):
        raise BackupRefused(
            _("The backup was made by a newer release ({release}).", release=manifest.release),
            remedy=_("Install that release, then restore."),
        )
    return manifest


def _look_through(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Every part is there and is what it was."""
    expected = {f"tables/{table.name}.jsonl": table.sha256 for table in manifest.tables}
    expected |= {f"attachments/{part.path}": part.sha256 for part in manifest.attachments}
    for name, sha256 in expected.items():
        with archive.open(name) as part:
            if copy(part, None)[1] != sha256:
                raise BackupRefused(_("The file is damaged or no backup: {reason}", reason=name))
    for attachment in manifest.attachments:
        path = PurePosixPath(attachment.path)
        if path.is_absolute() or ".." in path.parts:
            raise BackupRefused(_("The file is damaged or no backup: {reason}", reason=attachment.path))


def _refuse_full(engine: Engine) -> None:
    there = MetaData()
    with engine.connect() as connection:
        there.reflect(connection)
        for name, table in there.tables.items():
            if name != REVISION_TABLE and connection.scalar(select(func.count()).select_from(table)):
                raise BackupRefused(
                    _("The database is not empty: the table {table} has rows.", table=name),
                    remedy=_("Restore into a new one: name it by DATABASE_URL, or move DATA_DIR away first."),
                )


def _fill(connection: Connection, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    there = MetaData()
    there.reflect(connection)
    arrows = _drop_foreign_keys(connection, there)
    for part in manifest.tables:
        _fill_table(connection, archive, there.tables[part.name], part)
    for arrow in arrows:
        connection.execute(AddConstraint(arrow))  # and so each is checked


def _drop_foreign_keys(connection: Connection, there: MetaData) -> list[ForeignKeyConstraint]:
    """They may form circles, so no order of the tables would do. SQLite is told to check them at the end instead."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        return []
    arrows = [arrow for table in there.tables.values() for arrow in table.foreign_key_constraints]
    for arrow in arrows:
        connection.execute(DropConstraint(arrow))
    connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
    return arrows


def _fill_table(connection: Connection, archive: zipfile.ZipFile, table: Table, part: TablePart) -> None:
    names = [column.name for column in part.columns]
    readers = [READ[column.kind] for column in part.columns]

    def rows() -> Iterator[dict[str, Any]]:
        with archive.open(f"tables/{part.name}.jsonl") as lines:
            for line in lines:
                values = json.loads(line)
                yield {
                    name: None if value is None else read(value)
                    for name, read, value in zip(names, readers, values, strict=True)
                }

    for column in table.columns:
        if isinstance(column.type, JSON):
            column.type.none_as_null = True  # nothing stays nothing, it does not become the JSON word null
    waiting = rows()
    while batch := list(islice(waiting, ROWS_AT_ONCE)):
        connection.execute(insert(table), batch)
    if connection.dialect.name == "postgresql":
        _go_on_counting(connection, table)


def _go_on_counting(connection: Connection, table: Table) -> None:
    """The next row's id follows the largest restored one."""
    for column in table.primary_key.columns:
        counter = connection.scalar(select(func.pg_get_serial_sequence(f'"{table.name}"', column.name)))
        if counter is not None:
            largest = select(func.max(column)).scalar_subquery()
            connection.execute(select(func.setval(counter, largest)).where(largest.is_not(None)))


def _write_attachments(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    for attachment in manifest.attachments:
        target = folder / attachment.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(f"attachments/{attachment.path}") as part, target.open("wb") as file:
            copy(part, file)
