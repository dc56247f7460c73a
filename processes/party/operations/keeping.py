"""What a customer's row repeats of ownership's history, for lists: written here and nowhere else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from processes.party.models import Customer


def keep_owner(
    session: Session, customer_id: int, *, owner_id: int | None, at: datetime, pool_id: int | None = None
) -> None:
    """Whose the customer is from now on; no owner = in the pool. Called by ownership, with its history.

    Under ownership's locks. `version` stays: nobody's open edit page goes stale by it.
    """
    locked = owner_id is not None
    session.execute(
        update(Customer)
        .where(Customer.id == customer_id)
        .values(
            owner_id=owner_id,
            state="locked" if locked else "open",
            owned_since=at if locked else None,
            open_since=None if locked else at,
            pool_id=None if locked else pool_id,
            changed_at=Customer.changed_at,
        )
        .execution_options(synchronize_session="evaluate")
    )
