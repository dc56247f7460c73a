"""The nightly look at every customer: what has changed since the last one begins a new row.

A day is looked at once. A look that breaks off is taken up again and leaves the same behind; after nights that were
missed, changes count from the day they were seen.
"""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

from sqlalchemy import Date, Select, and_, case, delete, exists, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.db import Sessions, transaction
from processes.insight.models import CustomerDay, CustomerStanding
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.party.models import Customer

logger = logging.getLogger(__name__)

BATCH = 5000
"""customers in one transaction"""
_KEPT = ("state", "stage", "level", "owner_id", "department_id")


def look(day: date | None = None, batch: int = BATCH) -> bool:
    """Note how every customer stands today; False when that was done before."""
    day = day or business_date(clock.now())
    with transaction() as session:
        done = session.scalar(select(CustomerDay.day).where(CustomerDay.day >= day).limit(1)) is not None
    Sessions.remove()
    after: int | None = 0
    while not done and after is not None:
        with transaction() as session:
            after = note_some(session, day, after, batch)
            if after is None:
                _insert(session, CustomerDay, ["day"], values={"day": day, "at": clock.now()})
        Sessions.remove()
    return not done


def note_some(session: Session, day: date, after: int, batch: int) -> int | None:
    """The customers that follow this one; the last of them, None when there are no more."""
    ids = select(Customer.id).where(Customer.id > after).order_by(Customer.id).limit(batch)
    found = list(session.scalars(ids))
    if not found:
        return None
    first, last = found[0], found[-1]
    standing: Any = CustomerStanding
    mine = and_(standing.customer_id.between(first, last), standing.until.is_(None))
    now = _as_it_stands(first, last).subquery()
    same = exists().where(
        now.c.id == standing.customer_id, *(now.c[name].is_not_distinct_from(getattr(standing, name)) for name in _KEPT)
    )
    quietly: dict[str, Any] = {"synchronize_session": False}
    session.execute(delete(standing).where(mine, standing.since >= day, ~same).execution_options(**quietly))
    ending = update(standing).where(mine, standing.since < day, ~same).values(until=day)
    session.execute(ending.execution_options(**quietly))
    open_one = exists().where(standing.customer_id == now.c.id, standing.until.is_(None))
    fresh = select(now.c.id, literal(day, Date).label("since"), *(now.c[name] for name in _KEPT)).where(~open_one)
    _insert(session, CustomerStanding, None, rows=fresh)
    return last


def _as_it_stands(first: int, last: int) -> Select[Any]:
    whose = case((Customer.owner_id.is_not(None), Employee.department_id), else_=Customer.pool_id)
    return (
        select(Customer.id, Customer.state, Customer.stage, Customer.level, Customer.owner_id)
        .add_columns(whose.label("department_id"))
        .select_from(Customer)
        .outerjoin(Employee, Employee.id == Customer.owner_id)
        .where(Customer.id.between(first, last), Customer.state != "merged")
    )


def _insert(
    session: Session, model: Any, key: list[str] | None, *, values: Any = None, rows: Select[Any] | None = None
) -> None:
    """What somebody else was faster with is there already."""
    dialect = session.get_bind().dialect.name
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(model)
    if rows is not None:
        statement = statement.from_select(["customer_id", "since", *_KEPT], rows)
    else:
        statement = statement.values(values)
    session.execute(statement.on_conflict_do_nothing(index_elements=key))
