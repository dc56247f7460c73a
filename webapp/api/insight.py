"""Reports on customers: how they came and went, how they stand and moved on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.errors import InvalidForm, Problem
from engine.i18n import _
from processes.insight import rules
from processes.insight.operations import change, standing
from processes.insight.operations.change import By, Change, Column
from processes.insight.operations.standing import Sight
from processes.kernel.working_time import business_date
from processes.ownership.models import Ownership
from processes.party.models import Customer
from processes.party.permissions import visible_customers
from webapp.api.answers import Person
from webapp.api.endpoint import Answer, Call, Id, Query, endpoint
from webapp.api.paging import ListQuery, Page, page_of, rows, total_of

TAG = "reports"

USUAL_MONTHS = 6
USUAL_DAYS = 30
_EARLIEST, _LATEST = date(1970, 1, 1), date(8999, 12, 1)


Value = Annotated[str, msgspec.Meta(pattern="^[A-Za-z_]{0,12}$")]


class ChangeQuery(Query):
    by: By = "owner"
    since: date | None = None
    """any day of the first month; without it six months"""
    until: date | None = None
    """any day of the last month; without it the present one. At most 24 months."""
    owner: Id | None = None
    department: Id | None = None
    """with those below it"""


class ChangeRow(Answer):
    key: str
    """the owner's id, the department's ("" = in none), the first of the month"""
    title: str
    opening: int
    new: int
    locked: int
    received: int
    unlocked: int
    given: int
    lost: int
    closing: int
    """opening + new + locked + received - unlocked - given - lost"""


class ChangeAnswer(Answer):
    since: date
    """the first of the first month"""
    until: date
    """the first of the last month"""
    items: list[ChangeRow]
    total: ChangeRow


class ChangedQuery(ListQuery):
    by: By = "owner"
    key: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    """of the row; without it the total"""
    column: Column = "closing"
    since: date | None = None
    until: date | None = None
    owner: Id | None = None
    department: Id | None = None


class Counted(Answer):
    """A customer as one may know it now; null when it is with people one does not see."""

    id: int
    name: str


class OwnershipLine(Answer):
    id: int
    customer: Counted | None
    owner: Person
    started_at: datetime
    how: str
    ended_at: datetime | None
    ended_how: str


class StateQuery(Query):
    sight: Sight = "stage"
    since: date | None = None
    """without it thirty days ago"""
    until: date | None = None
    """without it today"""
    owner: Id | None = None
    department: Id | None = None


class Moved(Answer):
    was: str
    """its state, stage or level; "" = not there, or with people one does not see"""
    now: str
    count: int


class StateAnswer(Answer):
    since: date | None
    """the day compared: the last on which customers were looked at; null when none ever was"""
    until: date | None
    items: list[Moved]


class MovedQuery(ListQuery):
    sight: Sight = "stage"
    was: Value | None = None
    """a state, stage or level; "" = not there; left out = whatever it was"""
    now: Value | None = None
    since: date | None = None
    until: date | None = None
    owner: Id | None = None
    department: Id | None = None


class MovedLine(Answer):
    customer: Counted | None
    was: str
    now: str


@endpoint("GET", "/reports/customer-changes", tag=TAG)
def customer_changes(call: Call, query: ChangeQuery) -> ChangeAnswer:
    """How customers came and went, by owner, department or month; of your own and of people below you.

    Needs the right `insight.team.read`. Departments are those the owners were in when they got the customer.
    """
    asked = _months(query)
    found = change.changes(call.session, call.actor, asked, query.by)
    total = change.total(call.session, call.actor, asked)
    return ChangeAnswer(since=asked.first, until=asked.last, items=[_row(one) for one in found], total=_row(total))


@endpoint("GET", "/reports/customer-changes/customers", tag=TAG, refusals=(422,))
def customers_changed(call: Call, query: ChangedQuery) -> Page[OwnershipLine]:
    """The ownerships behind a number, the latest first."""
    wanted = change.behind(call.actor, _months(query), query.by, _key(query), query.column)
    total = total_of(call.session, query, wanted, Ownership.id)
    found = [row[0] for row in rows(call.session, query, wanted)]
    seen = _named(call.session, call.actor, [one.customer for one in found])
    return page_of(query, found, total, lambda one: _ownership(one, seen))


@endpoint("GET", "/reports/customer-states", tag=TAG)
def customer_states(call: Call, query: StateQuery) -> StateAnswer:
    """How customers stood on two days by state, stage or level, and how many went from where to where.

    Needs the right `insight.team.read`. What was nobody's counts for everybody who has it.
    """
    found = standing.flow(call.session, call.actor, _days(query), query.sight)
    items = [Moved(was=was, now=now, count=count) for (was, now), count in sorted(found.table.items())]
    return StateAnswer(since=found.first, until=found.last, items=items)


@endpoint("GET", "/reports/customer-states/customers", tag=TAG)
def customers_moved(call: Call, query: MovedQuery) -> Page[MovedLine]:
    """The customers behind a number, by name."""
    wanted = standing.moved(call.session, call.actor, _days(query), query.sight, query.was, query.now)
    total = total_of(call.session, query, wanted, Customer.id)
    found = rows(call.session, query, wanted)
    seen = _named(call.session, call.actor, [row[0] for row in found])
    return page_of(query, found, total, lambda row: MovedLine(customer=seen.get(row[0].id), was=row[1], now=row[2]))


def _months(query: ChangeQuery | ChangedQuery) -> change.Asked:
    last = min(max(query.until or business_date(clock.now()), date(1980, 1, 1)), _LATEST)
    first = min(max(query.since or rules.months_on(last, 1 - USUAL_MONTHS), _EARLIEST), _LATEST)
    return change.Asked.of(first, last, query.owner, query.department)


def _days(query: StateQuery | MovedQuery) -> standing.Asked:
    last = query.until or business_date(clock.now())
    first = query.since or last - min(timedelta(days=USUAL_DAYS), last - date.min)
    return standing.Asked(min(first, last), max(first, last), query.owner, query.department)


def _key(query: ChangedQuery) -> Any:
    """As the operation takes it: "" for the total, None for those in no department."""
    if query.key is None:
        return ""
    if query.key == "" and query.by == "department":
        return None
    try:
        return date.fromisoformat(query.key) if query.by == "month" else int(query.key)
    except ValueError:
        raise InvalidForm([Problem("key", _("This cannot be read."))]) from None


def _row(one: Change) -> ChangeRow:
    numbers = {name: getattr(one, name) for name in rules.COLUMNS}
    return ChangeRow(key="" if one.key is None else str(one.key), title=one.title, **numbers)


def _named(session: Session, actor: Actor, customers: list[Customer]) -> dict[int, Counted]:
    wanted = select(Customer.id, Customer.name).where(
        Customer.id.in_({one.id for one in customers}), visible_customers(actor)
    )
    return {row.id: Counted(id=row.id, name=row.name) for row in session.execute(wanted)}


def _ownership(one: Ownership, seen: dict[int, Counted]) -> OwnershipLine:
    return OwnershipLine(
        id=one.id,
        customer=seen.get(one.customer_id),
        owner=Person(id=one.owner_id, name=one.owner.name),
        started_at=one.started_at,
        how=one.how,
        ended_at=one.ended_at,
        ended_how=one.ended_how,
    )
