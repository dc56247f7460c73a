"""How the demo company's customers stood in the last two months, night by night, and who had some of them before."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from processes.insight.models import CustomerDay, CustomerStanding
from processes.kernel.periods import begin_of
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.ownership.models import Ownership
from processes.party.models import Customer
from processes.party.rules import STAGES
from webapp.demo.following import SELLERS
from webapp.demo.people import name_of

SEED = 20261130
NIGHTS, MISSED = 60, (17, 18, 41)
"""days looked at, and how many days ago nobody did"""
MOVED_PERCENT, HAD_PERCENT = 40, 35
PASSED_ON, REARRANGED = 11, "区域调整"
"""every so many an owner has a customer from a colleague, and why"""
_ENDS = (
    ("unlocked", "60 天未跟踪自动开放"),
    ("released", "客户预算推迟，暂时放弃"),
    ("unlocked", "60 天未跟踪自动开放"),
)
_ON_THE_WAY = tuple(stage for stage in STAGES if stage != "lost")


def tell(session: Session, now: datetime) -> None:
    """In bulk; a customer has gone one stage further, and what was locked since was open before."""
    chance, today = Random(SEED), business_date(now)  # noqa: S311 - the same every time, no secret
    people = {one.name: one for one in session.scalars(select(Employee).where(Employee.is_demo))}
    sellers = [people[name_of(username)] for username in SELLERS]
    departments = {one.id: one.department_id for one in people.values()}
    begun = today - timedelta(days=NIGHTS)
    nights = [today - timedelta(days=ago) for ago in range(NIGHTS, -1, -1) if ago not in MISSED]
    session.execute(insert(CustomerDay), [{"day": day, "at": begin_of(day) + timedelta(minutes=7)} for day in nights])
    standings, before, passed = [], [], []
    for one in session.scalars(select(Customer).where(Customer.is_demo).order_by(Customer.id)):
        standings += _standings(chance, one, begun, nights, departments)
        if one.state == "open" and chance.randrange(100) < HAD_PERCENT and one.open_since is not None:
            had = _had(chance, one, sellers[one.id % len(sellers)], now)
            before += [had] if had["started_at"] > one.created_at else []
        if one.id % PASSED_ON == 0 and one.owner_id is not None:
            passed.append(_had_before(one, next(other for other in sellers if other.id != one.owner_id)))
    passed = [row for row in passed if row["started_at"] > begin_of(today - timedelta(days=230))]
    session.execute(insert(CustomerStanding), standings)
    session.execute(insert(Ownership), passed)
    keys = [row["customer_id"] for row in passed]
    came = update(Ownership).where(Ownership.customer_id.in_(keys), Ownership.ended_at.is_(None))
    session.execute(came.values(how="handed_over", reason=REARRANGED))
    session.execute(insert(Ownership), before)
    opened = update(Customer).where(Customer.id == bindparam("key")).values(open_since=bindparam("since"))
    session.connection().execute(opened, [{"key": one["customer_id"], "since": one["ended_at"]} for one in before])
    session.expire_all()


def _standings(
    chance: Random, one: Customer, begun: date, nights: list[date], departments: dict[int, int | None]
) -> list[dict[str, Any]]:
    first = max(begun, business_date(one.created_at))
    owned = business_date(one.owned_since) if one.owned_since is not None else None
    moved = chance.choice(nights) if chance.randrange(100) < MOVED_PERCENT else None
    edges = {day for day in (owned, moved) if day is not None and day > first}
    starts = sorted({_looked(first, nights), *(_looked(day, nights) for day in edges)})
    found = []
    for since, until in zip(starts, [*starts[1:], None], strict=True):
        has_owner = owned is not None and owned <= since
        place = _ON_THE_WAY.index(one.stage) if one.stage in _ON_THE_WAY else 2
        earlier = _ON_THE_WAY[max(0, place - 1)] if one.stage in _ON_THE_WAY else "contacted"
        found.append(
            {
                "customer_id": one.id,
                "since": since,
                "until": until,
                "state": one.state if owned is None or has_owner else "open",
                "stage": earlier if moved is not None and since < moved else one.stage,
                "level": one.level,
                "owner_id": one.owner_id if has_owner else None,
                "department_id": departments.get(one.owner_id or 0) if has_owner else None,
            }
        )
    return found


def _looked(day: date, nights: list[date]) -> date:
    """The first night from this day on on which somebody looked."""
    return next(night for night in nights if night >= day)


def _had_before(one: Customer, owner: Employee) -> dict[str, Any]:
    """A colleague had it until its present owner got it."""
    assert one.owned_since is not None
    return {
        "customer_id": one.id,
        "owner_id": owner.id,
        "department_id": owner.department_id,
        "started_at": one.owned_since - timedelta(days=45),
        "how": "applied",
        "by_id": 0,
        "ended_at": one.owned_since,
        "ended_how": "handed_over",
        "ended_reason": REARRANGED,
        "ended_by": 0,
    }


def _had(chance: Random, one: Customer, owner: Employee, now: datetime) -> dict[str, Any]:
    """Somebody had it for two or three months, until some weeks ago."""
    ended = now - timedelta(days=chance.randrange(3, 150), hours=chance.randrange(1, 8))
    how, reason = chance.choice(_ENDS)
    return {
        "customer_id": one.id,
        "owner_id": owner.id,
        "department_id": owner.department_id,
        "started_at": ended - timedelta(days=chance.randrange(60, 100)),
        "how": chance.choice(("applied", "assigned", "created")),
        "by_id": 0,
        "ended_at": ended,
        "ended_how": how,
        "ended_reason": reason,
        "ended_by": owner.id if how == "released" else 0,
    }
