"""Applying for a customer of the pool (申请锁定): what its diagram does with the application, and how one ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, journal, queue, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import after_commit
from engine.errors import Forbidden, RuleViolation
from engine.i18n import Sentence, _
from engine.service_tasks import StepFacts, service_task
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.working_time import ZONE, business_date
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.models import Employee
from processes.ownership import permissions, rules
from processes.ownership.models import LockRequest, Ownership
from processes.ownership.operations import holding, limits, locking
from processes.ownership.operations.house_rules import HOUSE
from processes.party.models import Customer
from processes.party.permissions import CUSTOMER, readable

PROCESS = "lock_request"
CLOSED_MESSAGE = "ownership.lock_request_closed"
"""What the diagram waits for beside the decision."""
END_JOB = "ownership.end_closed_requests"

CATALOG.about[(CUSTOMER, "ownership")] = lambda customer_id: select(LockRequest.instance_id).where(
    LockRequest.customer_id == customer_id
)

REQUEST_CLOSED = kind("ownership.request_closed", _("A customer I applied for goes to somebody else"))


def apply_for(session: Session, actor: Actor, *, customer_id: int, reason: str) -> int:
    """Start the process in the actor's name; its instance. What forbids it is said before anybody is asked."""
    customer = readable(session, actor, customer_id)
    values = {"name": customer.name, "customer": str(customer.id), "reason": reason}
    return runtime.start(session, actor, PROCESS, values=values).instance_id


@service_task("ownership.file_lock_request", _("File the application for a customer"))
def file_lock_request(
    session: Session, actor: Actor, facts: StepFacts, *, customer: int, name: str, reason: str
) -> dict[str, Any]:
    """Note the starter's application, if he may have the customer as things stand now.

    name: as the form shows it to whoever decides; it must be the customer's.
    Returns {"id", "customer", "name"}; the diagram keeps it as `request`.
    """
    known = session.scalar(select(LockRequest).where(LockRequest.instance_id == facts.instance_id))
    if known is not None:
        return _told(known)
    seen = readable(session, actor, customer)
    if seen.name != name:
        raise RuleViolation(
            _("The form does not name the customer it is about."),
            code="form_differs",
            remedy=_("Apply on the customer's own page, or in the pool."),
        )
    found = holding.take(session, [customer], [facts.starter_id])[customer]
    check_may_apply(session, actor, found, facts.starter_id)
    request = LockRequest(
        customer_id=customer,
        applicant_id=facts.starter_id,
        instance_id=facts.instance_id,
        reason=reason,
        created_by=actor.person_id,
        changed_by=actor.person_id,
        is_demo=found.is_demo,
    )
    request.state = "pending"
    session.add(request)
    session.flush()
    journal.audit(session, actor, permissions.REQUEST, request.id, "filed", None, {"customer": found.name})
    return _told(request)


def check_may_apply(session: Session, actor: Actor, customer: Customer, person_id: int) -> None:
    """Everything that is asked when somebody applies; certain under the locks, else what would be said."""
    if not actor.may(permissions.APPLY):
        raise Forbidden(_("Your roles do not include this."), code="permission_missing")
    person = locking.active_person(session, person_id)
    rules.check_open(customer.name, customer.state, locking.owner_name(session, actor, customer))
    mine = select(LockRequest.id).where(
        LockRequest.customer_id == customer.id, LockRequest.applicant_id == person_id, LockRequest.state == "pending"
    )
    if session.scalar(mine) is not None:
        raise RuleViolation(
            _("You have applied for {customer} already.", customer=customer.name),
            code="applied_already",
            remedy=_("Wait for the decision, or withdraw the application."),
        )
    locking.check_cool_down(session, customer, person_id)
    rules.check_daily_cap(_asked_today(session, person_id), HOUSE.daily_requests)
    rules.check_limit(limits.usage(session, person_id), 1, person.name, own=True)


def granted_from(customer: Customer) -> datetime | None:
    """Until when no application for it is granted; None: as soon as somebody decides."""
    return rules.fair_until(customer.open_since, clock.now(), HOUSE.fair_hours)


def _asked_today(session: Session, person_id: int) -> int:
    """Applications of this day in Shanghai, whatever became of them; index ix_lock_request_applicant."""
    begins = datetime.combine(business_date(clock.now()), time(), ZONE)
    asked = select(func.count()).where(LockRequest.applicant_id == person_id, LockRequest.created_at >= begins)
    return session.scalar(asked) or 0


