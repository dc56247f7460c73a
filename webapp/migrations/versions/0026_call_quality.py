"""Recordings of calls, what calls are scored by, and the scores; what the contact analysis reads lies in its index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026_call_quality"
down_revision = "0025_customer_days"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _stamps() -> list[sa.Column[object]]:
    return [
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    op.add_column("phone_call", sa.Column("recording", sa.String(length=500), server_default="", nullable=False))
    op.create_table(
        "phone_criterion",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        *_stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_criterion")),
    )
    op.create_table(
        "phone_call_score",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("points", DOCUMENT, nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        *_stamps(),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["phone_agent.id"], name=op.f("fk_phone_call_score_agent_id_phone_agent")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["phone_call.id"], name=op.f("fk_phone_call_score_call_id_phone_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call_score")),
        sa.UniqueConstraint("call_id", "agent_id", name=op.f("uq_phone_call_score_call_id_agent_id")),
    )
    op.create_index("ix_phone_call_score_agent", "phone_call_score", ["agent_id"])
    op.drop_index("ix_contact_record_at", table_name="contact_record")
    op.create_index(
        "ix_contact_record_at", "contact_record", ["at", "id", "customer_id", "result", "is_qualified", "state"]
    )


def downgrade() -> None:
    op.drop_index("ix_contact_record_at", table_name="contact_record")
    op.create_index("ix_contact_record_at", "contact_record", ["at", "id"])
    op.drop_table("phone_call_score")
    op.drop_table("phone_criterion")
    op.drop_column("phone_call", "recording")
