"""Views of lists kept under a name, and what each reader makes of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024_saved_views"
down_revision = "0023_field_rules"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", ID, nullable=False),
        sa.Column("register", sa.String(length=60), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_key", sa.String(length=80), nullable=False),
        sa.Column("audience", sa.String(length=12), nullable=False),
        sa.Column("department_id", ID, nullable=True),
        sa.Column("question", DOCUMENT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_saved_view_department_id_department")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["employee.id"], name=op.f("fk_saved_view_person_id_employee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "person_id", "register", "name_key", name=op.f("uq_saved_view_person_id_register_name_key")
        ),
    )
    _only(
        "uq_saved_view_department", "saved_view", ["register", "department_id", "name_key"], "audience = 'department'"
    )
    _only("uq_saved_view_everybody", "saved_view", ["register", "name_key"], "audience = 'everybody'")
    op.create_table(
        "list_choice",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("register", sa.String(length=60), nullable=False),
        sa.Column("chosen", sa.String(length=60), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["employee.id"], name=op.f("fk_list_choice_person_id_employee")),
        sa.PrimaryKeyConstraint("person_id", "register", "chosen", name=op.f("pk_list_choice")),
        sqlite_with_rowid=False,
    )
    _only("uq_list_choice_default", "list_choice", ["person_id", "register"], "is_default")


def downgrade() -> None:
    op.drop_table("list_choice")
    op.drop_table("saved_view")


def _only(name: str, table: str, columns: list[str], where: str) -> None:
    """A unique index over some of the rows."""
    op.create_index(name, table, columns, unique=True, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
