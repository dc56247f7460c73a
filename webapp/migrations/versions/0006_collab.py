"""Comments with their versions; notices with the roads people choose; tasks with their moves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_collab"
down_revision = "0005_archive"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _comments()
    _notices()
    _tasks()


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
        sa.Column("void_reason", sa.String(length=500), nullable=False),
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


def _tasks() -> None:
    op.create_table(
        "task",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("deliverable", sa.String(length=500), nullable=False),
        sa.Column("assigner_id", ID, nullable=False),
        sa.Column("assignee_id", ID, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("origin", sa.String(length=200), nullable=True),
        sa.Column("warn_at", INSTANT, nullable=True),
        sa.Column("warned", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["assigner_id"], ["employee.id"], name=op.f("fk_task_assigner_id_employee")),
        sa.ForeignKeyConstraint(["assignee_id"], ["employee.id"], name=op.f("fk_task_assignee_id_employee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("origin", name=op.f("uq_task_origin")),
    )
    op.create_index("ix_task_assignee", "task", ["assignee_id", "state", "due_at"])
    op.create_index("ix_task_assigner", "task", ["assigner_id", "state", "due_at"])
    op.create_index("ix_task_record", "task", ["record_type", "record_id"])
    op.create_index("ix_task_warn_at", "task", ["warn_at"])
    op.create_table(
        "task_watcher",
        sa.Column("task_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_watcher_task_id_task")),
        sa.ForeignKeyConstraint(["person_id"], ["employee.id"], name=op.f("fk_task_watcher_person_id_employee")),
        sa.PrimaryKeyConstraint("task_id", "person_id", name=op.f("pk_task_watcher")),
    )
    op.create_index(op.f("ix_task_watcher_person_id"), "task_watcher", ["person_id"])
    op.create_table(
        "task_move",
        sa.Column("id", ID, nullable=False),
        sa.Column("task_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("actor_name", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("from_state", sa.String(length=12), nullable=False),
        sa.Column("to_state", sa.String(length=12), nullable=False),
        sa.Column("from_person", ID, nullable=True),
        sa.Column("to_person", ID, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_move_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_move")),
    )
    op.create_index("ix_task_move_task", "task_move", ["task_id", "id"])


def downgrade() -> None:
    for table in ("task_move", "task_watcher", "task"):
        op.drop_table(table)
    for table in ("notice_preference", "notice", "comment_version", "comment"):
        op.drop_table(table)
