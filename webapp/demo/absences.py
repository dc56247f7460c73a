"""Somebody is on leave and a colleague stands in; somebody wants to go; one thing is approved by people picked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import runtime, work_items
from engine.actor import Actor
from engine.models import Timer
from processes.kernel.working_time import business_date
from webapp.demo.moments import at

AWAY, STANDS_IN, ASKS = "huang.jie", "he.zhiyuan", "xu.fang"
LONG_ENOUGH = timedelta(days=9)
"""No holidays last so long: there is a working day in it, whenever the company moves in."""


def play(session: Session, actors: Mapping[str, Actor], now: datetime) -> None:
    """The processes must be deployed."""
    yesterday, today = now - timedelta(days=1), business_date(now)
    with at(now - timedelta(days=3)):
        leave = _start(session, actors[AWAY], "leave_request", _leave("回梅州探亲", today - timedelta(days=1)))
        _decide(session, actors[STANDS_IN], leave, "同意，路上小心")
        wish = _delegation(actors, yesterday, yesterday + LONG_ENOUGH)
        delegation = _start(session, actors[AWAY], "delegation", wish)
        _decide(session, actors[STANDS_IN], delegation, "好的")
    with at(yesterday):
        timer = select(Timer).where(Timer.instance_id == delegation, Timer.node == "at_start")
        runtime.fire_timer(session, session.scalars(timer).one())
    with at(now - timedelta(hours=5)):
        _start(session, actors[ASKS], "leave_request", _leave("婚礼", today + timedelta(days=14), "marriage"))
    with at(now - timedelta(hours=4)):
        approvers = [actors[name].person_id for name in ("qian.li", "zheng.kai")]
        values = {
            "title": "更换办公区门禁",
            "text": "旧门禁不支持手机开门。三家报价中选了第二家，工期两天，周末施工。",
            "approvers": approvers,
            "mode": "all",
            "cc": [actors["ma.chao"].person_id],
        }
        request = _start(session, actors["wu.ting"], "general_approval", values)
    with at(now - timedelta(hours=2)):
        (first, *_others) = work_items.open_items(session, request)
        work_items.act(session, actors["qian.li"], first.id, "approve", opinion="预算内，同意")


def _start(session: Session, starter: Actor, key: str, values: dict[str, Any]) -> int:
    return runtime.start(session, starter, key, values=values).instance_id


def _decide(session: Session, actor: Actor, instance_id: int, opinion: str) -> None:
    """Agree to what lies with this person until it lies there no more: superior and department head may be one."""
    while mine := [one for one in work_items.open_items(session, instance_id) if one.assignee_id == actor.person_id]:
        work_items.act(session, actor, mine[0].id, "approve", opinion=opinion)


def _leave(reason: str, first: date, kind: str = "annual") -> dict[str, Any]:
    return {
        "kind": kind,
        "reason": reason,
        "first_day": first.isoformat(),
        "first_half": "morning",
        "last_day": (first + LONG_ENOUGH).isoformat(),
        "last_half": "evening",
    }


def _delegation(actors: Mapping[str, Actor], starts: datetime, ends: datetime) -> dict[str, Any]:
    return {
        "reason": "休假",
        "delegate": actors[STANDS_IN].person_id,
        "starts": starts.isoformat(),
        "ends": ends.isoformat(),
        "scope": "all",
        "include_waiting": True,
    }
