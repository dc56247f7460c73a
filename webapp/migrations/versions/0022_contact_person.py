"""The parts a person plays are found by the person, whatever their state."""

from alembic import op

revision = "0022_contact_person"
down_revision = "0021_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_contact_person", "contact", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_contact_person", table_name="contact")
