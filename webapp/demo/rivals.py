"""Three sellers apply for the same customer of the pool; their superiors have it in the inbox."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from processes.ownership import permissions
from processes.ownership.models import Ownership
from processes.ownership.operations import apply_for
from processes.party.models import Customer
from processes.party.permissions import USE
from webapp.demo.acting import acting
from webapp.demo.moments import at

WISHES = (
    ("wang.lei", timedelta(hours=26), "去年做过该公司的监控项目，与信息部经理熟悉，本月可安排上门。"),
    ("sun.yu", timedelta(hours=5), "客户在展会上主动留了名片，希望下周收到机房改造方案。"),
    ("xu.fang", timedelta(hours=2), "该公司的华南分公司是我的客户，总部项目由同一采购负责。"),
)
"""who, how long ago, why"""


def tell(session: Session, now: datetime) -> None:
    """By the operation people use. The customer: in the pool for longest, never anybody's."""
    had = exists().where(Ownership.customer_id == Customer.id)
    open_ones = select(Customer).where(
        Customer.is_demo, Customer.state == "open", Customer.kind == "organization", ~had
    )
    wanted = session.scalars(open_ones.order_by(Customer.level, Customer.id).limit(1)).first()
    if wanted is None:
        return
    for username, ago, reason in WISHES:
        actor = acting(session, username, USE, permissions.APPLY)
        with at(now - ago):
            apply_for(session, actor, customer_id=wanted.id, reason=reason)
