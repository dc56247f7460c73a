"""Items that lie with a stand-in are found by the one they are for."""

import sqlalchemy as sa
from alembic import op

revision = "0009_lent"
down_revision = "0008_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lent = sa.text("on_behalf_of IS NOT NULL")
    op.create_index(
        "ix_work_item_lent", "work_item", ["on_behalf_of", "state"], postgresql_where=lent, sqlite_where=lent
    )


def downgrade() -> None:
    op.drop_index("ix_work_item_lent", table_name="work_item")
