"""Every attempt of a message, gates before the wires, tests of a wire, since when it is as it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017_wires"
down_revision = "0016_webhooks"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "outbox_attempt",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("road", sa.String(length=200), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox.id"], name=op.f("fk_outbox_attempt_message_id_outbox"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_attempt")),
    )
    op.create_index("ix_outbox_attempt_message", "outbox_attempt", ["message_id"])
    op.create_index("ix_outbox_attempt_channel", "outbox_attempt", ["channel", "at"])
    trouble = sa.text("outcome <> 'accepted'")
    op.create_index(
        "ix_outbox_attempt_trouble", "outbox_attempt", ["channel", "id"], postgresql_where=trouble, sqlite_where=trouble
    )
    op.create_table(
        "wire_gate",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("closings", sa.Integer(), nullable=False),
        sa.Column("closed_until", INSTANT, nullable=True),
        sa.Column("millitokens", sa.Integer(), nullable=True),
        sa.Column("filled_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_wire_gate")),
    )
    op.create_table(
        "wire_test",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("steps", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wire_test")),
    )
    op.create_index("ix_wire_test_waiting", "wire_test", ["answered_at", "name"])
    with op.batch_alter_table("wire_health") as wire_health:
        wire_health.add_column(sa.Column("since", INSTANT, nullable=True))
        wire_health.add_column(sa.Column("alarmed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE wire_health SET since = at")
    with op.batch_alter_table("wire_health") as wire_health:
        wire_health.alter_column("since", existing_type=INSTANT, nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("wire_health") as wire_health:
        wire_health.drop_column("alarmed")
        wire_health.drop_column("since")
    op.drop_table("wire_test")
    op.drop_table("wire_gate")
    op.drop_table("outbox_attempt")
