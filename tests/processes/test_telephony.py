"""Calls as they are kept, commands as they are carried out, missed calls as tasks."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.telephony.events import AgentEvent, CallEvent
from engine import clock as engine_clock, health
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import PushEvent
from processes.tasks.models import Task
from processes.telephony import operations, permissions
from processes.telephony.models import Agent, AgentPresence, Call, CallCommand, CallLeg
from processes.telephony.operations.commands import FRESH, TOO_LATE
from tests.processes.company import Company, actor_of
from webapp import bootstrap

CUSTOMER = "+8613800138000"


@dataclass
class Desk:
    """Li Na at 8001 and Zhao Lei at 8002, under Wang Fang."""

    company: Company
    li: Agent
    zhao: Agent

    @property
    def session(self) -> Session:
        return self.company.session


@pytest.fixture
def desk(company: Company) -> Desk:
    bootstrap.join_parts()
    session = company.session
    made = [
        operations.create_agent(session, SYSTEM, values={"person": person, "extension": extension, "queues": "sales"})
        for person, extension in ((company.li, "8001"), (company.zhao, "8002"))
    ]
    session.commit()
    return Desk(company, *made)


@pytest.fixture
def connected(desk: Desk) -> Desk:
    health.report(desk.session, {"telephony": lambda: ("up", "")})
    desk.session.commit()
    return desk


def moment(seconds: float) -> datetime:
    return engine_clock.now() + timedelta(seconds=seconds)


def course(call_id: str = "yun-1.1", number: str = "13800138000") -> list[CallEvent]:
    """In, rings at both, answered at 8001, ended by the customer."""
    base = CallEvent(call_id, moment(0), "started", "in", number, did="02155667788", queue="sales")

    def event(seconds: float, kind: Any, **more: Any) -> CallEvent:
        return replace(base, at=moment(seconds), kind=kind, **more)

    return [
        base,
        event(1, "ringing", agent="8001", leg="a"),
        event(1, "ringing", agent="8002", leg="b"),
        event(6, "answered", agent="8001", leg="a"),
        event(6, "left", agent="8002", cause="answered_elsewhere"),
        event(60, "left", agent="8001", cause="normal"),
        event(60, "ended", cause="normal", ended_by="customer"),
    ]


def missed(call_id: str = "yun-2.1", number: str = "13800138000") -> list[CallEvent]:
    started, ring, *_rest = course(call_id, number)
    return [
        started,
        ring,
        replace(ring, kind="left", at=moment(12), cause="caller_left"),
        replace(started, kind="ended", at=moment(12), cause="caller_left", ended_by="customer"),
    ]


def keep(session: Session, events: list[CallEvent]) -> Call:
    for event in events:
        call = operations.note_call(session, event)
    session.commit()
    return call


def facts(session: Session, call: Call) -> tuple[Any, ...]:
    """All of a call but its row's number."""
    session.expire_all()
    legs = [(leg.agent.extension, leg.state, leg.rung_at, leg.answered_at, leg.over_at, leg.cause) for leg in call.legs]
    columns = ("uuid", "direction", "number", "did", "queue", "state", "result", "cause", "ended_by")
    times = (call.started_at, call.answered_at, call.ended_at, call.agent and call.agent.extension)
    return (*(getattr(call, name) for name in columns), *times, sorted(legs))


# ------------------------------------------------------------------------------------------------- keeping calls


def test_a_call_is_kept_with_who_rang_and_who_answered(desk: Desk) -> None:
    call = keep(desk.session, course())
    assert (call.direction, call.number, call.did, call.queue) == ("in", CUSTOMER, "02155667788", "sales")
    assert (call.state, call.result, call.ended_by) == ("ended", "answered", "customer")
    assert call.agent is desk.li
    assert call.answered_at is not None
    assert {leg.agent.extension: leg.cause for leg in call.legs} == {"8001": "normal", "8002": "answered_elsewhere"}


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("events", [course, missed])
@pytest.mark.parametrize("seed", range(8))
def test_late_repeated_and_shuffled_events_leave_the_same_call(
    desk: Desk, seed: int, events: Callable[[str], list[CallEvent]]
) -> None:
    chosen = random.Random(seed)
    told = events("yun-1.1")
    shuffled = told + chosen.choices(told, k=5)
    chosen.shuffle(shuffled)
    call = keep(desk.session, [replace(event, call_id="yun-9.9") for event in shuffled])
    plain = keep(desk.session, told)
    assert facts(desk.session, call)[1:] == facts(desk.session, plain)[1:]
    assert desk.session.scalars(select(CallLeg).where(CallLeg.call_id == call.id)).all().__len__() == len(call.legs)


