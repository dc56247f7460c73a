"""Customers the tests of the pages begin with."""

from __future__ import annotations

from sqlalchemy import select

from engine.actor import SYSTEM
from engine.db import transaction
from processes.organization.models import Employee
from processes.party import operations


def keep(owner: str = "", **values: str) -> int:
    """A customer of the demo person of this name; "" = in the pool."""
    with transaction() as session:
        made = operations.create_customer(session, SYSTEM, values={"duplicate_reason": "测试", **values})
        if owner:
            made.owner_id = session.scalars(select(Employee.id).where(Employee.name == owner)).one()
            made.state = "locked"
        return made.id
