"""The key of the words begins with their kind: names that begin with "1" are not looked for among all numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0028_words_by_kind"
down_revision = "0027_records_of_calls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _key("record_type", "token", "record_id")


def downgrade() -> None:
    _key("token", "record_type", "record_id")


def _key(*columns: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE search_token DROP CONSTRAINT pk_search_token, "
            f"ADD CONSTRAINT pk_search_token PRIMARY KEY ({', '.join(columns)})"
        )
        return
    op.drop_index("ix_search_token_record", table_name="search_token")
    op.rename_table("search_token", "search_token_before")
    op.create_table(
        "search_token",
        sa.Column("token", sa.String(40), nullable=False),
        sa.Column("record_type", sa.String(60), nullable=False),
        sa.Column(
            "record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint(*columns, name="pk_search_token"),
        sqlite_with_rowid=False,
    )
    before = sa.table("search_token_before", *map(sa.column, columns))
    op.execute(sa.table("search_token", *map(sa.column, columns)).insert().from_select(columns, before.select()))
    op.drop_table("search_token_before")
    op.create_index("ix_search_token_record", "search_token", ["record_type", "record_id"])