def test_an_extension_that_is_nobodys_here_rings_in_vain(desk: Desk) -> None:
    call = keep(desk.session, [replace(event, agent=event.agent and "7777") for event in course()])
    assert call.legs == []
    assert (call.result, call.agent_id) == ("answered", None)


def test_the_state_follows_while_the_call_lives(desk: Desk) -> None:
    told = course()
    held, resumed = (replace(told[3], kind=kind, at=moment(at)) for kind, at in (("held", 20), ("resumed", 30)))
    states = [keep(desk.session, [event]).state for event in (*told[:4], held, resumed)]
    assert states == ["dialling", "ringing", "ringing", "talking", "held", "talking"]
    late = replace(told[3], kind="held", at=moment(25))  # older than the resuming
    assert keep(desk.session, [late]).state == "talking"


def test_a_transfer_gives_the_call_to_another_agent(desk: Desk) -> None:
    told = course()
    by = replace(told[3], kind="transferred", at=moment(20), to="8002", how="blind")
    again = [replace(told[2], at=moment(21)), replace(told[3], agent="8002", at=moment(24))]
    call = keep(desk.session, [*told[:5], by, by, replace(told[5], at=moment(20)), *again])
    assert [(one["how"], one["to"], one["by"]) for one in call.transfers] == [("blind", "8002", "8001")]
    assert {leg.agent.extension: leg.state for leg in call.legs} == {"8001": "over", "8002": "talking"}
    assert call.agent is desk.li  # who answered first


def test_people_in_the_call_are_told_and_nobody_else(desk: Desk) -> None:
    keep(desk.session, course()[:2])
    told = set(desk.session.scalars(select(PushEvent.principal).where(PushEvent.kind == "call")))
    assert told == {desk.li.person_id}


def test_after_a_reconnect_what_is_gone_is_lost_and_what_waits_to_be_dialled_is_not(connected: Desk) -> None:
    session = connected.session
    keep(session, course("yun-1.1")[:4])
    keep(session, course("yun-2.1")[:2])
    keep(session, course("yun-3.1")[:4])
    dialled = operations.dial(session, actor_of(connected.company.li), number="13900139000", key="k")
    session.commit()
    gone = operations.close_gone(session, {"yun-3.1"}, at=moment(90))
    session.commit()
    assert [(call.uuid, call.cause, call.result) for call in gone] == [
        ("yun-1.1", "link_lost", "answered"),
        ("yun-2.1", "link_lost", "link_lost"),
    ]
    assert dialled.ended_at is None
    assert {leg.state for leg in gone[0].legs} == {"over"}


# ------------------------------------------------------------------------------------------------- missed calls


def tasks(session: Session) -> list[Task]:
    return list(session.scalars(select(Task).order_by(Task.id)))


def test_a_missed_call_is_a_task_of_whoever_it_rang(desk: Desk) -> None:
    call = keep(desk.session, missed())
    (task,) = tasks(desk.session)
    assert (call.result, task.assignee_id, task.state) == ("missed", desk.company.li.id, "accepted")
    assert task.title in ("Call back 138 0013 8000", "回拨 138 0013 8000"), "in the reader's language"
    assert (task.record_type, task.record_id) == ("telephony.call", call.id)
    keep(desk.session, missed())  # told again
    keep(desk.session, missed("yun-3.1"))  # tries again
    assert len(tasks(desk.session)) == 1
    task.state = "confirmed"
    keep(desk.session, missed("yun-4.1"))
    assert len(tasks(desk.session)) == 2


def test_nobody_is_asked_to_call_a_hidden_number(desk: Desk) -> None:
    call = keep(desk.session, missed(number="anonymous"))
    assert (call.result, call.number) == ("missed", "")
    assert tasks(desk.session) == []


# ------------------------------------------------------------------------------------------------- agents