@service_task("ownership.grant_lock", _("Lock the customer for its applicant"))
def grant_lock(session: Session, actor: Actor, _facts: StepFacts, *, request_id: int) -> dict[str, Any]:
    """Give the applicant the customer, if everything still holds; whoever else applied is told that it is gone.

    Refused (the approver reads why) when somebody was faster or the limit is lower now. Returns {"ownership": id}.
    """
    asked = session.get_one(LockRequest, request_id)
    holding.take(session, [asked.customer_id], [asked.applicant_id])
    request = lock_for_change(session, LockRequest, request_id)
    if request.state == "approved":
        return {"ownership": _lock_of(session, request)}
    if request.state != "pending":
        raise RuleViolation(
            _(
                "This application is over: {state}. {why}",
                state=rules.REQUEST_STATES[request.state],
                why=request.closing,
            ),
            code="request_over",
        )
    locking.check_cool_down(session, request.customer, request.applicant_id)
    rules.check_fair_window(request.customer.name, request.customer.open_since, clock.now(), HOUSE.fair_hours)
    _decide(session, actor, request, "approved")
    made = locking.lock(
        session,
        actor,
        request.customer_id,
        request.applicant_id,
        "applied",
        reason=request.reason[: rules.LONGEST_REASON],
        request_id=request.id,
    )
    return {"ownership": made.id}


@service_task("ownership.mark_rejected", _("Mark the application for a customer as rejected"))
def mark_rejected(session: Session, actor: Actor, _facts: StepFacts, *, request_id: int) -> dict[str, Any]:
    """Returns {"state": "rejected"}."""
    request = lock_for_change(session, LockRequest, request_id)
    if request.state == "pending":
        _decide(session, actor, request, "rejected")
    return {"state": request.state}


def close_others(session: Session, actor: Actor, *, customer_id: int, why: Sentence) -> None:
    """Whoever still waits for this customer waits in vain: told at once, his process ends right after.

    It ends in a transaction of its own (end_closed): two approvers at the same moment would else each hold their own
    process and wait for the other's.
    """
    pending = (
        select(LockRequest)
        .where(LockRequest.customer_id == customer_id, LockRequest.state == "pending")
        .order_by(LockRequest.id)
        .with_for_update(of=LockRequest)
    )
    waiting = session.scalars(pending).all()
    for request in waiting:
        locale = request.applicant.locale
        _decide(session, actor, request, "closed", why.in_locale(locale))
        notify(
            session,
            actor,
            persons=[request.applicant_id],
            kind=REQUEST_CLOSED,
            title=_("Your application for {customer} is closed: {why}", customer=request.customer.name, why=why),
            key=f"ownership.request_closed:{request.id}",
            record=(CUSTOMER, customer_id),
        )
    if waiting:
        after_commit(session, lambda: queue.wake(END_JOB))


def to_end(session: Session, limit: int) -> list[int]:
    """Closed ones whose process has not been told; index ix_lock_request_to_end."""
    closed = select(LockRequest.id).where(LockRequest.state == "closed", ~LockRequest.is_over)
    return list(session.scalars(closed.order_by(LockRequest.id).limit(limit)))


def end_closed(session: Session, *, request_id: int) -> None:
    """Tell the process of a closed application; it goes the way that is drawn for it."""
    asked = session.get_one(LockRequest, request_id)
    runtime.publish(
        session,
        name=CLOSED_MESSAGE,
        message_id=f"lock_request:{asked.id}",
        instance_id=asked.instance_id,
        variables={"closing": asked.closing},
    )
    request = lock_for_change(session, LockRequest, request_id)
    request.is_over = True
    session.flush()


def mark_ended(session: Session, actor: Actor, *, instance_id: int, state: str) -> None:
    """The process ended before anybody decided: withdrawn by its starter, or stopped by an administrator."""
    request = _of(session, instance_id)
    if request is not None and request.state == "pending":
        _decide(session, actor, request, state)


