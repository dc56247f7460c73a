"""A duty that one process alone may have: a modem, an exchange, a mailbox. Kept single by a lease in the database."""

from __future__ import annotations

from engine import leases
from engine.db import Sessions, transaction


def acquire(duty: str, me: str) -> bool:
    """Take the duty or keep it; False while somebody else has it."""
    with transaction() as session:
        fence = leases.acquire(session, duty, me)
    Sessions.remove()
    return fence is not None


def release(duty: str, me: str) -> None:
    with transaction() as session:
        leases.release(session, duty, me)
    Sessions.remove()
