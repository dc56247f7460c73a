"""Word templates, their versions, and the documents made from them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_word"
down_revision = "0014_telephony"
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
        "word_template",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        *_stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_template")),
        sa.UniqueConstraint("code", name=op.f("uq_word_template_code")),
    )
    op.create_table(
        "word_template_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("template_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attachment_id", ID, nullable=False),
        sa.Column("fields", DOCUMENT, nullable=False),
        sa.Column("uploaded_by", ID, nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachment.id"], name=op.f("fk_word_template_version_attachment_id_attachment")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["word_template.id"], name=op.f("fk_word_template_version_template_id_word_template")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_template_version")),
        sa.UniqueConstraint("template_id", "number", name=op.f("uq_word_template_version_template_id_number")),
    )
    op.create_table(
        "word_document",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("version_id", ID, nullable=True),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("instance_id", ID, nullable=True),
        sa.Column("docx_id", ID, nullable=True),
        sa.Column("pdf_id", ID, nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        *_stamps(),
        sa.ForeignKeyConstraint(["docx_id"], ["attachment.id"], name=op.f("fk_word_document_docx_id_attachment")),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["process_instance.id"], name=op.f("fk_word_document_instance_id_process_instance")
        ),
        sa.ForeignKeyConstraint(["pdf_id"], ["attachment.id"], name=op.f("fk_word_document_pdf_id_attachment")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["word_template_version.id"], name=op.f("fk_word_document_version_id_word_template_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_document")),
        sa.UniqueConstraint("key", name=op.f("uq_word_document_key")),
    )
    op.create_index("ix_word_document_record", "word_document", ["record_type", "record_id"])
    op.create_index("ix_word_document_created_by", "word_document", ["created_by", "id"])
    op.create_index("ix_word_document_instance_id", "word_document", ["instance_id"])


def downgrade() -> None:
    op.drop_table("word_document")
    op.drop_table("word_template_version")
    op.drop_table("word_template")
