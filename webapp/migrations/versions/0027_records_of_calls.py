"""What a contact record came of is found by it: the records of a call."""

import sqlalchemy as sa
from alembic import op

revision = "0027_records_of_calls"
down_revision = "0026_call_quality"
branch_labels = None
depends_on = None

NAMED = sa.text("source_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_contact_record_source",
        "contact_record",
        ["source_id", "source_type"],
        postgresql_where=NAMED,
        sqlite_where=NAMED,
    )


def downgrade() -> None:
    op.drop_index("ix_contact_record_source", table_name="contact_record")
