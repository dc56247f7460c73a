"""From a record to the calls said to be about it, and from a customer to all that applied for it."""

from alembic import op

revision = "0030_calls_about"
down_revision = "0029_pool_in_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_phone_call_about", "phone_call", ["record_type", "record_id"])
    op.create_index("ix_lock_request_customer", "lock_request", ["customer_id"])


def downgrade() -> None:
    op.drop_index("ix_lock_request_customer", table_name="lock_request")
    op.drop_index("ix_phone_call_about", table_name="phone_call")
