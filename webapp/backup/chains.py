"""The hash chains in a backup file, checked without a database: anybody who is handed the file can do it."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.i18n import _
from engine.journal import Break, Chain, instance_facts, record_facts
from webapp.backup.manifest import BackupRefused, TablePart
from webapp.backup.read import read_manifest

DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    OSError,
    NotImplementedError,  # packed in a way nobody here packs
    UnicodeDecodeError,
    msgspec.MsgspecError,
)
"""What is raised by a file that is no backup, or no longer one."""

Line = TypeVar("Line", bound=msgspec.Struct)


class _Head(msgspec.Struct):
    """Where an instance says its log ends."""

    id: int
    log_seq: int
    log_hash: str


class _InstanceLine(msgspec.Struct):
    instance_id: int
    seq: int
    at: datetime
    actor_id: int
    actor_name: str
    on_behalf_of: int | None
    action: str
    node: str
    token: int | None
    item_id: int | None
    detail: Any
    hash: str


class _RecordLine(msgspec.Struct):
    record_type: str
    record_id: int
    seq: int
    at: datetime
    actor_id: int
    actor_name: str
    action: str
    before: Any
    after: Any
    hash: str


def broken_links(file: Path) -> Iterator[Break]:
    """Every place where a chain in the backup does not hold, and every table that is not what was written.

    Raises BackupRefused when the file cannot be read as a backup.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            tables = {part.name: part for part in read_manifest(archive).tables}
            yield from _instances(archive, tables["process_instance"], tables["instance_log"])
            yield from _records(archive, tables["record_audit"])
    except DAMAGES as damage:
        raise BackupRefused(_("The file is damaged or no backup: {reason}", reason=str(damage))) from damage


def _instances(archive: zipfile.ZipFile, instances: TablePart, log: TablePart) -> Iterator[Break]:
    faults: list[Break] = []
    heads = {head.id: head for head in _rows(archive, instances, _Head, faults)}
    chains = {instance_id: Chain("instance", instance_id) for instance_id in heads}
    for line in _rows(archive, log, _InstanceLine, faults):
        chain = chains.get(line.instance_id)
        if chain is None:
            chain = chains[line.instance_id] = Chain("instance", line.instance_id)
            yield Break("instance", line.instance_id, line.seq, "the log is of an instance that is not there")
        line.at = line.at.replace(tzinfo=UTC)
        yield from chain.follow(line.seq, instance_facts(line), line.hash)
    for head in heads.values():
        yield from chains[head.id].end(head.log_seq, head.log_hash)
    yield from faults


def _records(archive: zipfile.ZipFile, audit: TablePart) -> Iterator[Break]:
    faults: list[Break] = []
    chains: dict[tuple[str, int], Chain] = {}
    for line in _rows(archive, audit, _RecordLine, faults):
        key = (line.record_type, line.record_id)
        chain = chains.setdefault(key, Chain(*key))
        line.at = line.at.replace(tzinfo=UTC)
        yield from chain.follow(line.seq, record_facts(line), line.hash)
    yield from faults


def _rows(archive: zipfile.ZipFile, part: TablePart, shape: type[Line], faults: list[Break]) -> Iterator[Line]:
    """The rows of a table as they stand in the file; what is wrong with the table itself goes to `faults`."""
    names = [column.name for column in part.columns]
    for field in msgspec.structs.fields(shape):
        if field.name not in names:
            raise KeyError(f"{part.name}.{field.name}")
    digest, number = hashlib.sha256(), 0
    with archive.open(f"tables/{part.name}.jsonl") as lines:
        for number, text in enumerate(lines, 1):
            digest.update(text)
            try:
                row = msgspec.convert(dict(zip(names, json.loads(text), strict=True)), shape)
            except (ValueError, TypeError, RecursionError, msgspec.ValidationError):
                faults.append(Break("table", part.name, number, "the row cannot be read"))
                continue
            yield row
    if digest.hexdigest() != part.sha256:
        faults.append(Break("table", part.name, number, "the table is not what the backup wrote"))
