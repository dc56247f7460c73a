"""Databases of every release, with two rows in each of their tables, become this release's without losing one."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, func, select, text

from tests.house import sample
from webapp import migrations
from webapp.backup import restore
from webapp.migrations import schema

RELEASES = sorted((Path(__file__).parent / "releases").glob("*.zip"))

SECOND_REVISION = '''"""Departments get a cost centre, employees a second superior."""

import sqlalchemy as sa
from alembic import op

revision = "test_second"
down_revision = "{head}"


def upgrade() -> None:
    with op.batch_alter_table("department") as table:
        table.add_column(sa.Column("cost_centre", sa.String(20), server_default="unknown", nullable=False))
        table.alter_column("name", type_=sa.String(150), nullable=False)
    with op.batch_alter_table("employee") as table:
        table.add_column(sa.Column("second_superior_id", sa.BigInteger(), nullable=True))
        table.create_foreign_key("fk_employee_second_superior_id_employee", "employee", ["second_superior_id"], ["id"])
{more}
'''


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_a_house_of_that_release_moves_into_this_one(release: Path, empty: Engine, tmp_path: Path) -> None:
    restore(empty, tmp_path / "attachments", release)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.target()) == []
    with zipfile.ZipFile(release) as archive:
        before = {table["name"] for table in json.loads(archive.read("manifest.json"))["tables"]}
    for name, rows in sample.everything(empty).items():
        if name in before:
            assert len(rows) == len(sample.ROWS), name


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our migrations with room for one more."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrations.HERE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrations, "HERE", copy)
    return copy / "versions" / "test_second.py"


@pytest.fixture
def lived_in(empty: Engine) -> Engine:
    migrations.upgrade(empty)
    with empty.begin() as connection:
        sample.fill(connection)
    return empty


def test_changing_a_table_keeps_its_rows_and_those_that_point_at_it(lived_in: Engine, next_release: Path) -> None:
    """SQLite changes a table by copying it and dropping the old one: nothing may be deleted along with that."""
    before = sample.everything(lived_in)
    next_release.write_text(SECOND_REVISION.format(head=migrations.newest(), more=""))
    migrations.upgrade(lived_in)
    assert migrations.present(lived_in) == "test_second"
    assert sample.everything(lived_in) == before
    with lived_in.connect() as connection:
        assert connection.scalars(text("SELECT cost_centre FROM department")).all() == ["unknown", "unknown"]


def test_a_migration_that_breaks_off_leaves_the_old_schema_and_every_row(lived_in: Engine, next_release: Path) -> None:
    before, head = sample.everything(lived_in), migrations.newest()
    next_release.write_text(SECOND_REVISION.format(head=head, more='    raise RuntimeError("power cut")'))
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.upgrade(lived_in)
    assert migrations.present(lived_in) == head
    assert sample.everything(lived_in) == before
    with lived_in.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.target()) == []


def test_orphans_made_by_a_migration_are_refused(lived_in: Engine, next_release: Path) -> None:
    orphaning = '    op.execute("DELETE FROM process_definition WHERE id = 1")'
    next_release.write_text(SECOND_REVISION.format(head=migrations.newest(), more=orphaning))
    with pytest.raises(Exception, match=r"without their parents|foreign key constraint"):
        migrations.upgrade(lived_in)
    table = schema.target().tables["process_definition"]
    with lived_in.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(table)) == len(sample.ROWS)