def take_back(session: Session, actor: Actor, *, instance_id: int, state: str) -> None:
    """The decision counts no more: the process is voided ("withdrawn") or opened again ("pending").

    What it gave the applicant goes back to the pool, unless the customer has gone to somebody else since.
    """
    asked = session.scalar(select(LockRequest).where(LockRequest.instance_id == instance_id))
    if asked is None or asked.state == state:
        return
    customer = holding.take(session, [asked.customer_id], [asked.applicant_id])[asked.customer_id]
    request = lock_for_change(session, LockRequest, asked.id)
    if request.state == "approved" and customer.owner_id == request.applicant_id:
        held = session.scalars(
            select(Ownership).where(Ownership.customer_id == customer.id, Ownership.ended_at.is_(None))
        ).one()
        if held.how == "applied":
            holding.end(session, actor, customer, "undone")
    if state == "pending":
        rules.check_open(customer.name, customer.state, locking.owner_name(session, actor, customer))
        others = select(LockRequest.id).where(
            LockRequest.customer_id == customer.id,
            LockRequest.applicant_id == request.applicant_id,
            LockRequest.state == "pending",
        )
        if session.scalar(others) is not None:
            raise RuleViolation(_("You have applied for {customer} already.", customer=customer.name))
    request.is_over = False
    _decide(session, actor, request, state)


def place_in_queue(session: Session, request: LockRequest) -> tuple[int, int]:
    """(place, of how many) among those who wait for the customer, by when they applied."""
    ahead = select(func.count()).where(
        LockRequest.customer_id == request.customer_id, LockRequest.state == "pending", LockRequest.id <= request.id
    )
    all_ = select(func.count()).where(LockRequest.customer_id == request.customer_id, LockRequest.state == "pending")
    return session.scalar(ahead) or 0, session.scalar(all_) or 0


def places(session: Session, waiting: Collection[LockRequest]) -> dict[int, tuple[int, int]]:
    """place_in_queue of several at once, by the id of the customer."""
    known = select(LockRequest.customer_id, LockRequest.id).where(
        LockRequest.customer_id.in_([one.customer_id for one in waiting]), LockRequest.state == "pending"
    )
    queues: dict[int, list[int]] = {}
    for row in session.execute(known.order_by(LockRequest.id)):
        queues.setdefault(row.customer_id, []).append(row.id)
    return {
        one.customer_id: (queues[one.customer_id].index(one.id) + 1, len(queues[one.customer_id]))
        for one in waiting
        if one.id in queues.get(one.customer_id, ())
    }


def waiting_for(session: Session, actor: Actor, customer_id: int) -> Sequence[LockRequest]:
    """The applications for a customer that the actor may know of, who came first first."""
    found = select(LockRequest).where(
        LockRequest.customer_id == customer_id, LockRequest.state == "pending", permissions.visible_requests(actor)
    )
    return session.scalars(found.order_by(LockRequest.id)).all()


def pending_of(session: Session, person_id: int, customer_ids: Iterable[int]) -> dict[int, LockRequest]:
    """His waiting applications for these customers; index uq_lock_request_pending."""
    found = select(LockRequest).where(
        LockRequest.customer_id.in_(list(customer_ids)),
        LockRequest.applicant_id == person_id,
        LockRequest.state == "pending",
    )
    return {one.customer_id: one for one in session.scalars(found)}


def _of(session: Session, instance_id: int) -> LockRequest | None:
    found = select(LockRequest).where(LockRequest.instance_id == instance_id)
    return session.scalar(found.with_for_update(of=LockRequest).execution_options(populate_existing=True))


def _decide(session: Session, actor: Actor, request: LockRequest, state: str, why: str = "") -> None:
    before = request.state
    request.state, request.closing = state, why[: rules.LONGEST_REASON]
    request.decided_at = clock.now() if state != "pending" else None
    stamp(request, actor)
    session.flush()
    after = {"state": state, **({"why": why} if why else {})}
    journal.audit(session, actor, permissions.REQUEST, request.id, state, {"state": before}, after)


def _lock_of(session: Session, request: LockRequest) -> int:
    found = select(Ownership.id).where(
        Ownership.customer_id == request.customer_id,
        Ownership.owner_id == request.applicant_id,
        Ownership.how == "applied",
    )
    return session.scalars(found.order_by(Ownership.id.desc())).first() or 0


def _told(request: LockRequest) -> dict[str, Any]:
    return {"id": request.id, "customer": request.customer_id}


def owner_of(session: Session, owner_id: int) -> Sentence:
    owner = session.get(Employee, owner_id)
    return _("{owner} has it now.", owner=owner.name if owner is not None else "")
