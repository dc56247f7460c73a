"""A customer lent to a colleague or a department (共享, row 80): to read or to work on, until a day, taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import Forbidden, RuleViolation
from engine.i18n import _
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.working_time import business_date
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.models import Department
from processes.ownership import rules
from processes.ownership.models import Share
from processes.ownership.operations.locking import active_person, may_release
from processes.ownership.permissions import alive_shares
from processes.party.models import Customer
from processes.party.permissions import CUSTOMER, readable, visible_customers

SHARED = kind("ownership.shared", _("A customer is shared with me"))


def share(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    person_id: int | None = None,
    department_id: int | None = None,
    level: str = "read",
    until: date | None = None,
    parts: Collection[str] = ("contacts", "records"),
) -> Share:
    """Lend a customer; its owner and those above him may. Lent again to the same one, the later word holds; the same
    word again says nothing new to anybody.
    """
    customer = _own(session, actor, customer_id)
    if (person_id is None) == (department_id is None):
        raise RuleViolation(_("Share with a person or with a department."), code="share_with_whom")
    if level not in rules.SHARE_LEVELS or not set(parts) <= set(rules.SHARE_PARTS):
        raise RuleViolation(_("Please choose one of the offered values."))
    rules.check_day(until, business_date(clock.now()))
    if person_id is not None:
        if person_id == customer.owner_id:
            raise RuleViolation(_("{customer} is his already.", customer=customer.name), code="own_customer")
        active_person(session, person_id)
    elif session.get(Department, department_id) is None:
        raise RuleViolation(_("There is no such record."))
    same = select(Share).where(
        Share.customer_id == customer_id,
        Share.ended_at.is_(None),
        Share.person_id == person_id if person_id is not None else Share.department_id == department_id,
    )
    one = session.scalars(same.with_for_update(of=Share)).first()
    if one is not None and (one.level, one.until, sorted(one.parts)) == (level, until, sorted(parts)):
        return one
    if one is None:
        one = Share(customer_id=customer_id, person_id=person_id, department_id=department_id)
        one.created_by = actor.person_id
        session.add(one)
    one.level, one.until, one.parts = level, until, sorted(parts)
    stamp(one, actor)
    session.flush()
    session.refresh(one, ["person", "department"])
    after = {"with_whom": _named(one), "may": level, "until": str(until or "")}
    journal.audit(session, actor, CUSTOMER, customer_id, "shared", None, after)
    if person_id is not None:
        notify(
            session,
            actor,
            persons={person_id} - {actor.person_id},
            kind=SHARED,
            title=_("{who} shares {customer} with you", who=actor.name, customer=customer.name),
            key=f"ownership.shared:{one.id}:{one.version}",
            record=(CUSTOMER, customer_id),
        )
    return one


def revoke(session: Session, actor: Actor, *, share_id: int) -> None:
    """Take it back; at once, on every road."""
    one = lock_for_change(session, Share, share_id)
    _own(session, actor, one.customer_id)
    if one.ended_at is not None:
        return
    one.ended_at = clock.now()
    stamp(one, actor)
    session.flush()
    journal.audit(session, actor, CUSTOMER, one.customer_id, "share_revoked", {"with_whom": _named(one)}, None)


def end_with_owning(session: Session, *, customer_id: int, owner_id: int) -> None:
    """What was lent to him is his now; were it given away again, the old share would open it to him still."""
    lent = select(Share).where(Share.customer_id == customer_id, Share.person_id == owner_id, Share.ended_at.is_(None))
    for one in session.scalars(lent):
        one.ended_at = clock.now()
    session.flush()


def lent_to(session: Session, customer_ids: Collection[int], person_id: int) -> list[int]:
    """The shares of these customers with a person that are not taken back."""
    lent = Share.customer_id.in_(customer_ids), Share.person_id == person_id, Share.ended_at.is_(None)
    return list(session.scalars(select(Share.id).where(*lent).order_by(Share.id)))


def lend_again(session: Session, share_ids: Collection[int], customer_ids: Collection[int]) -> None:
    """What `end_with_owning` has ended, for those of these customers that are his no more."""
    for one in session.scalars(select(Share).where(Share.id.in_(share_ids), Share.customer_id.in_(customer_ids))):
        one.ended_at = None
    session.flush()


def _named(one: Share) -> dict[str, Any]:
    whom = one.person or one.department
    return {"id": whom.id if whom is not None else 0, "name": str(whom or "")}


def shares_of(session: Session, actor: Actor, customer_id: int) -> Sequence[Share]:
    """With whom it is shared now, for whoever may share it; index ix_customer_share_customer."""
    customer = readable(session, actor, customer_id)
    if not may_share(session, actor, customer):
        return ()
    today = business_date(clock.now())
    alive = Share.ended_at.is_(None), or_(Share.until.is_(None), Share.until >= today)
    return session.scalars(select(Share).where(Share.customer_id == customer_id, *alive).order_by(Share.id)).all()


def shared_with(session: Session, actor: Actor, *, offset: int = 0, limit: int = 50) -> Sequence[Share]:
    """What is lent to him or to his department; indexes ix_customer_share_person, ix_customer_share_department."""
    seen = select(Customer.id).where(visible_customers(actor))
    found = select(Share).where(alive_shares(actor), Share.customer_id.in_(seen))
    return session.scalars(found.order_by(Share.id.desc()).offset(offset).limit(limit)).all()


def may_share(session: Session, actor: Actor, customer: Customer) -> bool:
    """Who may let it go may lend it."""
    return may_release(session, actor, customer)


def _own(session: Session, actor: Actor, customer_id: int) -> Customer:
    customer = readable(session, actor, customer_id)
    if customer.owner_id is None:
        raise RuleViolation(_("{customer} is in the pool, everybody sees it.", customer=customer.name), code="in_pool")
    if not may_share(session, actor, customer):
        raise Forbidden(_("Only its owner and those above him may share {customer}.", customer=customer.name))
    return customer
