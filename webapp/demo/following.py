"""Whose the demo company's customers are, what was said to them in half a year, and when they are spoken to next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from processes.activity.models import Appointment, ContactRecord, FollowPolicy
from processes.activity.rules import end_of_week
from processes.kernel.working_time import WorkingCalendar, business_date, is_working_day
from processes.organization.calendar import company_calendar
from processes.organization.models import Employee
from processes.ownership.models import LockLimit, OwnerCounter, Ownership, UnlockRule
from processes.party.models import Contact, Customer
from webapp.demo.people import name_of

SEED = 20261128
SELLERS = ("wang.lei", "li.na", "sun.yu", "xu.fang", "ma.chao")
AT_THEIR_LIMIT = ("li.na", "ma.chao")
OPEN_PERCENT = 35
SILENT_DAYS = 60
"""so long may a customer not be spoken to"""
EXPIRING = 12
"""customers that go back to the pool within a week"""
UNLOCKED = (2, 5, 7, 8, 10)
"""which of the owned ones have gone back last night (webapp.demo.owners); of none who is at his limit"""
FREQUENCY = {"A": (7, 14), "B": (14, 28), "C": (30, 60), "D": (60, 120)}
"""level -> days to the next contact, and the most"""

_SAID = (
    ("call", "interested", "电话沟通了设备更新计划，对方希望下周收到五十人版的报价。", "发送报价单"),
    ("visit", "reached", "上门拜访，了解现有机房和监控点位，约定月底前给出改造方案。", "准备改造方案"),
    ("message", "reached", "微信发送了产品资料和两个同行业案例，对方已转给技术负责人。", "跟进技术负责人的意见"),
    ("meeting", "interested", "与采购和财务开会，确认预算已列入下季度，付款方式倾向分期。", "拟定分期付款条款"),
    ("call", "reached", "回访上次交付的设备，运行正常，对方提到分公司也有类似需求。", "向分公司负责人自我介绍"),
    ("mail", "reached", "邮件回复了招标参数的三个疑问，对方表示会在评审会上说明。", "评审会后询问结果"),
    ("call", "refused", "对方今年已和现有供应商续约，明年三月再联系。", "明年三月前再次联系"),
    ("call", "not_reached", "未接通。", "换个时间再打"),
)
_PURPOSES = ("电话跟进报价", "上门演示", "确认付款时间", "回访设备运行情况", "约见技术负责人")


@dataclass
class _Rows:
    owned: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    planned: list[dict[str, Any]] = field(default_factory=list)
    customers: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)


def tell(session: Session, now: datetime) -> None:
    """In bulk, for half a year of work asks too much of a slow machine; as the operations would have left it."""
    chance = Random(SEED)  # noqa: S311 - the same every time, no secret
    sellers = _sellers(session)
    contacts = _main_contacts(session)
    days = due_days(business_date(now), company_calendar(session))
    rows, number = _Rows(), 0
    for key in session.scalars(
        select(Customer.id).where(Customer.is_demo, Customer.state == "open").order_by(Customer.id)
    ):
        if chance.randrange(100) < OPEN_PERCENT:
            continue
        number += 1
        _one(rows, chance, now, days, number, key, sellers[number % len(sellers)], contacts.get(key))
    for model, made in ((Ownership, rows.owned), (ContactRecord, rows.said), (Appointment, rows.planned)):
        session.execute(insert(model), made)
    _change(session, Customer, rows.customers)
    _change(session, Contact, rows.contacts)
    _met_elsewhere(session, sellers)
    _rules(session, business_date(now), sellers)
    session.expire_all()


def _change(session: Session, model: type[Customer | Contact], rows: list[dict[str, Any]]) -> None:
    """Rows by their `id`, past the version that people's edits raise."""
    columns: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "id"}
    statement = update(model).where(model.id == bindparam("key")).values(columns)
    found = [{"key": row["id"], **{name: row[name] for name in columns}} for row in rows]
    session.connection().execute(statement, found)


def _sellers(session: Session) -> list[Employee]:
    found = {one.name: one for one in session.scalars(select(Employee).where(Employee.is_demo))}
    return [found[name_of(username)] for username in SELLERS]


def _met_elsewhere(session: Session, sellers: Sequence[Employee]) -> None:
    """Whoever met people of a firm that is no customer yet has entered them: he alone sees them."""
    elsewhere = Contact.organization_id.is_(None) & Contact.is_demo
    firms = session.scalars(select(Contact.employer_key).where(elsewhere).distinct().order_by(Contact.employer_key))
    for number, firm in enumerate(firms.all()):
        entered = update(Contact).where(elsewhere, Contact.employer_key == firm)
        session.execute(entered.values(created_by=sellers[number % len(sellers)].id))


def _main_contacts(session: Session) -> dict[int, int]:
    """{organisation: its first contact}"""
    found = select(Contact.organization_id, func.min(Contact.id)).where(Contact.organization_id.is_not(None))
    return {int(one): first for one, first in session.execute(found.group_by(Contact.organization_id)) if one}


