"""A dozen expense requests, back-dated and decided as far as each says, so that every list has something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, runtime, work_items
from engine.actor import Actor
from processes.organization.directory import OrganizationDirectory
from processes.organization.models import Employee
from webapp.demo import absences, calls, texts
from webapp.demo.moments import at
from webapp.demo.people import PEOPLE

PROCESS = "expense_request"
PAUSE = timedelta(hours=2)
"""Between the submission and each decision."""


@dataclass(frozen=True)
class Decision:
    by: str
    """user name"""
    action: str = "approve"
    opinion: str = ""


@dataclass(frozen=True)
class SampleRequest:
    starter: str
    """user name"""
    days_ago: int
    values: dict[str, Any]
    decisions: tuple[Decision, ...] = ()
    withdrawn_because: str = ""


def _form(title: str, *lines: tuple[str, str, str]) -> dict[str, Any]:
    named = [{"category": category, "amount": amount, "purpose": purpose} for category, amount, purpose in lines]
    return {"title": title, "lines": named}


def sample_requests() -> tuple[SampleRequest, ...]:
    """Oldest first; together they show every state and every level of approval."""
    return (
        SampleRequest("zhao.min", 12, _form("年度审计资料装订", ("office", "990.00", "装订与快递")),
                      (Decision("chen.guoqiang", opinion="同意"),)),
        SampleRequest("wu.ting", 10, _form("安全工程师认证培训", ("training", "18000.00", "三人培训费")),
                      (Decision("chen.guoqiang"), Decision("chen.guoqiang"), Decision("zhao.min", opinion="预算充足"),
                       Decision("chen.guoqiang", opinion="同意，注意排班"))),
        SampleRequest("xu.fang", 9, _form("客户答谢晚宴", ("entertainment", "1500.00", "十二人")),
                      (Decision("huang.jie", "reject", "本月招待标准已用完"),)),
        SampleRequest("wang.lei", 8, _form("拜访苏州客户", ("travel", "553.50", "往返高铁"),
                                           ("travel", "306.50", "住宿一晚")),
                      (Decision("zhou.ming", opinion="同意"),)),
        SampleRequest("ma.chao", 6, _form("广州展会布展", ("marketing", "6800.00", "展台搭建")),
                      (Decision("huang.jie"), Decision("huang.jie", opinion="同意"))),
        SampleRequest("li.na", 5, _form("行业研讨会报名", ("training", "2400.00", "两人会议费"))),
        SampleRequest("wang.lei", 4, _form("会议室投影仪更换", ("equipment", "3200.00", "激光投影仪一台")),
                      (Decision("zhou.ming"), Decision("lin.xiaoyan", "return", "请附三家报价"))),
        SampleRequest("he.zhiyuan", 3, _form("华东渠道大会", ("marketing", "38000.00", "场地与搭建"),
                                             ("marketing", "7000.00", "物料")),
                      (Decision("chen.guoqiang"), Decision("chen.guoqiang"),
                       Decision("zhao.min", opinion="在季度预算内"))),
        SampleRequest("wang.lei", 2, _form("上海客户现场调研", ("travel", "8345.60", "六人差旅"),
                                           ("marketing", "4000.00", "演示设备租赁")),
                      (Decision("zhou.ming", opinion="项目需要"), Decision("lin.xiaoyan", opinion="同意"))),
        SampleRequest("xu.fang", 2, _form("珠海客户回访", ("travel", "420.00", "市内交通与动车")),
                      withdrawn_because="客户改期"),
        SampleRequest("li.na", 0, _form("重点客户招待", ("entertainment", "4600.00", "项目签约晚宴")),
                      (Decision("zhou.ming"), Decision("lin.xiaoyan", opinion="控制标准"))),
        SampleRequest("sun.yu", 0, _form("杭州客户拜访", ("travel", "580.00", "高铁与市内交通"))),
    )  # fmt: skip


def send_samples(session: Session) -> int:
    """Send them all and decide as they say; returns how many. The process must be deployed, the company be there."""
    actors = _actors(session)
    now = clock.now()
    for sample in sample_requests():
        moment = now - timedelta(days=sample.days_ago) - PAUSE * len(sample.decisions) * bool(sample.days_ago)
        _play(session, actors, sample, moment, PAUSE * bool(sample.days_ago))
    absences.play(session, actors, now)
    yesterday = now - timedelta(days=1)
    with at(yesterday):
        texts.play(session, actors, yesterday)
    calls.play(session, actors, now)
    return len(sample_requests())


def _play(
    session: Session, actors: dict[str, Actor], sample: SampleRequest, moment: datetime, pause: timedelta
) -> None:
    starter = actors[sample.starter]
    with at(moment):
        instance_id = runtime.start(session, starter, PROCESS, values=sample.values).instance_id
    for decision in sample.decisions:
        moment += pause
        (item,) = work_items.open_items(session, instance_id)
        with at(moment):
            work_items.act(session, actors[decision.by], item.id, decision.action, opinion=decision.opinion)
    if sample.withdrawn_because:
        with at(moment + pause):
            work_items.withdraw(session, starter, instance_id, sample.withdrawn_because)


def _actors(session: Session) -> dict[str, Actor]:
    directory = OrganizationDirectory()
    found: dict[str, Actor] = {}
    for person in PEOPLE:
        employee = session.scalars(select(Employee).where(Employee.name == person.name, Employee.is_demo)).one()
        found[person.username] = Actor(employee.id, employee.name, groups=directory.groups(session, employee.id))
    return found
