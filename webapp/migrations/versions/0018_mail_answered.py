"""Which of our mails answer a mail that came in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018_mail_answered"
down_revision = "0017_wires"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("mail_received", sa.Column("answered_by", DOCUMENT, server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("mail_received", "answered_by")