def _one(
    rows: _Rows,
    chance: Random,
    now: datetime,
    days: Sequence[date],
    number: int,
    key: int,
    owner: Employee,
    contact: int | None,
) -> None:
    """A customer of an owner: its number says whether it was never spoken to, is about to go, or is planned (days)."""
    kind = number // len(SELLERS) % 10
    never, idle, expiring = kind == 9, kind == 8, number <= EXPIRING * 3 and number % 3 == 0
    gone = number in UNLOCKED
    owned = now - timedelta(days=chance.randrange(2, 15) if never else chance.randrange(62, 180), hours=number % 9)
    ago = SILENT_DAYS - chance.randrange(1, 7) if expiring else chance.randrange(*((35, 50) if idle else (1, 28)))
    if gone:
        owned, ago = owned - timedelta(days=SILENT_DAYS), SILENT_DAYS + 2
    last = now - timedelta(days=ago, hours=chance.randrange(1, 8))
    stamp = {"created_by": owner.id, "changed_by": owner.id, "is_demo": True, "version": 1}
    whose = {"customer_id": key, "contact_id": contact, "person_id": owner.id}
    said = [] if never else [_said(chance, at, at == last) for at in _moments(chance, owned, last)]
    rows.said += [{**whose, **one, **stamp} for one in said]
    due = None if never or expiring or idle or gone else chance.choice(days)
    if due is not None:
        plan = {"due_on": due, "purpose": chance.choice(_PURPOSES), "created_at": last, "changed_at": last}
        rows.planned.append({**whose, **plan, **stamp})
    seen = {"last_contact_at": last if said else None, "contacts_made": len(said), "next_contact_on": due}
    counted = [one["at"] for one in said if one["is_qualified"]]
    history = {"department_id": owner.department_id, "started_at": owned, "how": "assigned", "by_id": 0}
    rows.owned.append({"customer_id": key, "owner_id": owner.id, **history})
    lock = {"owner_id": owner.id, "owned_since": owned, "state": "locked", "open_since": None}
    rows.customers.append({"id": key, **lock, "last_qualified_at": max(counted, default=None), **seen})
    if contact is not None:
        rows.contacts.append({"id": contact, **seen})


def _moments(chance: Random, first: datetime, last: datetime) -> list[datetime]:
    """When they spoke, the last time at the end."""
    span = int((last - first).total_seconds())
    return [
        *sorted(first + timedelta(seconds=chance.randrange(span)) for _each in range(chance.randrange(3, 15))),
        last,
    ]


def _said(chance: Random, at: datetime, reached: bool) -> dict[str, Any]:
    way, result, content, next_step = chance.choice(_SAID[:-1] if reached else _SAID)
    words = {"way": way, "result": result, "content": content, "next_step": next_step}
    return {**words, "at": at, "is_qualified": result != "not_reached", "created_at": at, "changed_at": at}


_DUE = (-9, -4, -1, 0, 0, 0, 1, 2, 2, 3, 5, 8, 12, 15, 20, 25)
"""days from today, so that every queue has somebody"""


def due_days(today: date, calendar: WorkingCalendar) -> list[date]:
    """The same on working days, on their own side of today; a day off holds a plan only where its queue would stand
    empty: today, and tomorrow when no working day of the week is left.
    """
    found = [
        today if not offset else _working_day(today + timedelta(days=offset), 1 if offset > 0 else -1, calendar)
        for offset in _DUE
    ]
    end, tomorrow = end_of_week(today), today + timedelta(days=1)
    if tomorrow <= end and not any(today < one <= end for one in found):
        found[_DUE.index(1)] = tomorrow
    return found


def _working_day(day: date, step: int, calendar: WorkingCalendar) -> date:
    while not is_working_day(day, calendar):
        day += timedelta(days=step)
    return day


def _rules(session: Session, today: date, sellers: Sequence[Employee]) -> None:
    held = dict(
        session.execute(
            select(Ownership.owner_id, func.count()).where(Ownership.ended_at.is_(None)).group_by(Ownership.owner_id)
        ).all()
    )
    session.add_all(OwnerCounter(person_id=person, used=count) for person, count in sorted(held.items()))
    session.add(LockLimit(subject_kind="company", subject_id=0, most=100, is_demo=True))
    full = {name_of(username) for username in AT_THEIR_LIMIT}
    session.add_all(
        LockLimit(subject_kind="person", subject_id=one.id, most=held[one.id], is_demo=True)
        for one in sellers
        if one.name in full
    )
    session.add_all(
        FollowPolicy(level=level, days=days, most_days=most, is_demo=True) for level, (days, most) in FREQUENCY.items()
    )
    session.add(
        UnlockRule(
            name="60 天未跟踪自动开放",
            kind="no_contact",
            days=SILENT_DAYS,
            starts_on=today - timedelta(days=90),
            state="active",
            is_demo=True,
        )
    )
    session.flush()
