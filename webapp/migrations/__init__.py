"""The database's schema through the releases (Alembic); works from the installed package, without an ini file."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

HERE = Path(__file__).parent


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`, in one transaction: all of it or nothing, on both databases.

    Safe to run from several processes at once: the others wait, then find nothing to do.
    """
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            _change_tables_freely(connection)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('yunliu.migrations'))")
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            _finish(connection)
    engine.dispose()  # SQLite: the next connection checks foreign keys again


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """The revision this release needs. There is always exactly one head."""
    head = ScriptDirectory(str(HERE)).get_current_head()
    if head is None:
        raise LookupError("no migrations are installed")
    return head


def present(engine: Engine) -> str | None:
    """The database's revision; None while it is empty."""
    with engine.connect().execution_options(read_only=True) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known(revision: str) -> bool:
    """Whether this release knows the revision: a newer release's is unknown."""
    return any(script.revision == revision for script in ScriptDirectory(str(HERE)).walk_revisions())


def _change_tables_freely(connection: Connection) -> None:
    """SQLite changes a table by copying it and dropping the old one, which must not count as deleting its rows."""
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute("PRAGMA foreign_keys=OFF")  # outside a transaction only


def _finish(connection: Connection) -> None:
    """Last look before the commit; PostgreSQL has watched the foreign keys all along."""
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"the migration left rows without their parents: {broken[:5]}")
