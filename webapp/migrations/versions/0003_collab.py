"""Comments with their versions; notices with the roads people choose."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_collab"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _comments()
    _notices()


def _comments() -> None:
    op.create_table(
        "comment",
        sa.Column("id", ID, nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("author_name", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", DOCUMENT, nullable=False),
        sa.Column("reply_to", ID, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("edited_at", INSTANT, nullable=True),
        sa.Column("voided_at", INSTANT, nullable=True),
        sa.Column("voided_by", ID, nullable=True),
        sa.Column("void_reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("submission", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["reply_to"], ["comment.id"], name=op.f("fk_comment_reply_to_comment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        sa.UniqueConstraint("author_id", "submission", name=op.f("uq_comment_author_id_submission")),
    )
    op.create_index("ix_comment_record", "comment", ["record_type", "record_id", "id"])
    op.create_table(
        "comment_version",
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=op.f("fk_comment_version_comment_id_comment")),
        sa.PrimaryKeyConstraint("comment_id", "revision", name=op.f("pk_comment_version")),
    )


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=150), nullable=False),
        sa.Column("title_template", sa.String(length=300), nullable=False),
        sa.Column("title_values", DOCUMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("read_at", INSTANT, nullable=True),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.Column("digest_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("person_id", "key", name=op.f("uq_notice_person_id_key")),
    )
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_notice_unread", "notice", ["person_id", "id"], postgresql_where=unread, sqlite_where=unread)
    op.create_index("ix_notice_person", "notice", ["person_id", "id"])
    op.create_index("ix_notice_digest", "notice", ["digest_at", "person_id"])
    op.create_index("ix_notice_created_at", "notice", ["created_at"])
    op.create_table(
        "notice_preference",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("channels", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "kind", name=op.f("pk_notice_preference")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("notice_preference", "notice", "comment_version", "comment"):
        op.drop_table(table)