def test_an_agents_state_is_kept_with_its_log_and_leaves_the_record_alone(desk: Desk) -> None:
    session, version = desk.session, desk.li.version
    first = AgentEvent("8001", moment(1), "idle")
    assert operations.note_presence(session, first)
    assert not operations.note_presence(session, first)
    assert operations.note_presence(session, AgentEvent("8001", moment(9), "paused", "午餐"))
    assert not operations.note_presence(session, AgentEvent("8001", moment(5), "busy"))  # late
    assert not operations.note_presence(session, AgentEvent("7777", moment(5), "busy"))
    session.commit()
    session.expire_all()
    assert (desk.li.presence, desk.li.presence_reason, desk.li.version) == ("paused", "午餐", version)
    assert [row.presence for row in session.scalars(select(AgentPresence).order_by(AgentPresence.id))] == [
        "idle",
        "paused",
    ]


def test_the_register_of_agents_refuses_doubles_and_strange_extensions(desk: Desk) -> None:
    session, person = desk.session, desk.company.wang
    for values in (
        {"person": person, "extension": "8001"},
        {"person": desk.company.li, "extension": "8009"},
        {"person": person, "extension": "8"},
        {"person": person, "extension": "PJSIP/1"},
        {"person": person, "extension": "8009", "queues": "a b"},
    ):
        with pytest.raises(InvalidForm):
            operations.create_agent(session, SYSTEM, values=values)
    with pytest.raises(Forbidden):
        operations.create_agent(session, actor_of(person), values={"person": person, "extension": "8009"})
    made = operations.create_agent(
        session, SYSTEM, values={"person": person, "extension": "8009", "queues": " a，b,a "}
    )
    assert made.queues == "a,b"


# ------------------------------------------------------------------------------------------------- commands


def test_dialling_writes_a_call_and_a_command_once(connected: Desk) -> None:
    session, li = connected.session, actor_of(connected.company.li)
    call = operations.dial(session, li, number="138 0013 8000", key="click-1")
    session.commit()
    assert operations.dial(session, li, number="138 0013 8000", key="click-1") is call
    (command,) = session.scalars(select(CallCommand))
    assert (call.state, call.direction, call.number) == ("dialling", "out", CUSTOMER)
    assert (command.kind, command.arguments) == ("dial", {"number": "13800138000"})
    with pytest.raises(Conflict):
        operations.dial(session, li, number="139 0013 9000", key="click-2")


def test_dialling_is_refused_with_the_reason(desk: Desk) -> None:
    session, li = desk.session, actor_of(desk.company.li)

    def refused(actor: Any, number: str = "13800138000", **more: Any) -> str:
        with pytest.raises((RuleViolation, InvalidForm)) as refusal:
            operations.dial(session, actor, number=number, key=f"k{number}", **more)
        return refusal.value.code

    assert refused(li) == "telephony_down"
    health.report(session, {"telephony": lambda: ("up", "")})
    assert refused(actor_of(desk.company.sun)) == "no_extension"
    assert refused(li, "abc") == "invalid_form"
    assert refused(li, "8001") == "invalid_form"
    assert refused(li, record=("organization.employee", 999_999)) == "invalid_form"
    operations.note_presence(session, AgentEvent("8001", moment(1), "offline"))
    session.expire_all()
    assert refused(li) == "phone_offline"
    health.report(session, {"telephony": lambda: ("down", "unreachable")})
    assert refused(li) == "telephony_down"


def test_a_report_that_is_old_is_worth_nothing(connected: Desk, clock: Any) -> None:
    assert operations.connected(connected.session)
    clock.advance(seconds=FRESH.total_seconds() + 1)
    assert not operations.connected(connected.session)


def test_the_listener_takes_each_command_once_and_settles_it(connected: Desk) -> None:
    session, li = connected.session, actor_of(connected.company.li)
    call = operations.dial(session, li, number="13800138000", key="k")
    session.commit()
    assert operations.waiting(session)
    (order,) = operations.take(session, fence=7)
    assert (order.kind, order.uuid, order.agent, order.arguments) == (
        "dial",
        call.uuid,
        "8001",
        {"number": "13800138000"},
    )
    session.commit()
    assert operations.take(session, fence=7) == []
    assert not operations.settle(session, replace(order, fence=6), "done")  # of a listener that lost its lease
    assert operations.settle(session, order, "failed", code="peer_refused", error="No such endpoint")
    assert not operations.settle(session, order, "done")
    session.commit()
    assert (call.state, call.result) == ("ended", "failed")
    (command,) = operations.commands_of(session, call.id)
    assert "No such endpoint" in str(operations.why(command))


