"""Webhooks out and in, robots of group chats."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016_webhooks"
down_revision = "0015_word"
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
        "webhook",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("events", DOCUMENT, nullable=False),
        sa.Column("with_form", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("off_reason", sa.String(length=20), server_default=sa.text("''"), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("old_secret", sa.String(length=100), server_default=sa.text("''"), nullable=False),
        sa.Column("old_until", INSTANT, nullable=True),
        *_stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index("ix_webhook_state", "webhook", ["state"])
    op.create_table(
        "inbound_hook",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=100), nullable=False),
        sa.Column("business_key", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("variable", sa.String(length=60), server_default=sa.text("'payload'"), nullable=False),
        sa.Column("form", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("off_reason", sa.String(length=20), server_default=sa.text("''"), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("old_secret", sa.String(length=100), server_default=sa.text("''"), nullable=False),
        sa.Column("old_until", INSTANT, nullable=True),
        *_stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_hook")),
        sa.UniqueConstraint("key", name=op.f("uq_inbound_hook_key")),
    )
    op.create_table(
        "inbound_reception",
        sa.Column("id", ID, nullable=False),
        sa.Column("hook_id", ID, nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("why", DOCUMENT, nullable=False),
        sa.Column("business_key", sa.String(length=120), server_default=sa.text("''"), nullable=False),
        sa.Column("instance_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["hook_id"],
            ["inbound_hook.id"],
            name=op.f("fk_inbound_reception_hook_id_inbound_hook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_reception")),
        sa.UniqueConstraint("hook_id", "message_id", name=op.f("uq_inbound_reception_hook_id_message_id")),
    )
    op.create_index("ix_inbound_reception_at", "inbound_reception", ["received_at"])
    op.create_table(
        "robot",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("secret", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("spoken", DOCUMENT, nullable=False),
        sa.Column("blocked_until", INSTANT, nullable=True),
        *_stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot")),
        sa.UniqueConstraint("name", name=op.f("uq_robot_name")),
    )
    op.create_table(
        "robot_line",
        sa.Column("id", ID, nullable=False),
        sa.Column("robot_id", ID, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("carrier_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robot.id"], name=op.f("fk_robot_line_robot_id_robot"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot_line")),
        sa.UniqueConstraint("key", name=op.f("uq_robot_line_key")),
    )
    op.create_index("ix_robot_line_robot", "robot_line", ["robot_id", "id"])
    op.create_index("ix_robot_line_carrier_id", "robot_line", ["carrier_id"])


def downgrade() -> None:
    op.drop_table("robot_line")
    op.drop_table("robot")
    op.drop_table("inbound_reception")
    op.drop_table("inbound_hook")
    op.drop_table("webhook")
