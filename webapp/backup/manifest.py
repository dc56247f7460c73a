"""What a backup file says of itself, and how one value of a row is written."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import types

from engine.errors import AppError

FORMAT = 1
MANIFEST = "manifest.json"
REVISION_TABLE = "alembic_version"


class BackupRefused(AppError):
    """The file cannot be restored here, or this database cannot be backed up; nothing was changed."""

    status = 422
    code = "backup_refused"


class Column(msgspec.Struct):
    name: str
    kind: str
    """plain (as JSON says it) | instant | day | bytes | decimal"""


class TablePart(msgspec.Struct):
    name: str
    columns: list[Column]
    rows: int
    sha256: str


class AttachmentPart(msgspec.Struct):
    path: str
    """below the attachments folder"""
    size: int
    sha256: str


class Manifest(msgspec.Struct):
    format: int
    release: str
    revision: str
    made_at: datetime
    database: str
    """sqlite | postgresql: where it came from; it may be restored into either"""
    tables: list[TablePart]
    attachments: list[AttachmentPart]


def kind_of(column_type: types.TypeEngine[Any]) -> str:
    if isinstance(column_type, types.DateTime):
        return "instant"
    if isinstance(column_type, types.Date):
        return "day"
    if isinstance(column_type, types.LargeBinary):
        return "bytes"
    if isinstance(column_type, types.Numeric) and column_type.asdecimal:
        return "decimal"
    return "plain"


def _instant(value: datetime) -> str:
    """Instants are UTC in both databases; SQLite merely does not say so."""
    return (value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)).isoformat()


WRITE: dict[str, Callable[[Any], Any]] = {
    "plain": lambda value: value,
    "instant": _instant,
    "day": date.isoformat,
    "bytes": lambda value: base64.b64encode(value).decode("ascii"),
    "decimal": str,
}
READ: dict[str, Callable[[Any], Any]] = {
    "plain": lambda value: value,
    "instant": datetime.fromisoformat,
    "day": date.fromisoformat,
    "bytes": base64.b64decode,
    "decimal": Decimal,
}