def test_a_command_that_waited_too_long_is_not_carried_out(connected: Desk, clock: Any) -> None:
    session, li = connected.session, actor_of(connected.company.li)
    call = operations.dial(session, li, number="13800138000", key="k")
    session.commit()
    clock.advance(seconds=TOO_LATE.total_seconds() + 1)
    assert operations.take(session, fence=1) == []
    session.commit()
    assert (call.state, operations.commands_of(session, call.id)[0].code) == ("ended", "too_late")


def test_what_a_dead_listener_held_is_in_doubt(connected: Desk, clock: Any) -> None:
    session, li = connected.session, actor_of(connected.company.li)
    keep(session, course()[:4])
    operations.pause(session, li, on=True, reason="午餐")
    operations.take(session, fence=1)
    session.commit()
    clock.advance(seconds=31)
    assert operations.sweep(session) == 1
    session.commit()
    (command,) = session.scalars(select(CallCommand))
    assert (command.state, command.code) == ("unknown", "listener_gone")
    assert operations.sweep(session) == 0


def test_who_may_hang_up_and_transfer(connected: Desk) -> None:
    session, company = connected.session, connected.company
    call = keep(session, course()[:4])
    li, zhao, wang, sun = (actor_of(one) for one in (company.li, company.zhao, company.wang, company.sun))
    with pytest.raises(NotFound):
        operations.hang_up(session, sun, call_id=call.id)
    with pytest.raises(Forbidden):
        operations.hang_up(session, wang, call_id=call.id)  # sees the calls of her people
    with pytest.raises(Conflict):
        operations.transfer(session, zhao, call_id=call.id, to="8001")  # was rung, does not speak
    with pytest.raises(InvalidForm):
        operations.transfer(session, li, call_id=call.id, to="8001", kind="by hand")
    assert operations.transfer(session, li, call_id=call.id, to="8002", kind="attended").arguments == {
        "to": "8002", "how": "attended",
    }  # fmt: skip
    assert operations.hang_up(session, li, call_id=call.id).kind == "hang_up"
    keep(session, course()[4:])
    with pytest.raises(Conflict):
        operations.hang_up(session, li, call_id=call.id)


# ------------------------------------------------------------------------------------------------- reading and noting


def test_who_sees_which_calls(desk: Desk) -> None:
    session, company = desk.session, desk.company
    keep(session, course())
    reader = actor_of(company.sun, permissions.READ_CALLS)
    seen = {
        name: len(operations.past_calls(session, actor)[0])
        for name, actor in {
            "li": actor_of(company.li),
            "zhao": actor_of(company.zhao),
            "wang": actor_of(company.wang),
            "chen": actor_of(company.chen),
            "sun": actor_of(company.sun),
            "reader": reader,
        }.items()
    }
    assert seen == {"li": 1, "zhao": 1, "wang": 1, "chen": 1, "sun": 0, "reader": 1}


def test_lists_are_narrowed_and_paged(desk: Desk) -> None:
    session, li = desk.session, actor_of(desk.company.li)
    for number in range(3):
        keep(session, missed(f"yun-5.{number}"))
    keep(session, course("yun-6.1", "075512345678"))
    live = keep(session, course("yun-7.1")[:2])
    assert [call.id for call in operations.live_calls(session, li)] == [live.id]
    assert len(operations.past_calls(session, li, view="missed")[0]) == 3
    assert len(operations.past_calls(session, li, text="0755-1234")[0]) == 1
    first, more = operations.past_calls(session, li, size=3)
    assert (len(first), more) == (3, True)
    rest, more = operations.past_calls(session, li, size=3, before=first[-1].id)
    assert (len(rest), more) == (1, False)
    earlier = operations.history_of(session, li, first[1].number, before=first[1].id)
    assert [call.id for call in earlier] == [first[2].id, rest[0].id]


