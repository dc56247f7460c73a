"""Received SMS: their parts, the whole messages, early reports; codes by which approvers answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011_sms_in"
down_revision = "0010_opt_out"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sms_received",
        sa.Column("id", ID, nullable=False),
        sa.Column("road", sa.String(length=200), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=False),
        sa.Column("sender", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("missing", DOCUMENT, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("answers_id", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_received")),
        sa.UniqueConstraint("road", "external_id", name=op.f("uq_sms_received_road_external_id")),
    )
    op.create_index("ix_sms_received_sender", "sms_received", ["sender", "id"])
    op.create_index("ix_sms_received_answers", "sms_received", ["answers_id"])
    op.create_index("ix_sms_received_kind", "sms_received", ["kind", "received_at"])
    op.create_table(
        "sms_part",
        sa.Column("id", ID, nullable=False),
        sa.Column("road", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("pdu", sa.Text(), nullable=False),
        sa.Column("sender", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.Integer(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["sms_received.id"], name=op.f("fk_sms_part_message_id_sms_received")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_part")),
        sa.UniqueConstraint("digest", name=op.f("uq_sms_part_digest")),
    )
    op.create_index("ix_sms_part_waiting", "sms_part", ["message_id", "sender", "ref", "total", "width"])
    op.create_table(
        "sms_reference",
        sa.Column("road", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("road", "number", name=op.f("pk_sms_reference")),
    )
    op.create_table(
        "sms_report",
        sa.Column("id", ID, nullable=False),
        sa.Column("road", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.Integer(), nullable=True),
        sa.Column("provider_id", sa.String(length=100), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_report")),
    )
    op.create_index("ix_sms_report_at", "sms_report", ["received_at"])
    op.create_table(
        "sms_approval_code",
        sa.Column("id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("form_revision", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_sms_approval_code_item_id_work_item")),
        sa.ForeignKeyConstraint(["person_id"], ["employee.id"], name=op.f("fk_sms_approval_code_person_id_employee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_approval_code")),
    )
    op.create_index("ix_sms_approval_code_number", "sms_approval_code", ["number", "valid_until"])


def downgrade() -> None:
    op.drop_table("sms_approval_code")
    op.drop_table("sms_report")
    op.drop_table("sms_reference")
    op.drop_table("sms_part")
    op.drop_table("sms_received")
