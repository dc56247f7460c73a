"""What people do about their customers in the demo company: marked, lent, handed over, left behind, fallen back.

By the operations people use, so that every list they work with has something on it and says the same as its history.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from processes.activity.models import ContactRecord
from processes.activity.operations import supervising
from processes.activity.permissions import RECORD, TEAM
from processes.comments.operations import add_comment
from processes.kernel.working_time import ZONE, business_date
from processes.organization import operations as organization
from processes.ownership import permissions
from processes.ownership.models import LockRequest, Ownership
from processes.ownership.operations import assigning, handing, locking, sharing, unlocking, watching
from processes.party.models import Customer
from processes.party.permissions import USE
from processes.party.rules import REGIONS
from webapp.demo.acting import acting, person
from webapp.demo.following import SILENT_DAYS
from webapp.demo.moments import at

LEAVER, LEFT_BEHIND = "唐伟", 6
"""he has left, and how many customers wait for a new owner"""
_NIGHT = time(2, 30)
_FOCUSED = (("本月签约，先把付款条款谈定", 20), ("总部采购负责人下周回国，安排拜访", 9), ("", None))
"""note, and for how many days"""
_WATCHED = ("去年参加过展会，等他们的新园区立项", "")
_WATCHED_BELOW = ("大客户，每周看一次进展",)
_SOUTH = ("44", "45", "46")
_SAID = ("报价前先确认他们的验收标准，上次就卡在这里。", "很好，下次把财务负责人也约上。")


def left_behind(session: Session, now: datetime) -> None:
    """Somebody was hired, got customers and has left: whoever stands above him is to hand them over."""
    boss = person(session, "zhou.ming")
    values = {"number": "D090", "name": LEAVER, "department": boss.department, "superior": boss}
    with at(now - timedelta(days=70)):
        leaver = organization.create_employee(session, SYSTEM, values=values)
        leaver.is_demo = True
        session.flush()
    with at(now - timedelta(days=40)):
        for customer in _in_pool(session, since=now - timedelta(days=45), most=LEFT_BEHIND):
            locking.lock(session, SYSTEM, customer.id, leaver.id, "assigned")
    with at(now - timedelta(days=2)):
        organization.archive_employee(session, SYSTEM, record_id=leaver.id)


def tell(session: Session, now: datetime) -> None:
    """The last days up to this morning."""
    _rules(session)
    _last_night(session, now)
    with at(now - timedelta(days=3)):
        _marked(session, now)
        _lent(session, now)
    with at(now - timedelta(hours=20)):
        _commented(session)
    with at(now - timedelta(hours=3)):
        _handed_over(session)


def _rules(session: Session) -> None:
    """New customers by region, in turn; they decide as soon as the policy for new customers asks them."""
    elsewhere = tuple(one for one in REGIONS if one not in _SOUTH)
    rules = (
        ("华南客户轮流分配", _SOUTH, ("xu.fang", "ma.chao")),
        ("其他地区由华东轮流分配", elsewhere, ("wang.lei", "li.na", "sun.yu")),
    )
    for rank, (name, regions, usernames) in enumerate(rules, start=1):
        people = [person(session, one) for one in usernames]
        values = {"name": name, "rank": rank, "regions": regions, "people": people, "skips_full": True}
        assigning.create_rule(session, SYSTEM, values=values).is_demo = True


def _last_night(session: Session, now: datetime) -> None:
    """Those nobody has spoken to for too long went back to the pool, and their owners were told."""
    night = datetime.combine(business_date(now), _NIGHT, ZONE)
    if night > now:
        night -= timedelta(days=1)
    silent = select(Customer.id).where(
        Customer.is_demo,
        Customer.owner_id.is_not(None),
        Customer.last_qualified_at < now - timedelta(days=SILENT_DAYS + 1),
    )
    with at(night):
        unlocking.unlock(session, session.scalars(silent).all(), business_date(night))
        unlocking.tell_unlocked(session, business_date(night))


def _marked(session: Session, now: datetime) -> None:
    seller = acting(session, "wang.lei", USE, permissions.APPLY)
    today = business_date(now)
    for customer, (note, days) in zip(_of(session, seller.person_id, len(_FOCUSED)), _FOCUSED, strict=True):
        until = today + timedelta(days=days) if days is not None else None
        watching.focus(session, seller, customer_id=customer.id, note=note, until=until).is_demo = True
    for customer, note in zip(_in_pool(session, since=now, most=len(_WATCHED)), _WATCHED, strict=True):
        watching.watch(session, seller, customer_id=customer.id, note=note).is_demo = True
    boss = acting(session, "zhou.ming", USE, permissions.APPLY)
    for customer, note in zip(_of(session, seller.person_id, len(_WATCHED_BELOW)), _WATCHED_BELOW, strict=True):
        watching.watch(session, boss, customer_id=customer.id, note=note).is_demo = True


def _lent(session: Session, now: datetime) -> None:
    """To a colleague to work on for a month, and to a whole department to read."""
    until = business_date(now) + timedelta(days=30)
    borrower = person(session, "wang.lei")
    lent: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("li.na", {"person_id": borrower.id}, "work"),
        ("xu.fang", {"department_id": borrower.department_id}, "read"),
    )
    for lender, whom, level in lent:
        owner = acting(session, lender, USE, permissions.APPLY)
        (customer,) = _of(session, owner.person_id, 1)
        shared = sharing.share(session, owner, customer_id=customer.id, level=level, until=until, **whom)
        shared.is_demo = True


def _commented(session: Session) -> None:
    """The superior has read what was written lately and says something about it."""
    boss = acting(session, "zhou.ming", USE, TEAM)
    lately = select(ContactRecord).where(
        ContactRecord.person_id == person(session, "wang.lei").id, ContactRecord.is_qualified
    )
    records = session.scalars(lately.order_by(ContactRecord.at.desc()).limit(len(_SAID))).all()
    supervising.mark_read(session, boss, [one.id for one in records])
    for record, said in zip(records, _SAID, strict=True):
        add_comment(session, boss, record_type=RECORD, record_id=record.id, text=said)


def _handed_over(session: Session) -> None:
    """This morning, so it can still be taken back."""
    boss = acting(session, "zhou.ming", USE, permissions.ASSIGN)
    giver, receiver = person(session, "sun.yu"), person(session, "wang.lei")
    given = [one.id for one in _of(session, giver.id, 2)]
    handing.hand_over(session, boss, customer_ids=given, to_id=receiver.id, reason="孙宇专注医疗行业")


def _of(session: Session, owner_id: int, most: int) -> Sequence[Customer]:
    """Some of his firms that matter, with whom something is planned."""
    wanted = select(Customer).where(
        Customer.owner_id == owner_id, Customer.kind == "organization", Customer.next_contact_on.is_not(None)
    )
    return session.scalars(wanted.order_by(Customer.level, Customer.id).limit(most)).all()


def _in_pool(session: Session, *, since: datetime, most: int) -> Collection[Customer]:
    """Firms there that were never anybody's and that nobody has applied for."""
    wanted = select(Customer).where(
        Customer.is_demo,
        Customer.state == "open",
        Customer.kind == "organization",
        Customer.created_at < since,
        ~exists().where(Ownership.customer_id == Customer.id),
        ~exists().where(LockRequest.customer_id == Customer.id),
    )
    return session.scalars(wanted.order_by(Customer.id.desc()).limit(most)).all()
