"""The schema can be made, is what the models say, and can be brought forward with people's data in it."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from webapp import migrations
from webapp.migrations import schema


def test_there_is_one_newest_revision() -> None:
    assert ScriptDirectory(str(migrations.HERE)).get_heads() == [migrations.newest()]


def test_the_migrations_make_what_the_models_say(empty: Engine) -> None:
    migrations.upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.target()) == []
    assert migrations.present(empty) == migrations.newest()


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    migrations.upgrade(empty)
    before = sorted(inspect(empty).get_table_names())
    migrations.upgrade(empty)
    assert sorted(inspect(empty).get_table_names()) == before


def test_a_migration_that_fails_leaves_nothing_behind(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "_finish", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.upgrade(empty)
    assert inspect(empty).get_table_names() == []


def test_every_migration_can_be_taken_back(empty: Engine) -> None:
    migrations.upgrade(empty)
    with empty.connect() as connection, connection.begin():
        config = migrations.configuration()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(empty).get_table_names() == ["alembic_version"]
    migrations.upgrade(empty)
