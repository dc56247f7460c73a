"""Keeping an eye on customers (关注) and one's own list of few (我的重点), rows 76-79."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.errors import Forbidden, RuleViolation
from engine.i18n import _
from processes.kernel.columns import stamp
from processes.kernel.working_time import business_date
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.models import Employee
from processes.ownership import permissions, rules
from processes.ownership.models import Focus, Watch
from processes.ownership.operations.house_rules import HOUSE
from processes.party.models import Customer
from processes.party.permissions import readable, visible_customers

WATCHED_LOCKED = kind("ownership.watched_locked", _("A customer I watch has got an owner"))

# ------------------------------------------------------------------------------------------------- watch


def watch(session: Session, actor: Actor, *, customer_id: int, note: str = "") -> Watch:
    """Watch a customer of the pool, or one of the people below (silently, unless the house says otherwise)."""
    _demand(actor)
    customer = readable(session, actor, customer_id)
    if customer.owner_id == actor.person_id:
        raise RuleViolation(
            _("{customer} is yours already.", customer=customer.name),
            code="own_customer",
            remedy=_("Put it into “My focus” instead."),
        )
    source = "pool" if customer.owner_id is None else "superior"
    known = _watch_of(session, actor, customer_id)
    if known is None:
        known = Watch(person_id=actor.person_id, customer_id=customer_id, source=source, created_by=actor.person_id)
        session.add(known)
    known.note = _note(note)
    stamp(known, actor)
    session.flush()
    return known


def unwatch(session: Session, actor: Actor, *, customer_id: int) -> None:
    session.execute(delete(Watch).where(Watch.person_id == actor.person_id, Watch.customer_id == customer_id))


def watchers(session: Session, actor: Actor, customer: Customer) -> Sequence[Employee]:
    """Who watches it: for those above its owner; for the owner himself where the house shows it."""
    if customer.owner_id == actor.person_id and not HOUSE.watchers_shown:
        return ()
    found = select(Employee).join(Watch, Watch.person_id == Employee.id).where(Watch.customer_id == customer.id)
    return session.scalars(found.order_by(Employee.id)).all()


def watched(session: Session, actor: Actor, *, offset: int = 0, limit: int = 50) -> Sequence[Watch]:
    """His list, without what he may not see (any more): a customer of the pool that somebody else has locked stays
    on the list of a superior only. Index uq_customer_watch.
    """
    mine = (
        select(Watch)
        .join(Customer, Customer.id == Watch.customer_id)
        .where(Watch.person_id == actor.person_id, visible_customers(actor))
        .order_by(Watch.id.desc())
    )
    return session.scalars(mine.offset(offset).limit(limit)).all()


def tell_watchers(session: Session, actor: Actor, *, customer_id: int, owner_id: int) -> None:
    """Those who watched it in the pool learn that it is somebody's now."""
    persons = session.scalars(
        select(Watch.person_id).where(Watch.customer_id == customer_id, Watch.person_id != owner_id)
    ).all()
    if not persons:
        return
    customer = session.get_one(Customer, customer_id)
    notify(
        session,
        actor,
        persons=persons,
        kind=WATCHED_LOCKED,
        title=_("{customer}, which you watch, has got an owner", customer=customer.name),
        key=f"ownership.watched_locked:{customer_id}:{clock.now().isoformat()}",
        link="/customers/lists?view=watched",  # the customer itself may be no longer his to see
    )


# ------------------------------------------------------------------------------------------------- focus


def focus(session: Session, actor: Actor, *, customer_id: int, note: str = "", until: date | None = None) -> Focus:
    """Put one of one's own customers on the list of few."""
    _demand(actor)
    customer = readable(session, actor, customer_id)
    if customer.owner_id != actor.person_id:
        raise RuleViolation(
            _("Only your own customers come into “My focus”; {customer} is not yours.", customer=customer.name),
            code="not_own_customer",
            remedy=_("Watch it instead."),
        )
    rules.check_day(until, business_date(clock.now()))
    known = session.scalars(
        select(Focus).where(Focus.person_id == actor.person_id, Focus.customer_id == customer_id)
    ).first()
    if known is None:
        _check_room(session, actor)
        known = Focus(person_id=actor.person_id, customer_id=customer_id, created_by=actor.person_id)
        session.add(known)
    known.note, known.until = _note(note), until
    stamp(known, actor)
    session.flush()
    return known


def unfocus(session: Session, actor: Actor, *, customer_id: int) -> None:
    session.execute(delete(Focus).where(Focus.person_id == actor.person_id, Focus.customer_id == customer_id))


def focused(session: Session, actor: Actor) -> Sequence[Focus]:
    """His list as it is today: what has run out, and what is not his any more, is not on it."""
    return session.scalars(_focused(actor).order_by(Customer.next_contact_on, Focus.id)).all()


def _focused(actor: Actor) -> Select[Focus]:
    today = business_date(clock.now())
    return (
        select(Focus)
        .join(Customer, Customer.id == Focus.customer_id)
        .where(
            Focus.person_id == actor.person_id,
            Customer.owner_id == actor.person_id,
            or_(Focus.until.is_(None), Focus.until >= today),
        )
    )


def _check_room(session: Session, actor: Actor) -> None:
    count = session.scalar(select(func.count()).select_from(_focused(actor).subquery())) or 0
    if HOUSE.most_in_focus and count >= HOUSE.most_in_focus:
        raise RuleViolation(
            _("“My focus” holds {count} customers at most.", count=HOUSE.most_in_focus),
            code="focus_full",
            remedy=_("Take one out first."),
        )


def forget_focus(session: Session, *, customer_id: int, owner_id: int) -> None:
    """It left his hands, and with them his list."""
    session.execute(delete(Focus).where(Focus.person_id == owner_id, Focus.customer_id == customer_id))


def is_watched(session: Session, actor: Actor, customer_id: int) -> bool:
    return _watch_of(session, actor, customer_id) is not None


def is_focused(session: Session, actor: Actor, customer_id: int) -> bool:
    return session.scalars(_focused(actor).where(Focus.customer_id == customer_id)).first() is not None


def _watch_of(session: Session, actor: Actor, customer_id: int) -> Watch | None:
    mine = select(Watch).where(Watch.person_id == actor.person_id, Watch.customer_id == customer_id)
    return session.scalars(mine).first()


def _demand(actor: Actor) -> None:
    if not actor.may(permissions.APPLY):
        raise Forbidden(_("Your roles do not include this."), code="permission_missing")


def _note(text: str) -> str:
    if len(text.strip()) > rules.LONGEST_REASON:
        raise RuleViolation(_("At most {count} characters fit here.", count=rules.LONGEST_REASON))
    return text.strip()
