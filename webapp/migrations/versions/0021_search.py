"""Words that records are found by compare byte by byte on PostgreSQL too: a beginning is a stretch of the key."""

from alembic import op

revision = "0021_search"
down_revision = "0020_customers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _compare("C")


def downgrade() -> None:
    _compare("default")


def _compare(collation: str) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite compares bytes anyway
        op.execute(f'ALTER TABLE search_token ALTER COLUMN token TYPE varchar(40) COLLATE "{collation}"')