def test_the_pop_up_closes_for_those_who_did_not_answer_and_stays_for_the_one_who_did(desk: Desk, clock: Any) -> None:
    session, li, zhao = desk.session, actor_of(desk.company.li), actor_of(desk.company.zhao)
    told = course()
    call = keep(session, told[:3])
    assert [one.id for one in operations.pops(session, zhao)] == [call.id]
    keep(session, told[3:5])
    assert operations.pops(session, zhao) == []
    clock.advance(seconds=60)
    keep(session, [replace(event, at=moment(0)) for event in told[5:]])
    assert [one.id for one in operations.pops(session, li)] == [call.id]
    operations.put_away(session, li, call_id=call.id)
    assert operations.pops(session, li) == []
    with pytest.raises(NotFound):
        operations.put_away(session, actor_of(desk.company.sun), call_id=call.id)


def in_vain(session: Session, call: Call, cause: str) -> None:
    """The agent's phone rings, and the other end does not answer."""
    base = CallEvent(call.uuid, moment(0), "started", "out", call.number)
    rings = replace(base, kind="ringing", agent="8001", leg="a")
    keep(session, [base, rings, replace(base, kind="ended", cause=cause)])


def test_a_number_dialled_in_vain_stands_until_it_is_dialled_again(connected: Desk) -> None:
    session, li = connected.session, actor_of(connected.company.li)

    def dialled(number: str, cause: str) -> Call:
        call = operations.dial(session, li, number=number, key=f"{number} {cause}")
        in_vain(session, call, cause)
        return call

    def stands() -> list[int]:
        return [one.id for one in operations.pops(session, li)]

    busy = dialled("13800138000", "busy")
    assert (busy.result, stands()) == ("busy", [busy.id])
    other = dialled("13900139000", "no_answer")
    assert stands() == [other.id, busy.id]
    again = dialled("13800138000", "unreachable")
    assert stands() == [again.id, other.id]
    operations.put_away(session, li, call_id=other.id)
    assert stands() == [again.id]
    given_up = dialled("13800138000", "cancelled")
    assert (given_up.result, stands()) == ("cancelled", [])
    assert operations.pops(session, actor_of(connected.company.zhao)) == []


def test_what_is_noted_elsewhere_closes_the_ended_calls_with_those_numbers(desk: Desk) -> None:
    session, li = desk.session, actor_of(desk.company.li)
    told = course()
    call = keep(session, told[:5])
    assert operations.put_away_with(session, li, [call.number]) == 0, "one that goes on stays"
    keep(session, [replace(event, at=moment(0)) for event in told[5:]])
    assert operations.put_away_with(session, li, ["+8613900000000"]) == 0
    assert operations.put_away_with(session, actor_of(desk.company.sun), [call.number]) == 0
    assert operations.put_away_with(session, li, [call.number]) == 1
    assert operations.pops(session, li) == []


def test_what_hangs_on_a_call_names_it_without_its_number(desk: Desk) -> None:
    call = keep(desk.session, course())
    title = CATALOG.records["telephony.call"].title(desk.session, call.id)
    assert re.fullmatch(r"Call of 2026-\d\d-\d\d \d\d:\d\d|2026-\d\d-\d\d \d\d:\d\d 的通话", title)


def test_the_note_belongs_to_the_call_and_to_those_in_it(desk: Desk) -> None:
    session, company = desk.session, desk.company
    call = keep(session, course())
    operations.write_note(session, actor_of(company.li), call_id=call.id, text="想要报价\r\n周五前")
    assert (call.note, call.note_by) == ("想要报价\n周五前", company.li.id)
    with pytest.raises(Forbidden):
        operations.write_note(session, actor_of(company.wang), call_id=call.id, text="x")
    with pytest.raises(InvalidForm):
        operations.write_note(session, actor_of(company.li), call_id=call.id, text="x" * 5001)
    with pytest.raises(InvalidForm):
        operations.write_note(session, actor_of(company.li), call_id=call.id, text="a\x00b")


def test_numbers_find_the_people_behind_them(desk: Desk) -> None:
    session = desk.session
    found = operations.matches(session, actor_of(desk.company.li), ["+8619900000002", "8002", CUSTOMER, ""])
    assert [one.name for one in found["+8619900000002"].people] == ["王芳"]
    assert [one.name for one in found["8002"].people] == ["赵磊"]
    assert found[CUSTOMER].people == ()
