"""Numbers that want no more texts."""

import sqlalchemy as sa
from alembic import op

revision = "0010_opt_out"
down_revision = "0009_lent"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sms_opt_out",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("words", sa.String(length=100), nullable=False),
        sa.Column("noted_by", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_opt_out")),
        sa.UniqueConstraint("number", name=op.f("uq_sms_opt_out_number")),
    )


def downgrade() -> None:
    op.drop_table("sms_opt_out")
