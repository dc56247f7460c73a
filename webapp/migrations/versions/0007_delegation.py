"""Delegations and leave requests."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_delegation"
down_revision = "0006_collab"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _stamps() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", ID, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("delegator_id", ID, nullable=False),
        sa.Column("delegate_id", ID, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("process_keys", DOCUMENT, nullable=False),
        sa.Column("limit_amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("include_waiting", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", ID, nullable=True),
        *_stamps(),
        sa.CheckConstraint("starts_at <= ends_at", name=op.f("ck_delegation_starts_before_it_ends")),
        sa.ForeignKeyConstraint(["delegate_id"], ["employee.id"], name=op.f("fk_delegation_delegate_id_employee")),
        sa.ForeignKeyConstraint(["delegator_id"], ["employee.id"], name=op.f("fk_delegation_delegator_id_employee")),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["process_instance.id"], name=op.f("fk_delegation_instance_id_process_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_delegation_instance_id")),
    )
    op.create_index("ix_delegation_delegator", "delegation", ["delegator_id", "state"])
    op.create_index("ix_delegation_delegate", "delegation", ["delegate_id", "state"])
    op.create_table(
        "leave_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("starter_id", ID, nullable=False),
        sa.Column("department_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("from_noon", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("until_noon", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("half_days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        *_stamps(),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_leave_request_first_before_last")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_leave_request_department_id_department")
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["process_instance.id"], name=op.f("fk_leave_request_instance_id_process_instance")
        ),
        sa.ForeignKeyConstraint(["starter_id"], ["employee.id"], name=op.f("fk_leave_request_starter_id_employee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave_request")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_leave_request_instance_id")),
        sa.UniqueConstraint("number", name=op.f("uq_leave_request_number")),
    )
    op.create_index("ix_leave_request_starter", "leave_request", ["starter_id", "last_day"])
    op.create_index("ix_leave_request_department", "leave_request", ["department_id", "id"])


def downgrade() -> None:
    op.drop_table("leave_request")
    op.drop_table("delegation")
