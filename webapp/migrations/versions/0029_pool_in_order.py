"""The pool is read in its own order, newest first, instead of being sorted whole for each page."""

from alembic import op

revision = "0029_pool_in_order"
down_revision = "0028_words_by_kind"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index("state", "open_since", "id")


def downgrade() -> None:
    _index("state", "pool_id", "open_since")


def _index(*columns: str) -> None:
    op.drop_index("ix_customer_pool", table_name="customer")
    op.create_index("ix_customer_pool", "customer", list(columns))
