"""Rules of who sees sensitive fields; former owners who stay readers see all that hangs on the customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023_field_rules"
down_revision = "0022_contact_person"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ALL_PARTS = ["contacts", "opportunities", "records"]


def upgrade() -> None:
    op.create_table(
        "field_rule",
        sa.Column("id", ID, nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("position_id", ID, nullable=True),
        sa.Column("role", sa.String(length=64), nullable=True),
        sa.Column("extent", sa.String(length=10), nullable=False),
        sa.Column("sees", sa.String(length=10), nullable=False),
        sa.Column("reveals", sa.Boolean(), nullable=False),
        sa.Column("narrows", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["employee.id"], name=op.f("fk_field_rule_person_id_employee")),
        sa.ForeignKeyConstraint(["position_id"], ["position.id"], name=op.f("fk_field_rule_position_id_position")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_rule")),
    )
    with op.batch_alter_table("field_rule", schema=None) as batch_op:
        batch_op.create_index("uq_field_rule_person", ["field", "extent", "person_id"], unique=True)
        batch_op.create_index("uq_field_rule_position", ["field", "extent", "position_id"], unique=True)
        batch_op.create_index("uq_field_rule_role", ["field", "extent", "role"], unique=True)
    _let_former_owners_see_all()


def downgrade() -> None:
    op.drop_table("field_rule")


def _let_former_owners_see_all() -> None:
    """A handing over left them a share that named no part; parts are honoured from now on."""
    bind = op.get_bind()
    handover = sa.table("handover", sa.column("id"), sa.column("moved", DOCUMENT))
    share = sa.table("customer_share", sa.column("id"), sa.column("parts", DOCUMENT))
    for moved in bind.scalars(sa.select(handover.c.moved)).all():
        for share_id in (moved or {}).get("shares", ()):
            mine = share.c.id == share_id
            if not bind.scalar(sa.select(share.c.parts).where(mine)):
                bind.execute(sa.update(share).where(mine).values(parts=ALL_PARTS))
