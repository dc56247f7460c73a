"""On Sundays those who settle duplicates hear how many new pairs there are among the customers they see (row 85)."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.i18n import _
from processes.kernel.working_time import ZONE
from processes.notices.operations import notify, told
from processes.notices.rules import kind
from processes.organization.models import Employee
from processes.party import permissions
from processes.party.models import Customer, DuplicatePair

FOUND = kind("party.duplicates_found", _("Customers that look alike were found (on Sundays)"))


def to_tell(session: Session, sunday: date) -> list[int]:
    """Who signs in, settles what nobody owns, and has not been told yet; nobody where nothing new was found."""
    if session.scalar(_fresh(sunday).limit(1)) is None or CATALOG.actors is None:
        return []
    people = select(Employee.id).where(Employee.state == "active", Employee.id.not_in(told(_key(sunday))))
    actors = CATALOG.actors(session, session.scalars(people.order_by(Employee.id)).all())
    return [one for one, actor in actors.items() if actor.may(permissions.MERGE_POOL) and actor.may(permissions.USE)]


def tell(session: Session, person_id: int, sunday: date) -> bool:
    """Tell one person, of pairs of which he may see both; once for a week, however often this is called."""
    actor = (CATALOG.actors(session, [person_id]) if CATALOG.actors is not None else {}).get(person_id)
    count = _count(session, actor, sunday) if actor is not None else 0
    if not count:
        return False
    new = notify(
        session,
        SYSTEM,
        persons=[person_id],
        kind=FOUND,
        title=_("{count} new pairs of customers look alike", count=count),
        key=_key(sunday),
        link="/duplicates",
    )
    return bool(new)


def _count(session: Session, actor: Actor, sunday: date) -> int:
    seen = select(Customer.id).where(permissions.visible_customers(actor))
    fresh = _fresh(sunday).where(DuplicatePair.a_id.in_(seen), DuplicatePair.b_id.in_(seen))
    return session.scalar(select(func.count()).select_from(fresh.subquery())) or 0


def _fresh(sunday: date) -> Select[int]:
    begins = datetime.combine(sunday, time(), ZONE)
    return select(DuplicatePair.id).where(DuplicatePair.state == "open", DuplicatePair.found_at >= begins)


def _key(sunday: date) -> str:
    return f"party.duplicates:{sunday.isoformat()}"
