"""Which events are told by SMS, in which words, to whom."""

import sqlalchemy as sa
from alembic import op

revision = "0019_sms_rules"
down_revision = "0018_mail_answered"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sms_rule",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("department_id", ID, nullable=True),
        sa.Column("position_id", ID, nullable=True),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_sms_rule_department_id_department")
        ),
        sa.ForeignKeyConstraint(["position_id"], ["position.id"], name=op.f("fk_sms_rule_position_id_position")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_sms_rule_name")),
    )
    op.create_index("ix_sms_rule_event", "sms_rule", ["event", "state"])
    op.create_table(
        "sms_rule_person",
        sa.Column("rule_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["employee.id"], name=op.f("fk_sms_rule_person_person_id_employee")),
        sa.ForeignKeyConstraint(["rule_id"], ["sms_rule.id"], name=op.f("fk_sms_rule_person_rule_id_sms_rule")),
        sa.PrimaryKeyConstraint("rule_id", "person_id", name=op.f("pk_sms_rule_person")),
    )
    op.create_index(op.f("ix_sms_rule_person_person_id"), "sms_rule_person", ["person_id"])


def downgrade() -> None:
    op.drop_table("sms_rule_person")
    op.drop_table("sms_rule")
