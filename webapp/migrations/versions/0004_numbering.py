"""Numbering rules, their counters and numbers; codes of departments; longer numbers of expense requests."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004_numbering"
down_revision = "0003_calendar"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def stamps() -> list[sa.Column[Any]]:
    return [
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    with op.batch_alter_table("department") as table:
        table.add_column(sa.Column("code", sa.String(length=20), nullable=True))
        table.create_unique_constraint(op.f("uq_department_code"), ["code"])
    with op.batch_alter_table("expense_request") as table:
        table.alter_column("number", existing_type=sa.String(length=20), type_=sa.String(length=100))
    op.create_table(
        "serial_rule",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("pattern", sa.String(length=100), nullable=False),
        sa.Column("reset", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        *stamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serial_rule")),
        sa.UniqueConstraint("code", name=op.f("uq_serial_rule_code")),
    )
    op.create_table(
        "serial_counter",
        sa.Column("rule_id", ID, autoincrement=False, nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "period", "scope", name=op.f("pk_serial_counter")),
    )
    op.create_table(
        "serial_number",
        sa.Column("id", ID, nullable=False),
        sa.Column("rule_id", ID, nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(length=100), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("department_id", ID, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("record_type", sa.String(length=60), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        *stamps(),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_serial_number_department_id_department")
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["serial_rule.id"], name=op.f("fk_serial_number_rule_id_serial_rule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serial_number")),
        sa.UniqueConstraint(
            "rule_id", "period", "scope", "value", name=op.f("uq_serial_number_rule_id_period_scope_value")
        ),
        sa.UniqueConstraint("rule_id", "text", name=op.f("uq_serial_number_rule_id_text")),
    )
    op.create_index("ix_serial_number_record", "serial_number", ["record_type", "record_id"])
    held = sa.text("state = 'issued'")
    op.create_index(
        "uq_serial_number_record",
        "serial_number",
        ["rule_id", "record_type", "record_id"],
        unique=True,
        sqlite_where=held,
        postgresql_where=held,
    )


def downgrade() -> None:
    op.drop_table("serial_number")
    op.drop_table("serial_counter")
    op.drop_table("serial_rule")
    with op.batch_alter_table("expense_request") as table:
        table.alter_column("number", existing_type=sa.String(length=100), type_=sa.String(length=20))
    with op.batch_alter_table("department") as table:
        table.drop_constraint(op.f("uq_department_code"), type_="unique")
        table.drop_column("code")
