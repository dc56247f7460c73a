"""The company's calendar, and what is done while a task's time passes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_calendar"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _stamps() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "office_hours",
        sa.Column("id", ID, nullable=False),
        sa.Column("weekday", sa.String(length=1), nullable=False),
        sa.Column("hours", sa.String(length=100), nullable=False),
        *_stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_hours")),
        sa.UniqueConstraint("weekday", name=op.f("uq_office_hours_weekday")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("hours", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        *_stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sa.UniqueConstraint("day", name=op.f("uq_calendar_day_day")),
    )
    op.create_table(
        "calendar_head",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_head")),
    )
    op.create_table(
        "due_shift",
        sa.Column("id", ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("reached", ID, nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("failed", DOCUMENT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due_shift")),
    )
    op.create_index("ix_due_shift_done", "due_shift", ["done_at"])
    op.create_table(
        "item_watch",
        sa.Column("item_id", ID, autoincrement=False, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_item_watch_item_id_work_item")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_watch")),
    )
    op.create_index("ix_item_watch_next", "item_watch", ["next_at"])
    op.create_table(
        "item_reminder",
        sa.Column("id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("threshold", sa.SmallInteger(), nullable=False),
        sa.Column("did", sa.String(length=10), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("told", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_item_reminder_item_id_work_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_reminder")),
        sa.UniqueConstraint("item_id", "threshold", name=op.f("uq_item_reminder_item_id_threshold")),
    )


def downgrade() -> None:
    for table in ("item_reminder", "item_watch", "due_shift", "calendar_head", "calendar_day", "office_hours"):
        op.drop_table(table)
