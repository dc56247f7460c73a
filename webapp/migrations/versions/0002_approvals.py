"""Several items a step, people of an instance, suspension, circulation, followers."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def item_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("kind", sa.String(length=8), server_default="sign", nullable=False),
        sa.Column("many", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("weight", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("added", sa.String(length=8), server_default="", nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("hops", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("cause", sa.String(length=12), server_default="", nullable=False),
        sa.Column("signature", sa.String(length=64), server_default="", nullable=False),
        sa.Column("business_at", INSTANT, nullable=True),
        sa.Column("urged_at", INSTANT, nullable=True),
        sa.Column("urges", sa.SmallInteger(), server_default="0", nullable=False),
    )


def upgrade() -> None:
    for column in item_columns():
        op.add_column("work_item", column)
    op.create_index("ix_work_item_parent", "work_item", ["parent_id"])
    op.add_column("process_instance", sa.Column("people", DOCUMENT, server_default="{}", nullable=False))
    op.add_column("process_instance", sa.Column("suspended_at", INSTANT, nullable=True))
    op.add_column("process_copy", sa.Column("kind", sa.String(length=9), server_default="cc", nullable=False))
    op.add_column("process_copy", sa.Column("acknowledged_at", INSTANT, nullable=True))
    op.add_column("process_copy", sa.Column("token", sa.Integer(), nullable=True))
    op.add_column("timer", sa.Column("parked_until", INSTANT, nullable=True))
    op.create_table(
        "process_follower",
        sa.Column("instance_id", ID, autoincrement=False, nullable=False),
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["process_instance.id"], name=op.f("fk_process_follower_instance_id_process_instance")
        ),
        sa.PrimaryKeyConstraint("instance_id", "person_id", name=op.f("pk_process_follower")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("process_follower")
    op.drop_column("timer", "parked_until")
    for name in ("token", "acknowledged_at", "kind"):
        op.drop_column("process_copy", name)
    for name in ("suspended_at", "people"):
        op.drop_column("process_instance", name)
    op.drop_index("ix_work_item_parent", table_name="work_item")
    for column in reversed(item_columns()):
        op.drop_column("work_item", column.name)
