"""Quotas of SMS with their ledger, consents, campaigns, messages with a time of their own."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_sms_bulk"
down_revision = "0011_sms_in"
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
    op.add_column("outbox", sa.Column("due_at", INSTANT, nullable=True))
    op.add_column("outbox", sa.Column("lapses_at", INSTANT, nullable=True))
    op.create_table(
        "sms_quota",
        sa.Column("id", ID, nullable=False),
        sa.Column("department_id", ID, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        *_stamps(),
        sa.CheckConstraint("segments >= 0", name=op.f("ck_sms_quota_segments_not_negative")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_sms_quota_department_id_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_quota")),
        sa.UniqueConstraint("department_id", "month", name=op.f("uq_sms_quota_department_id_month")),
    )
    op.create_table(
        "sms_charge",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("department_id", ID, nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.CheckConstraint("segments > 0", name=op.f("ck_sms_charge_segments_positive")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_sms_charge_department_id_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_charge")),
        sa.UniqueConstraint("key", name=op.f("uq_sms_charge_key")),
    )
    op.create_index("ix_sms_charge_subject", "sms_charge", ["subject"])
    op.create_index("ix_sms_charge_month", "sms_charge", ["month", "department_id"])
    op.create_table(
        "sms_consent",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("noted_by", ID, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_consent")),
    )
    op.create_index(
        "uq_sms_consent_valid",
        "sms_consent",
        ["number", "purpose"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "sms_campaign",
        sa.Column("id", ID, nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("department_id", ID, nullable=True),
        sa.Column("wish", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("audience", DOCUMENT, nullable=False),
        sa.Column("send_at", INSTANT, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("instance_id", ID, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        *_stamps(),
        sa.ForeignKeyConstraint(["author_id"], ["employee.id"], name=op.f("fk_sms_campaign_author_id_employee")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_sms_campaign_department_id_department")
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["process_instance.id"], name=op.f("fk_sms_campaign_instance_id_process_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_campaign")),
        sa.UniqueConstraint("author_id", "wish", name=op.f("uq_sms_campaign_author_id_wish")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_sms_campaign_instance_id")),
    )
    op.create_index("ix_sms_campaign_author", "sms_campaign", ["author_id", "id"])
    op.create_table(
        "sms_recipient",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("facts", DOCUMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.String(length=12), nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["sms_campaign.id"], name=op.f("fk_sms_recipient_campaign_id_sms_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_recipient")),
    )
    op.create_index("ix_sms_recipient_campaign", "sms_recipient", ["campaign_id", "position"])
    op.create_index("ix_sms_recipient_message", "sms_recipient", ["message_id"])
    op.create_index(
        "uq_sms_recipient_number",
        "sms_recipient",
        ["campaign_id", "number"],
        unique=True,
        sqlite_where=sa.text("left_out = ''"),
        postgresql_where=sa.text("left_out = ''"),
    )


def downgrade() -> None:
    op.drop_table("sms_recipient")
    op.drop_table("sms_campaign")
    op.drop_table("sms_consent")
    op.drop_table("sms_charge")
    op.drop_table("sms_quota")
    op.drop_column("outbox", "lapses_at")
    op.drop_column("outbox", "due_at")
