"""The wallboard and the statistics of calls: every number is the number of calls behind it, and all sums agree."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import clock as engine_clock, health
from engine.actor import Actor
from engine.errors import Forbidden
from engine.live import holders_of
from engine.models import PushEvent
from processes.kernel.periods import Period, begin_of
from processes.kernel.working_time import business_date
from processes.telephony import operations, permissions
from processes.telephony.models import Call, CallLeg
from processes.telephony.operations import COUNTED, GROUPINGS, Asked
from tests.processes.company import Company, actor_of
from tests.processes.test_telephony import Desk, course, desk, missed  # noqa: F401 - a fixture

TODAY = date(2026, 11, 30)
WEEK = Period.of(TODAY - timedelta(days=6), TODAY)
SUPERVISOR = frozenset({permissions.TEAM})


def superior(desk: Desk) -> Actor:  # noqa: F811
    return actor_of(desk.company.wang, *SUPERVISOR)


def write(desk: Desk, seed: int, count: int = 120) -> None:  # noqa: F811
    """Calls of eleven days, the edges of days and of the period among them."""
    chance, session = random.Random(seed), desk.session
    agents = [desk.li.id, desk.zhao.id]
    first = begin_of(WEEK.first - timedelta(days=2))
    edges = [begin_of(WEEK.first), begin_of(TODAY), begin_of(TODAY + timedelta(days=1))]
    for number in range(count):
        at = chance.choice(edges) + timedelta(milliseconds=chance.choice((-1, 0, 1, 700)))
        if number % 3:
            at = first + timedelta(seconds=chance.randrange(11 * 86_400))
        direction, answered = chance.choice(("in", "in", "out", "internal")), chance.random() < 0.6
        taken = at + timedelta(seconds=chance.randrange(90)) if answered else None
        ended = (taken or at) + timedelta(seconds=chance.randrange(600)) if chance.random() < 0.95 else None
        unanswered = "missed" if direction == "in" else chance.choice(("busy", "cancelled"))
        result = "" if ended is None else "answered" if answered else unanswered
        by = chance.choice(("customer", "exchange", "agent"))
        rung = chance.sample(agents, chance.choice((1, 2)))
        call = Call(
            uuid=f"{seed}-{number}", exchange="telephony", direction=direction, state="ended" if ended else "talking",
            agent_id=rung[0] if answered else None, started_at=at, answered_at=taken, ended_at=ended, result=result,
            ended_by=by if ended else "", transfers=[],
        )  # fmt: skip
        session.add(call)
        session.flush()
        for place, agent in enumerate(rung):
            mine = answered and place == 0
            closed = (
                ended + timedelta(seconds=chance.randrange(900)) if ended and mine and chance.random() < 0.7 else None
            )
            session.add(
                CallLeg(
                    call_id=call.id, agent_id=agent, state="over", rung_at=at, over_at=ended or taken or at,
                    answered_at=taken if mine else None, cause="answered_elsewhere" if answered and place else "",
                    closed_at=closed,
                )
            )  # fmt: skip
    session.commit()


@pytest.mark.parametrize("seed", range(3))
def test_every_number_is_the_number_of_calls_behind_it_and_all_sums_agree(desk: Desk, seed: int) -> None:  # noqa: F811
    write(desk, seed)
    session, actor = desk.session, superior(desk)
    for asked in (Asked(WEEK), Asked(WEEK, "in"), Asked(WEEK, agent_id=desk.li.id)):
        whole = operations.total(session, actor, asked)
        assert whole.offered == whole.answered + whole.missed
        for by in GROUPINGS:
            rows = operations.statistics(session, actor, asked, by)
            if by not in ("agent", "department") or asked.agent_id:
                for name in (
                    "offered",
                    "answered",
                    "missed",
                    "given_up",
                    "waited",
                    "talked",
                    "after",
                    "called_back",
                    "back",
                ):
                    assert sum(getattr(row, name) for row in rows) == getattr(whole, name), (by, name)
            for row in rows:
                for which in COUNTED:
                    behind = operations.behind(actor, asked, by, row.key, which)
                    assert len(session.scalars(behind).all()) == getattr(row, which), (by, row.key, which)


def test_a_missed_call_is_called_back_by_whoever_rings_its_number_next(desk: Desk) -> None:  # noqa: F811
    session, at = desk.session, begin_of(TODAY) + timedelta(hours=9)

    def call(minutes: float, direction: str, number: str, result: str) -> None:
        begun = at + timedelta(minutes=minutes)
        session.add(
            Call(uuid=f"b{minutes}{number}", exchange="telephony", direction=direction, number=number, state="ended",
                 result=result, queue="sales", started_at=begun, ended_at=begun + timedelta(minutes=1), transfers=[],
                 answered_at=begun if result == "answered" else None)
        )  # fmt: skip

    call(0, "in", "+8613800138000", "missed")
    call(-9, "out", "+8613800138000", "answered")  # before it
    call(31, "out", "+8613800138000", "busy")  # the first try counts
    call(90, "out", "+8613800138000", "answered")
    call(5, "in", "+8613900139000", "missed")
    call(6 + 8 * 24 * 60, "out", "+8613900139000", "answered")  # eight days later
    call(7, "in", "+8613700137000", "missed")  # never
    call(8, "in", "", "missed")  # nobody knows whom to ring
    call(9, "out", "", "busy")
    call(12, "in", "+8613600136000", "answered")
    call(14, "out", "+8613600136000", "answered")  # it was not missed
    session.commit()
    actor = actor_of(desk.company.wang, permissions.TEAM, permissions.READ_CALLS)
    whole = operations.total(session, actor, Asked(WEEK, "in"))
    assert (whole.missed, whole.called_back, whole.back, whole.average_back) == (4, 1, 30 * 60, 30 * 60)
    assert operations.total(session, actor, Asked(WEEK, "out")).called_back == 0


def test_a_call_counts_once_in_each_department_whose_people_it_rang_at(desk: Desk) -> None:  # noqa: F811
    write(desk, 11)
    session, asked = desk.session, Asked(WEEK)
    actor = actor_of(desk.company.wang, permissions.TEAM, permissions.READ_CALLS)
    department, of_nobody = desk.company.li.department_id, desk.zhao.person
    of_nobody.department_id = department
    session.flush()
    (whole,) = operations.statistics(session, actor, asked, "department")
    assert (whole.key, whole.title) == (department, desk.company.li.department.name)
    assert (whole.offered, whole.answered) == (
        (total := operations.total(session, actor, asked)).offered, total.answered,
    )  # fmt: skip
    of_nobody.department_id = None
    session.flush()
    first, last = operations.statistics(session, actor, asked, "department")
    assert (first.key, last.key, last.title) == (department, 0, "")
    for row, agent in ((first, desk.li), (last, desk.zhao)):
        (alone,) = operations.statistics(session, actor, Asked(WEEK, agent_id=agent.id), "agent")
        assert (row.offered, row.answered, row.missed, row.talked) == (
            alone.offered, alone.answered, alone.missed, alone.talked,
        )  # fmt: skip


def test_days_and_hours_are_those_of_shanghai_on_both_databases(desk: Desk) -> None:  # noqa: F811
    for number, at in enumerate(
        (datetime(2026, 11, 29, 16, 0, tzinfo=UTC), datetime(2026, 11, 29, 15, 59, 59, 999_000, tzinfo=UTC))
    ):
        desk.session.add(
            Call(uuid=f"e{number}", exchange="telephony", direction="in", state="ended", result="missed",
                 started_at=at, ended_at=at + timedelta(seconds=9), transfers=[])
        )  # fmt: skip
    desk.session.commit()
    actor = actor_of(desk.company.wang, permissions.TEAM, permissions.READ_CALLS)
    days = operations.statistics(desk.session, actor, Asked(WEEK), "day")
    assert [(one.key, one.offered) for one in days][-2:] == [(date(2026, 11, 29), 1), (date(2026, 11, 30), 1)]
    hours = operations.statistics(desk.session, actor, Asked(WEEK), "hour")
    assert {one.key: one.offered for one in hours if one.offered} == {0: 1, 23: 1}


def test_each_sees_the_calls_of_those_below_and_whoever_may_read_all_sees_all(desk: Desk, company: Company) -> None:  # noqa: F811
    write(desk, 7)
    session, asked = desk.session, Asked(WEEK)
    everything = operations.total(session, actor_of(company.sun, permissions.TEAM, permissions.READ_CALLS), asked)
    assert operations.total(session, superior(desk), asked) == everything
    assert operations.total(session, actor_of(company.sun, permissions.TEAM), asked).offered == 0
    assert operations.statistics(session, actor_of(company.sun, permissions.TEAM), asked, "agent") == []
    own = operations.statistics(session, actor_of(company.li, permissions.TEAM), asked, "agent")
    assert [one.key for one in own] == [desk.li.id]
    for refused in (operations.total, lambda s, a, q: operations.board(s, a, within=20)):
        with pytest.raises(Forbidden):
            refused(session, actor_of(company.li), asked)


def test_a_call_that_waits_while_all_speak_is_seen_by_the_superior_of_its_queue(desk: Desk) -> None:  # noqa: F811
    session = desk.session
    waiting, ended = course("q")[0], missed("r")[-1]
    for told in (waiting, replace(waiting, call_id="other", queue="sales_2"), replace(ended, queue="sales")):
        operations.note_call(session, told)
    session.commit()
    shown = operations.board(session, superior(desk), within=20)
    assert (shown.waiting, shown.missed) == (1, 1)
    today = business_date(engine_clock.now())
    assert operations.total(session, superior(desk), Asked(Period.of(today, today))).missed == 1
    assert [call.uuid for call in operations.live_calls(session, superior(desk))] == ["q"]
    for other in (desk.company.li, desk.company.sun):
        assert operations.board(session, actor_of(other, permissions.TEAM), within=20).waiting == 0


def test_the_wallboard_counts_who_waits_and_how_the_day_goes(desk: Desk, clock: Any) -> None:  # noqa: F811
    session = desk.session
    health.report(session, {"telephony": lambda: ("up", "")})
    for told in (*course("a"), *missed("b")):
        operations.note_call(session, told)
    waiting = course("c")[:3]
    for told in waiting:
        operations.note_call(session, told)
    session.commit()
    shown = operations.board(session, superior(desk), within=5)
    assert (shown.waiting, shown.talking, shown.waiting_since) == (1, 0, waiting[0].at)
    assert (shown.answered, shown.missed, shown.given_up, shown.in_time) == (1, 1, 1, 0)
    assert (shown.service_level, shown.average_wait, shown.average_talk) == (0, 6, 54)
    assert operations.board(session, superior(desk), within=6).service_level == 50
    assert [agent.extension for agent in shown.agents] == ["8001", "8002"]
    stranger = operations.board(session, actor_of(desk.company.sun, permissions.TEAM), within=5)
    assert (stranger.waiting, stranger.offered, stranger.agents, stranger.service_level) == (0, 0, [], None)
    boards = select(func.count()).where(PushEvent.principal == holders_of(permissions.TEAM), PushEvent.kind == "board")
    assert session.scalar(boards)
