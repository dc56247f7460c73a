"""How customers stood, night by night."""

import sqlalchemy as sa
from alembic import op

revision = "0025_customer_days"
down_revision = "0024_saved_views"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "customer_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_customer_day")),
    )
    op.create_table(
        "customer_standing",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("level", sa.String(length=1), nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("department_id", ID, nullable=True),
        sa.CheckConstraint("until IS NULL OR until >= since", name=op.f("ck_customer_standing_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_standing_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["employee.id"], name=op.f("fk_customer_standing_owner_id_employee")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_customer_standing_department_id_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_standing")),
    )
    op.create_index(
        "uq_customer_standing_open",
        "customer_standing",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
        sqlite_where=sa.text("until IS NULL"),
    )
    op.create_index("ix_customer_standing_customer", "customer_standing", ["customer_id", "since"])
    op.create_index("ix_customer_standing_until", "customer_standing", ["until", "since"])


def downgrade() -> None:
    op.drop_table("customer_standing")
    op.drop_table("customer_day")
