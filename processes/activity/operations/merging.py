"""Two customers become one: their contacts are one history and one set of plans; taken back, each has its own again.

What was moved is read off the trace that the moving itself left.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import SYSTEM
from engine.models import RecordAudit
from processes.activity.models import Appointment, ContactRecord
from processes.activity.operations import keeping
from processes.kernel.columns import lock_for_change
from processes.party.models import Customer

TRACE = "activity.merge"


def merge(session: Session, *, kept_id: int, gone_id: int, merge_id: int) -> None:
    """Where both have an open plan with the customer as a whole, the one that stays keeps its own."""
    if not _lock(session, kept_id, gone_id):
        return
    records = _ids(session, ContactRecord, gone_id)
    plans = list(
        session.scalars(select(Appointment).where(Appointment.customer_id == gone_id).order_by(Appointment.id))
    )
    whole = select(Appointment.id).where(
        Appointment.customer_id == kept_id, Appointment.contact_id.is_(None), Appointment.state == "open"
    )
    is_taken = session.scalar(whole) is not None
    ended = [one for one in plans if is_taken and one.state == "open" and one.contact_id is None]
    for one in ended:
        one.state, one.closing = "cancelled", "merged"
    session.flush()
    moved = {"records": records, "appointments": [one.id for one in plans], "ended": [one.id for one in ended]}
    _move(session, moved, kept_id)
    journal.audit(session, SYSTEM, TRACE, merge_id, "merged", {"customer_id": gone_id}, moved)
    _reckon(session, kept_id, gone_id)


def unmerge(session: Session, *, kept_id: int, gone_id: int, merge_id: int) -> None:
    """What came along goes back, as far as it is there still; what was noted since stays with the one that was kept."""
    if not _lock(session, kept_id, gone_id):
        return
    trace = select(RecordAudit.after).where(
        RecordAudit.record_type == TRACE, RecordAudit.record_id == merge_id, RecordAudit.action == "merged"
    )
    moved = session.scalars(trace.order_by(RecordAudit.seq.desc())).first()
    if moved is None:
        return
    _move(session, moved, gone_id)
    for one in session.scalars(select(Appointment).where(Appointment.id.in_(moved["ended"]))):
        if one.state == "cancelled" and one.closing == "merged":
            one.state, one.closing = "open", ""
    session.flush()
    journal.audit(session, SYSTEM, TRACE, merge_id, "unmerged", moved, {"customer_id": gone_id})
    _reckon(session, kept_id, gone_id)


def _lock(session: Session, *party_ids: int) -> bool:
    """Both customers; False where one of the two parties is none, for then nothing of ours hangs on it."""
    if len(list(session.scalars(select(Customer.id).where(Customer.id.in_(party_ids))))) < len(party_ids):
        return False
    for customer_id in sorted(party_ids):
        lock_for_change(session, Customer, customer_id)
    return True


def _ids(session: Session, model: type[ContactRecord], customer_id: int) -> list[int]:
    return list(session.scalars(select(model.id).where(model.customer_id == customer_id).order_by(model.id)))


def _move(session: Session, moved: dict[str, list[int]], customer_id: int) -> None:
    for model, ids in ((ContactRecord, moved["records"]), (Appointment, moved["appointments"])):
        for part in _parts(ids):
            kept = update(model).where(model.id.in_(part))
            session.execute(kept.values(customer_id=customer_id, changed_at=model.changed_at))
    session.expire_all()


def _parts(ids: list[int], size: int = 500) -> Iterable[list[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _reckon(session: Session, *customer_ids: int) -> None:
    for customer_id in customer_ids:
        keeping.keep_contacted(session, customer_id)
        keeping.keep_next(session, customer_id)
