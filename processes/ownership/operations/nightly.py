"""The nightly walk over every locked customer: warn, unlock, tell. Few customers in each transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from engine import clock, runtime
from engine.db import Sessions, transaction
from processes.kernel.working_time import business_date
from processes.ownership.operations import unlock_rules, unlocking

logger = logging.getLogger(__name__)

AT_ONCE = 20
"""Customers in a transaction: enough to share its statements, few enough that nobody at work waits for their locks."""


@dataclass(slots=True)
class Night:
    """What came of a walk."""

    examined: int = 0
    unlocked: int = 0
    warned: int = 0
    failed: int = 0


def _unlock(night: Night, customer_ids: Sequence[int], today: date) -> None:
    """Where one of several fails, each is tried alone: it stops no other."""
    try:
        night.unlocked += len(runtime.perform(lambda session: unlocking.unlock(session, customer_ids, today)))
    except Exception:
        if len(customer_ids) == 1:
            night.failed += 1
            logger.exception("ownership.unlocking_failed", extra={"customer_id": customer_ids[0]})
            return
        Sessions.remove()
        for customer_id in customer_ids:
            _unlock(night, [customer_id], today)
    finally:
        Sessions.remove()


def walk(today: date | None = None) -> Night:
    """Safe to run twice, and at once with people at work; one that fails stops no other."""
    today = today or business_date(clock.now())
    night = Night()
    with transaction() as session:
        in_force = unlock_rules.in_force(session)
    Sessions.remove()
    after = 0
    while in_force:
        with transaction() as session:
            after, examined, ids, warned = unlocking.examine(session, in_force, after, today)
            night.warned += unlocking.warn(session, warned, today)
        Sessions.remove()
        night.examined += examined
        for first in range(0, len(ids), AT_ONCE):
            _unlock(night, ids[first : first + AT_ONCE], today)
        if not after:
            break
    if night.unlocked:
        with transaction() as session:
            unlocking.tell_unlocked(session, today)
        Sessions.remove()
    logger.info(
        "ownership.unlocked",
        extra={"examined": night.examined, "unlocked": night.unlocked, "warned": night.warned, "failed": night.failed},
    )
    return night
