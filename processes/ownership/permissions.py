"""Who may lock, give and take customers, and whom watching and sharing lets see them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, String, and_, cast, false, or_, select, true
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import Sentence, _, listed
from engine.work_items import may_read_instance
from processes.kernel.working_time import business_date
from processes.organization.models import Department, Employee
from processes.organization.permissions import below, within_scope
from processes.ownership.models import Focus, LockRequest, Share, Watch
from processes.ownership.rules import SHARE_LEVELS, SHARE_PARTS
from processes.party.models import Customer
from processes.party.permissions import MODULE, Road, noted, seen_by, worked_also

APPLY = "ownership.lock.apply"
"""Apply for customers of the pool, release, watch, mark and share one's own."""
ASSIGN = "ownership.team.assign"
"""Give customers to oneself and to people below, and hand over theirs."""
ASSIGN_ANY = "ownership.everybody.assign"
"""Give and hand over customers whoever has them and whoever gets them."""
READ_RULES = "ownership.rule.read"
MANAGE_RULES = "ownership.rule.manage"
"""Limits, policies for new customers, rules of assignment and of unlocking."""

REQUEST = "ownership.lock_request"
LIMIT = "ownership.lock_limit"
POLICY = "ownership.creation_policy"
ASSIGNMENT = "ownership.assignment_rule"
UNLOCKING = "ownership.unlock_rule"
"""Record types."""


def visible_rules(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.may(READ_RULES) or actor.may(MANAGE_RULES) else false()


def visible_requests(actor: Actor) -> ColumnElement[bool]:
    """One's own, those of people below; with the right to assign everywhere, all."""
    if actor.may(ASSIGN_ANY):
        return true()
    return or_(LockRequest.applicant_id == actor.person_id, LockRequest.applicant_id.in_(below(actor.person_id)))


def is_below(session: Session, actor: Actor, person_id: int) -> bool:
    """The person stands under the actor in the line of command."""
    found = select(Employee.id).where(Employee.id == person_id, Employee.id.in_(below(actor.person_id)))
    return session.scalar(found) is not None


def may_give_to(session: Session, actor: Actor, person_id: int) -> bool:
    """He may have this person get customers: himself, people below him; with the right, anybody."""
    if actor.may(ASSIGN_ANY):
        return True
    return actor.may(ASSIGN) and (person_id == actor.person_id or is_below(session, actor, person_id))


def demand_give(session: Session, actor: Actor, person_id: int) -> None:
    if not may_give_to(session, actor, person_id):
        raise Forbidden(
            _("You may give customers to yourself and to people below you only."),
            code="not_below",
            remedy=_("Ask a superior of both."),
        )


def givable_customers(actor: Actor) -> ColumnElement[bool]:
    """Those the actor may assign or hand over: the pool's, and those owned within his scope."""
    if actor.may(ASSIGN_ANY):
        return true()
    if not actor.may(ASSIGN):
        return false()
    return or_(Customer.owner_id.is_(None), within_scope(actor, MODULE, Customer.owner_id))


# ------------------------------------------------------------------------------------------------- seen, worked on


def alive_shares(actor: Actor) -> ColumnElement[bool]:
    """Shares that hold today and mean the actor, or a department at or above his; ix_customer_share_person,
    _department.
    """
    path = (
        select(Department.path)
        .join(Employee, Employee.department_id == Department.id)
        .where(Employee.id == actor.person_id)
        .scalar_subquery()
    )
    above = select(Department.id).where(path.startswith(Department.path))
    return and_(
        Share.ended_at.is_(None),
        or_(Share.until.is_(None), Share.until >= business_date(clock.now())),
        or_(Share.person_id == actor.person_id, Share.department_id.in_(above)),
    )


def _shared(actor: Actor, part: str, *levels: str) -> ColumnElement[bool]:
    """Lent to the actor at one of these levels, the part of it with it."""
    wanted = select(Share.customer_id).where(alive_shares(actor), Share.level.in_(levels))
    if part:
        wanted = wanted.where(cast(Share.parts, String).like(f'%"{part}"%'))  # a list of a few known words
    return Customer.id.in_(wanted)


def _lent(session: Session, actor: Actor, customer: Customer) -> Iterable[Sentence]:
    """By whom, to whom, what, until when."""
    shares = select(Share).where(Share.customer_id == customer.id, alive_shares(actor)).order_by(Share.id)
    for one in session.scalars(shares):
        lender = session.get(Employee, one.created_by)
        yield _(
            "Shared by {who} with {whom}: {level}, {parts}, {until}",
            who=lender.name if lender is not None else "—",
            whom=str(one.person or one.department),
            level=SHARE_LEVELS[one.level],
            parts=listed(str(SHARE_PARTS[name]) for name in one.parts) or _("nothing that hangs on it"),
            until=_("until {day}", day=str(one.until)) if one.until is not None else _("until it is taken back"),
        )


def watched(actor: Actor) -> ColumnElement[bool]:
    """Those the actor keeps an eye on; a superior's watch shows the customer whoever has it within the line below."""
    return Customer.id.in_(select(Watch.customer_id).where(Watch.person_id == actor.person_id))


def _notes(session: Session, actor: Actor, customer: Customer) -> Iterable[Sentence]:
    """What people take for a reason: watching, and the applications they have to do with."""
    mine = Watch.person_id == actor.person_id, Watch.customer_id == customer.id
    if session.scalar(select(Watch.id).where(*mine)) is not None:
        yield _("Watches it; that opens nothing, the customer is in his list only as long as he sees it otherwise")
    focused = Focus.person_id == actor.person_id, Focus.customer_id == customer.id
    if session.scalar(select(Focus.id).where(*focused)) is not None:
        yield _("Has it among his focus customers; that opens nothing")
    for request in session.scalars(select(LockRequest).where(LockRequest.customer_id == customer.id)):
        if may_read_instance(session, actor, request.instance_id):
            yield _(
                "Reads the application of {who} for it: that document, not the customer", who=request.applicant.name
            )


seen_by(Road("shared", _("It is shared"), lambda actor, part: _shared(actor, part, "read", "work"), _lent))
worked_also("ownership", lambda actor, part: _shared(actor, part, "work"))
noted("ownership", _notes)
