"""Mails that come in, and how far each mailbox has been read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013_mail_in"
down_revision = "0012_sms_bulk"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "mail_received",
        sa.Column("id", ID, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("box", sa.String(length=200), nullable=False),
        sa.Column("uid_validity", ID, nullable=False),
        sa.Column("uid", ID, nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("raw_id", ID, nullable=True),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("references", DOCUMENT, nullable=False),
        sa.Column("sender", sa.String(length=254), nullable=False),
        sa.Column("sender_name", sa.String(length=200), nullable=False),
        sa.Column("recipients", DOCUMENT, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("has_html", sa.Boolean(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("automatic", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("outbox_id", ID, nullable=True),
        sa.Column("from_recipient", sa.Boolean(), nullable=False),
        sa.Column("instance_id", ID, nullable=True),
        sa.Column("record_type", sa.String(length=60), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("refused_files", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_received")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_mail_received_fingerprint")),
    )
    op.create_index("ix_mail_received_new", "mail_received", ["state", "next_at"])
    op.create_index("ix_mail_received_instance", "mail_received", ["instance_id"])
    op.create_index("ix_mail_received_outbox", "mail_received", ["outbox_id"])
    op.create_index("ix_mail_received_record", "mail_received", ["record_type", "record_id"])
    op.create_table(
        "mailbox_cursor",
        sa.Column("box", sa.String(length=200), nullable=False),
        sa.Column("uid_validity", ID, nullable=False),
        sa.Column("uid", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("box", name=op.f("pk_mailbox_cursor")),
    )
    op.create_table(
        "mail_invitation",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.String(length=120), nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("instance_id", ID, nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_invitation")),
        sa.UniqueConstraint("record_type", "record_id", name=op.f("uq_mail_invitation_record_type_record_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_mail_invitation_uid")),
    )
    op.create_table(
        "mail_invitation_guest",
        sa.Column("id", ID, nullable=False),
        sa.Column("invitation_id", ID, nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["mail_invitation.id"],
            name=op.f("fk_mail_invitation_guest_invitation_id_mail_invitation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_invitation_guest")),
        sa.UniqueConstraint("invitation_id", "address", name=op.f("uq_mail_invitation_guest_invitation_id_address")),
    )


def downgrade() -> None:
    op.drop_table("mail_invitation_guest")
    op.drop_table("mail_invitation")
    op.drop_table("mailbox_cursor")
    op.drop_table("mail_received")
