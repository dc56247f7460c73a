"""Running instances move to another version of their process, and back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_versions"
down_revision = "0007_delegation"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _points_at(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def upgrade() -> None:
    op.create_table(
        "migration_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("from_id", ID, nullable=False),
        sa.Column("to_id", ID, nullable=False),
        sa.Column("chosen", DOCUMENT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("started_by", ID, nullable=False),
        sa.Column("started_by_name", sa.String(length=100), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        _points_at("migration_run", "from_id", "process_definition"),
        _points_at("migration_run", "to_id", "process_definition"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migration_run")),
    )
    op.create_index("ix_migration_run_key", "migration_run", ["key", "id"])
    op.create_index("ix_migration_run_state", "migration_run", ["state"])
    op.create_table(
        "migration_item",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("instance_id", ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("reasons", DOCUMENT, nullable=False),
        sa.Column("by_id", ID, nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("at", INSTANT, nullable=True),
        _points_at("migration_item", "run_id", "migration_run"),
        _points_at("migration_item", "instance_id", "process_instance"),
        sa.PrimaryKeyConstraint("run_id", "instance_id", name=op.f("pk_migration_item")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_migration_item_state", "migration_item", ["run_id", "state", "instance_id"])
    op.create_index("ix_migration_item_instance", "migration_item", ["instance_id"])
    op.create_table(
        "instance_preimage",
        sa.Column("instance_id", ID, autoincrement=False, nullable=False),
        sa.Column("rev", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition_id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("snapshot_format", sa.SmallInteger(), nullable=False),
        sa.Column("rows", DOCUMENT, nullable=False),
        sa.Column("kept_at", INSTANT, nullable=False),
        _points_at("instance_preimage", "instance_id", "process_instance"),
        _points_at("instance_preimage", "definition_id", "process_definition"),
        _points_at("instance_preimage", "run_id", "migration_run"),
        sa.PrimaryKeyConstraint("instance_id", "rev", name=op.f("pk_instance_preimage")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_instance_preimage_run_id"), "instance_preimage", ["run_id"])


def downgrade() -> None:
    for table in ("instance_preimage", "migration_item", "migration_run"):
        op.drop_table(table)
