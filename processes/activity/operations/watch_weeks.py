"""The week of the customers somebody watches (row 77): who held them, who spoke to them, what was unlocked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.i18n import Sentence, _, listed
from processes.activity.models import ContactRecord
from processes.kernel.working_time import ZONE
from processes.notices.operations import notify, told
from processes.notices.rules import kind
from processes.organization.models import Employee
from processes.ownership.models import Ownership, Watch
from processes.ownership.rules import ENDED_HOW
from processes.party.models import Customer
from processes.party.permissions import USE, visible_customers

WATCHED_WEEK = kind("activity.watched_week", _("What the week brought the customers I watch (on Mondays)"))

MOST_LINES = 20


@dataclass(frozen=True)
class Week:
    """From Monday to Sunday, as the company's clock goes."""

    monday: date

    @classmethod
    def before(cls, now: datetime) -> Week:
        """The last one that is over."""
        today = now.astimezone(ZONE).date()
        return cls(today - timedelta(days=today.weekday() + 7))

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.monday, time(), ZONE)

    @property
    def ends(self) -> datetime:
        """No longer in it."""
        return datetime.combine(self.monday + timedelta(days=7), time(), ZONE)

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def key(self) -> str:
        return f"activity.watched_week:{self.monday.isoformat()}"


@dataclass
class Changes:
    """What happened to one customer."""

    customer: Customer
    parts: list[Sentence] = field(default_factory=list)


def to_tell(session: Session, week: Week) -> Sequence[int]:
    """Those who watched something that changed, and have not been told yet."""
    wanted = select(Watch.person_id).where(_watched_in(week), Watch.person_id.not_in(told(week.key)))
    changed = or_(
        exists(select(Ownership.id).where(Ownership.customer_id == Watch.customer_id, _moved_in(week))),
        exists(select(ContactRecord.id).where(ContactRecord.customer_id == Watch.customer_id, _said_in(week))),
    )
    return session.scalars(wanted.where(changed).distinct().order_by(Watch.person_id)).all()


def tell(session: Session, person_id: int, week: Week) -> bool:
    """Tell one person, of the customers he may see today. Once for a week, however often this is called."""
    person = session.get(Employee, person_id)
    actors = CATALOG.actors(session, [person_id]) if CATALOG.actors is not None else {}
    actor = actors.get(person_id)
    if person is None or actor is None or not actor.may(USE):
        return False
    found = changes(session, actor, week)
    if not found:
        return False
    lines = [_line(one, person.locale) for one in found[:MOST_LINES]]
    if len(found) > MOST_LINES:
        lines.append(_("and {count} more", count=len(found) - MOST_LINES).in_locale(person.locale))
    new = notify(
        session,
        SYSTEM,
        persons=[person_id],
        kind=WATCHED_WEEK,
        title=_(
            "{count} customers you watch had a change from {first} to {last}",
            count=len(found),
            first=week.monday.isoformat(),
            last=week.sunday.isoformat(),
        ),
        text="\n".join(lines),
        key=week.key,
        link="/customers/lists?view=watched",
    )
    return bool(new)


def changes(session: Session, actor: Actor, week: Week) -> list[Changes]:
    """By customer, in the order of their names; only what the actor may see."""
    mine = (
        select(Customer)
        .join(Watch, Watch.customer_id == Customer.id)
        .where(Watch.person_id == actor.person_id, _watched_in(week), visible_customers(actor))
    )
    found = {one.id: Changes(one) for one in session.scalars(mine.order_by(Customer.name, Customer.id))}
    _add_owners(session, found, week)
    _add_contacts(session, found, week)
    return [one for one in found.values() if one.parts]


def _add_owners(session: Session, found: dict[int, Changes], week: Week) -> None:
    moved = select(Ownership, Employee.name).join(Employee, Employee.id == Ownership.owner_id)
    moved = moved.where(Ownership.customer_id.in_(found), _moved_in(week))
    for one, owner in session.execute(moved.order_by(Ownership.started_at, Ownership.id)):
        parts = found[one.customer_id].parts
        if one.started_at >= week.begins:
            parts.append(_("owner now {who}", who=owner))
        if one.ended_at is not None and week.begins <= one.ended_at < week.ends and one.ended_how in ENDED_HOW:
            parts.append(_("no longer {who}’s ({how})", who=owner, how=ENDED_HOW[one.ended_how]))


def _add_contacts(session: Session, found: dict[int, Changes], week: Week) -> None:
    said = select(ContactRecord.customer_id, func.count(), func.max(ContactRecord.at))
    said = said.where(ContactRecord.customer_id.in_(found), _said_in(week)).group_by(ContactRecord.customer_id)
    for customer_id, count, last in session.execute(said):
        day = last.astimezone(ZONE).date().isoformat()
        found[customer_id].parts.append(_("spoken to {count} times, last on {day}", count=count, day=day))


def _line(one: Changes, locale: str) -> str:
    said = listed((part.in_locale(locale) for part in one.parts), "；", locale=locale)
    return _("{customer}: {changes}.", customer=one.customer.name, changes=said).in_locale(locale)


def _watched_in(week: Week) -> ColumnElement[bool]:
    return Watch.created_at < week.ends


def _moved_in(week: Week) -> ColumnElement[bool]:
    return or_(
        and_(Ownership.started_at >= week.begins, Ownership.started_at < week.ends),
        and_(Ownership.ended_at >= week.begins, Ownership.ended_at < week.ends),
    )


def _said_in(week: Week) -> ColumnElement[bool]:
    return and_(ContactRecord.at >= week.begins, ContactRecord.at < week.ends, ContactRecord.state == "active")
