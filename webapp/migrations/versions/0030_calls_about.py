"""What is said about a call leads from the record to the call as well: one that came from another phone."""

from alembic import op

revision = "0030_calls_about"
down_revision = "0029_pool_in_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_phone_call_about", "phone_call", ["record_type", "record_id"])


def downgrade() -> None:
    op.drop_index("ix_phone_call_about", table_name="phone_call")
