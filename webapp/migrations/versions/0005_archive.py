"""Signatures of employees; packages of the archive, beginning with what has ended so far."""

import sqlalchemy as sa
from alembic import op

revision = "0005_archive"
down_revision = "0004_numbering"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

MARK = """
INSERT INTO archive_package
    (record_type, record_id, edition, state, title, process_key, process, starter_name, outcome, ended_at, due_at,
     attempts, error, sha256, size, parts)
SELECT 'process.instance', id, 1, 'waiting', '', definition_key, '', '', state, ended_at, ended_at, 0, '', '', 0, 0
FROM process_instance
WHERE state IN ('completed', 'rejected') AND ended_at IS NOT NULL
ORDER BY ended_at, id
"""


def upgrade() -> None:
    op.add_column("employee", sa.Column("signature", sa.String(length=64), server_default="", nullable=False))
    op.create_table(
        "archive_package",
        sa.Column("id", ID, nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("edition", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("process_key", sa.String(length=100), nullable=False),
        sa.Column("process", sa.String(length=200), nullable=False),
        sa.Column("starter_id", ID, nullable=True),
        sa.Column("starter_name", sa.String(length=100), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.Column("filed_at", INSTANT, nullable=True),
        sa.Column("retention_years", sa.SmallInteger(), nullable=True),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.Column("attachment_id", ID, nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachment.id"], name=op.f("fk_archive_package_attachment_id_attachment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_package")),
        sa.UniqueConstraint("number", name=op.f("uq_archive_package_number")),
        sa.UniqueConstraint(
            "record_type", "record_id", "edition", name=op.f("uq_archive_package_record_type_record_id_edition")
        ),
    )
    op.create_index("ix_archive_package_state", "archive_package", ["state", "due_at"])
    op.create_index("ix_archive_package_checked", "archive_package", ["state", "checked_at"])
    op.create_index("ix_archive_package_starter_id", "archive_package", ["starter_id"])
    op.execute(MARK)


def downgrade() -> None:
    op.drop_table("archive_package")
    op.drop_column("employee", "signature")
