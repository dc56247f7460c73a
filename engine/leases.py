"""One holder per duty: a device, a mailbox. Kept in the database, so it holds across machines."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.models import Lease

LIFE = timedelta(seconds=30)


def acquire(session: Session, name: str, owner: str, life: timedelta = LIFE) -> int | None:
    """Take or renew the duty; its fencing token, or None while somebody else holds it.

    The token is raised whenever the holder changes: whoever still carries an older one has lost the duty.
    """
    now = clock.now()
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(Lease)
    session.execute(
        insert.values(name=name, owner=owner, until=now + life, fence=1).on_conflict_do_nothing(index_elements=["name"])
    )
    renewed = session.scalar(
        update(Lease)
        .where(Lease.name == name, Lease.owner == owner)
        .values(until=now + life)
        .returning(Lease.fence)
        .execution_options(synchronize_session=False)
    )
    if renewed is not None:
        return renewed
    return session.scalar(
        update(Lease)
        .where(Lease.name == name, or_(Lease.until <= now, Lease.owner == ""))
        .values(owner=owner, until=now + life, fence=Lease.fence + 1)
        .returning(Lease.fence)
        .execution_options(synchronize_session=False)
    )


def release(session: Session, name: str, owner: str) -> None:
    """Give the duty up before the lease ends."""
    session.execute(
        update(Lease)
        .where(Lease.name == name, Lease.owner == owner)
        .values(owner="", until=clock.now())
        .execution_options(synchronize_session=False)
    )
