"""Two rows in every table, of every kind of value, with every arrow pointing somewhere: data to move about.

    python -m tests.house.sample tests/migrations/releases/0.1.0.zip

keeps such a database as a release left it (a backup file); tests/migrations upgrades every one of them.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Date, DateTime, Engine, LargeBinary, String, insert, select
from sqlalchemy.types import TypeDecorator

from engine import db
from webapp import migrations
from webapp.backup import backup
from webapp.migrations import schema

ROWS = (1, 2)
ATTACHMENTS = {"ab/abcd": b"\x00\xff\x01", "cd/报价.txt": "报价单".encode()}


def fill(connection: Connection) -> None:
    tables = schema.tables()
    for table in tables:
        for n in ROWS:
            values = {column.name: _value(column, n) for column in table.columns}
            late = {c.name: None for c in table.columns if c.foreign_keys and c.nullable}
            connection.execute(insert(table).values(values | late))
    for table in tables:
        late_columns = [c for c in table.columns if c.foreign_keys and c.nullable]
        for n in ROWS if late_columns else ():
            this_row = [c == _value(c, n) for c in table.primary_key.columns]
            connection.execute(table.update().where(*this_row).values({c.name: n for c in late_columns}))


def _value(column: Column[Any], n: int) -> Any:
    kind = column.type
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, String):
        return f"{n} {column.name} 云流"[: kind.length]
    if isinstance(kind, DateTime):
        return datetime(2026, 11, 23, 9, 0, n, 123456, tzinfo=UTC if kind.timezone else None)
    if isinstance(kind, Date):
        return date(2026, 11, n)
    if isinstance(kind, Boolean):
        return n == 1
    if isinstance(kind, JSON):
        return {"文": [n, None, 0.5, "x"]} if n == 1 or not column.nullable else None
    if isinstance(kind, LargeBinary):
        return bytes(range(256))
    return n


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, to compare."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in schema.tables()
        }


def write_attachments(folder: Path) -> None:
    for name, content in ATTACHMENTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def main(file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = db.make_engine(f"sqlite:///{folder}/yunliu.db")
        migrations.upgrade(engine)
        with engine.begin() as connection:
            fill(connection)
        write_attachments(Path(folder) / "attachments")
        backup(engine, Path(folder) / "attachments", file)
        engine.dispose()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
