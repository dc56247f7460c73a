"""What Alembic runs: `upgrade` hands it a connection; `alembic revision` finds the database by the settings."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, BigInteger, Connection, TypeDecorator
from sqlalchemy.sql.elements import False_, True_

from engine.db import UTCDateTime, make_engine
from webapp.migrations import schema
from webapp.settings import load_settings


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A migration uses the names its template defines: it must mean the same when our own types have long changed."""
    if kind == "server_default" and isinstance(getattr(item, "arg", None), False_ | True_):
        return "sa.true()" if isinstance(item.arg, True_) else "sa.false()"  # 0 or 1 on SQLite, a word on PostgreSQL
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "INSTANT"
    if isinstance(item, BigInteger) and "sqlite" in item._variant_mapping:  # noqa: SLF001 - no public name for it
        return "ID"
    if isinstance(item, JSON):
        return "DOCUMENT"
    if isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=schema.target(),
        render_item=render_item,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    if (given := context.config.attributes.get("connection")) is not None:
        migrate(given)
        return
    engine = make_engine(load_settings().database_url)
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()


main()
