"""Works off the wish to reckon open due dates again: one instance, one transaction."""

from __future__ import annotations

import logging

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, journal, runtime
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import Instance
from engine.queue import periodic
from processes.organization.models import DueShift

logger = logging.getLogger(__name__)

SHIFT_JOB = "organization.shift_dues"
BATCH = 100


@periodic(SHIFT_JOB, seconds=15)
def shift_dues() -> int:
    """Move what a changed calendar moves; a job that died goes on where it stopped."""
    moved = 0
    while True:
        with transaction() as session:
            shift_id = session.scalar(
                select(DueShift.id).where(DueShift.done_at.is_(None)).order_by(DueShift.id).limit(1)
            )
            ids = _next_instances(session, shift_id) if shift_id else []
        if shift_id is None:
            return moved
        for instance_id in ids:
            moved += _shift_one(shift_id, instance_id)
        if len(ids) < BATCH:
            _finish(shift_id)


def _next_instances(session: Session, shift_id: int) -> list[int]:
    reached = session.get_one(DueShift, shift_id).reached
    running = select(Instance.id).where(Instance.state == "running", Instance.id > reached)
    return list(session.scalars(running.order_by(Instance.id).limit(BATCH)))


def _shift_one(shift_id: int, instance_id: int) -> int:
    try:
        return runtime.perform(lambda session: _reckon(session, shift_id, instance_id))
    except Exception:  # one instance that cannot be loaded must not keep the others where they are
        logger.exception("due_shift.failed", extra={"instance_id": instance_id})
        runtime.perform(lambda session: _pass_over(session, shift_id, instance_id))
        return 0
    finally:
        Sessions.remove()


def _reckon(session: Session, shift_id: int, instance_id: int) -> int:
    """The mark moves with the dates, in one transaction: an instance is reckoned once for each wish."""
    state = session.scalar(select(Instance.state).where(Instance.id == instance_id).with_for_update())
    shift = session.get_one(DueShift, shift_id, with_for_update=True, populate_existing=True)
    if shift.done_at is not None or shift.reached >= instance_id:
        return 0
    shift.reached = instance_id
    if state != "running":
        return 0
    # As the system: whoever changes the calendar takes no part in the requests it touches and may not read them.
    moved = len(runtime.reckon_dues(session, SYSTEM, instance_id, asked_by=shift.asked_by_name))
    shift.moved += moved
    return moved


def _pass_over(session: Session, shift_id: int, instance_id: int) -> None:
    shift = session.get_one(DueShift, shift_id, with_for_update=True, populate_existing=True)
    if shift.reached < instance_id:
        shift.reached = instance_id
        shift.failed = [*shift.failed, instance_id]


def _finish(shift_id: int) -> None:
    with transaction() as session:
        shift = session.get_one(DueShift, shift_id, with_for_update=True, populate_existing=True)
        if shift.done_at is not None:
            return
        shift.done_at = clock.now()
        actor = Actor(person_id=shift.asked_by, name=shift.asked_by_name, client="job")
        after = {"moved": shift.moved, "instances_failed": list(shift.failed)}
        journal.audit(session, actor, "organization.due_shift", shift.id, "finished", None, after)
