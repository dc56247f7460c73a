"""The wallboard and the statistics of calls, for programs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from flask import current_app

from engine import clock
from engine.errors import InvalidForm, Problem
from engine.i18n import _
from processes.activity.operations import recorded_by_agents
from processes.kernel import known_numbers
from processes.kernel.periods import Period
from processes.kernel.working_time import business_date
from processes.telephony import operations
from processes.telephony.models import Call as PhoneCall
from processes.telephony.operations import Asked, Average, By, Figures, Which
from webapp.api.connectors import TAG
from webapp.api.endpoint import Answer, Call, Id, Query, endpoint
from webapp.api.paging import ListQuery, Page, page_of, rows, total_of
from webapp.api.telephony import AgentLine, CallLine, agent_line, call_line

Direction = Literal["", "in", "out", "internal"]


class BoardAnswer(Answer):
    at: datetime
    connected: bool
    waiting: int
    """incoming calls nobody has taken yet"""
    waiting_since: datetime | None
    talking: int
    answered: int
    """today, incoming; missed, given_up and in_time too"""
    missed: int
    given_up: int
    in_time: int
    within: int
    """seconds in which a call should be answered"""
    service_level: int | None
    """per cent of those answered or missed today that were answered in time"""
    average_wait: int | None
    """seconds"""
    average_talk: int | None
    agents: list[AgentLine]


class FiguresQuery(Query):
    by: By = "agent"
    since: date | None = None
    """first day; without it the last seven days"""
    until: date | None = None
    """last day; without it today"""
    direction: Direction = ""
    agent: Id | None = None


class FiguresRow(Answer):
    key: str
    """the agent's id, the department's (0 = none), the hour (0 to 23), the day, the direction; "" = of all"""
    title: str
    offered: int
    """answered and missed together"""
    answered: int
    missed: int
    given_up: int
    """of those missed: put down before the other side answered"""
    average_wait: int | None
    """seconds, like those that follow"""
    average_talk: int | None
    talked: int
    after: int
    """from the end of a call until its pop-up was put away"""
    called_back: int
    """of those missed that came in: we rang the number within seven days"""
    average_back: int | None
    """seconds from the end of those until we rang"""
    recorded: int = 0
    """by agent and in the total: of how many calls he has written a contact record"""
    scored: int = 0
    """by agent and in the total: how many calls were scored"""
    quality: int | None = None
    """per cent, their average"""


class FiguresAnswer(Answer):
    since: date
    until: date
    items: list[FiguresRow]
    total: FiguresRow


class BehindQuery(ListQuery):
    by: By = "agent"
    key: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    """of the row; without it the total"""
    which: Which = "offered"
    since: date | None = None
    until: date | None = None
    direction: Direction = ""
    agent: Id | None = None


@endpoint("GET", "/connectors/telephony/board", tag=TAG)
def get_board(call: Call) -> BoardAnswer:
    """How it stands at the telephones now and how the day has gone: of the calls and agents you may see.

    Needs the right `telephony.team.read`. Live streams say `event: board` when there is something new.
    """
    shown = operations.board(call.session, call.actor, within=current_app.config["SETTINGS"].service_seconds)
    names = [one for one in BoardAnswer.__struct_fields__ if one != "agents"]
    agents = [agent_line(one, shown.connected) for one in shown.agents]
    return BoardAnswer(**{name: getattr(shown, name) for name in names}, agents=agents)


@endpoint("GET", "/connectors/telephony/statistics", tag=TAG)
def call_statistics(call: Call, query: FiguresQuery) -> FiguresAnswer:
    """Calls that are over, by agent, department, hour, day or direction: how many, how long. At most a year.

    Needs the right `telephony.team.read`. By agent, a call counts at everybody it rang at, but not as missed where a
    colleague took it, and once in each department whose people it rang at, so the rows may be more than the total.
    """
    asked = _asked(query)
    found = operations.statistics(call.session, call.actor, asked, query.by)
    total = operations.total(call.session, call.actor, asked)
    quality = operations.averages(call.session, call.actor, asked)
    recorded = recorded_by_agents(call.session, call.actor, asked)
    by_agent = query.by == "agent"
    return FiguresAnswer(
        since=asked.period.first,
        until=asked.period.last,
        items=[_row(one, recorded.get(one.key, 0), quality.get(one.key)) if by_agent else _row(one) for one in found],
        total=_row(total, sum(recorded.values()), operations.together(quality)),
    )


@endpoint("GET", "/connectors/telephony/statistics/calls", tag=TAG, refusals=(422,))
def calls_behind(call: Call, query: BehindQuery) -> Page[CallLine]:
    """The calls behind a number of the statistics, newest first."""
    wanted = operations.behind(call.actor, _asked(query), query.by, _key(query), query.which)
    total = total_of(call.session, query, wanted, PhoneCall.id)
    found = rows(call.session, query, wanted)
    seen = known_numbers.shown(call.session, call.actor, {row[0].number for row in found})
    return page_of(query, found, total, lambda row: CallLine(**call_line(row[0], seen[row[0].number])))


def _asked(query: FiguresQuery | BehindQuery) -> Asked:
    until = query.until or business_date(clock.now())
    since = query.since or until - min(timedelta(days=6), until - date.min)
    return Asked(Period.of(since, until), query.direction, query.agent)


def _key(query: BehindQuery) -> int | str | date | None:
    if query.key is None or query.by == "direction":
        return query.key
    try:
        return date.fromisoformat(query.key) if query.by == "day" else int(query.key)
    except ValueError:
        raise InvalidForm([Problem("key", _("This cannot be read."))]) from None


def _row(one: Figures, recorded: int = 0, quality: Average | None = None) -> FiguresRow:
    ours = ("key", "title", "recorded", "scored", "quality")
    names = [name for name in FiguresRow.__struct_fields__ if name not in ours]
    key = "" if one.key is None else str(one.key)
    return FiguresRow(
        key=key,
        title=one.title,
        **{name: getattr(one, name) for name in names},
        recorded=recorded,
        scored=quality.scored if quality is not None else 0,
        quality=quality.share if quality is not None else None,
    )
