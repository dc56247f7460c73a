"""Agents, calls, and what the telephone exchange is asked to do."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014_telephony"
down_revision = "0013_mail_in"
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
        "phone_agent",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("extension", sa.String(length=6), nullable=False),
        sa.Column("queues", sa.String(length=200), nullable=False),
        sa.Column("skills", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("presence", sa.String(length=10), nullable=False),
        sa.Column("presence_reason", sa.String(length=80), nullable=False),
        sa.Column("presence_at", INSTANT, nullable=True),
        *_stamps(),
        sa.ForeignKeyConstraint(["person_id"], ["employee.id"], name=op.f("fk_phone_agent_person_id_employee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_agent")),
        sa.UniqueConstraint("person_id", name=op.f("uq_phone_agent_person_id")),
        sa.UniqueConstraint("extension", name=op.f("uq_phone_agent_extension")),
    )
    op.create_table(
        "phone_agent_presence",
        sa.Column("id", ID, nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("presence", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["phone_agent.id"], name=op.f("fk_phone_agent_presence_agent_id_phone_agent")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_agent_presence")),
    )
    op.create_index("ix_phone_agent_presence_agent", "phone_agent_presence", ["agent_id", "at"])
    op.create_table(
        "phone_call",
        sa.Column("id", ID, nullable=False),
        sa.Column("uuid", sa.String(length=150), nullable=False),
        sa.Column("exchange", sa.String(length=40), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("did", sa.String(length=40), nullable=False),
        sa.Column("queue", sa.String(length=80), nullable=False),
        sa.Column("agent_id", ID, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=30), nullable=False),
        sa.Column("ended_by", sa.String(length=10), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("held_at", INSTANT, nullable=True),
        sa.Column("is_held", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("transfers", DOCUMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("note_by", ID, nullable=True),
        sa.Column("note_at", INSTANT, nullable=True),
        sa.Column("asked_by", ID, nullable=True),
        sa.Column("record_type", sa.String(length=60), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["phone_agent.id"], name=op.f("fk_phone_call_agent_id_phone_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call")),
        sa.UniqueConstraint("uuid", name=op.f("uq_phone_call_uuid")),
    )
    op.create_index("ix_phone_call_started", "phone_call", ["started_at"])
    op.create_index("ix_phone_call_open", "phone_call", ["ended_at", "exchange"])
    op.create_index("ix_phone_call_number", "phone_call", ["number"])
    op.create_index("ix_phone_call_agent", "phone_call", ["agent_id", "started_at"])
    op.create_table(
        "phone_call_leg",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rung_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("over_at", INSTANT, nullable=True),
        sa.Column("cause", sa.String(length=30), nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["phone_agent.id"], name=op.f("fk_phone_call_leg_agent_id_phone_agent")),
        sa.ForeignKeyConstraint(["call_id"], ["phone_call.id"], name=op.f("fk_phone_call_leg_call_id_phone_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call_leg")),
        sa.UniqueConstraint("call_id", "agent_id", name=op.f("uq_phone_call_leg_call_id_agent_id")),
    )
    op.create_index("ix_phone_call_leg_agent", "phone_call_leg", ["agent_id", "state"])
    op.create_table(
        "phone_command",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("exchange", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("agent_id", ID, nullable=True),
        sa.Column("arguments", DOCUMENT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["phone_agent.id"], name=op.f("fk_phone_command_agent_id_phone_agent")),
        sa.ForeignKeyConstraint(["call_id"], ["phone_call.id"], name=op.f("fk_phone_command_call_id_phone_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_command")),
        sa.UniqueConstraint("key", name=op.f("uq_phone_command_key")),
    )
    op.create_index("ix_phone_command_state", "phone_command", ["state", "id"])
    op.create_index(op.f("ix_phone_command_call_id"), "phone_command", ["call_id"])


def downgrade() -> None:
    for table in ("phone_command", "phone_call_leg", "phone_call", "phone_agent_presence", "phone_agent"):
        op.drop_table(table)
