"""Events: boundaries and who wins, timers, errors and escalations climbing outwards, signals, terminate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import workflow
from engine.errors import Conflict
from engine.workflow.contract import ServiceCall
from tests.engine.workflow.drawing import MESSAGES, Drawing, event, timer
from tests.engine.workflow.kit import House, Play, compiled


def drawn(build: Callable[[Drawing], None], *more: Drawing, **given: Any) -> Play:
    drawing = Drawing()
    drawing.start()
    drawing.end()
    build(drawing)
    return Play(compiled(drawing, *more, head=MESSAGES), **given)


def sub(id: str, build: Callable[[Drawing], None], **attributes: str) -> str:
    inner = Drawing(id)
    build(inner)
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<subProcess id="{id}"{given}>{inner.body()}</subProcess>'


def with_sub(d: Drawing, id: str, build: Callable[[Drawing], None], **attributes: str) -> None:
    d.parts.append(sub(id, build, **attributes).replace(">", f">@{id}@", 1))


def inside(d: Drawing) -> None:
    d.start("in")
    d.user("work")
    d.end("out")
    d.chain("in", "work", "out")


# ---------------------------------------------------------------------------------------------------- boundaries


def bordered(kind: str, *, interrupting: bool) -> Callable[[Drawing], None]:
    def build(d: Drawing) -> None:
        d.user("approve")
        d.chain("start", "approve", "end")
        d.add("boundaryEvent", "border", kind, attachedToRef="approve", cancelActivity=str(interrupting).lower())
        d.user("other")
        d.chain("border", "other", "end")

    return build


def test_an_interrupting_timer_ends_its_task() -> None:
    play = drawn(bordered(timer("PT2H"), interrupting=True))
    ((token, at),) = play.due.items()
    assert at == play.house.at + timedelta(hours=2)
    changes = play.fire("border")
    assert changes.timers_cleared == [token]
    assert len(changes.cancelled) == 1
    assert play.nodes == ["other"]
    assert play.data["boundary"] == {"event": "border", "host": "approve"}
    assert ("approve", "cancelled") in play.path
    play.complete("other")
    assert play.ended == "completed"


def test_a_non_interrupting_timer_leaves_its_task_and_comes_once() -> None:
    play = drawn(bordered(timer("PT2H"), interrupting=False))
    play.fire("border")
    assert play.nodes == ["approve", "other"]
    assert not play.timers
    play.complete("approve")
    assert play.ended is None
    play.complete("other")
    assert play.ended == "completed"


def test_the_task_done_first_clears_its_timer() -> None:
    play = drawn(bordered(timer("PT2H"), interrupting=True))
    changes = play.complete("approve")
    assert len(changes.timers_cleared) == 1
    assert play.ended == "completed"
    assert "border" not in play.visited()


@pytest.mark.parametrize("cycle", ["R3/PT1H", '${"R" + text(n) + "/PT1H"}'])
def test_a_cycle_comes_as_often_as_drawn(cycle: str) -> None:
    play = drawn(bordered(timer(cycle, "timeCycle"), interrupting=False), variables={"n": 3})
    start, (token,) = play.house.at, play.timers
    for n in (1, 2, 3):
        assert play.due[token] == start + timedelta(hours=n)
        play.fire("border")
    assert not play.timers
    assert play.nodes == ["approve", "other", "other", "other"]


def test_missed_rounds_of_a_cycle_are_passed_over_unless_all_are_wanted() -> None:
    def build(d: Drawing) -> None:
        bordered(timer("R/PT1H", "timeCycle"), interrupting=False)(d)
        wanted = '<extensionElements><camunda:properties><camunda:property name="timer.catch_up" value="all"/>'
        d.add(
            "boundaryEvent",
            "every",
            wanted + "</camunda:properties></extensionElements>" + timer("R/PT1H", "timeCycle"),
            attachedToRef="approve",
            cancelActivity="false",
        )

    play = drawn(build)
    start = play.house.at
    play.house.at += timedelta(hours=5, minutes=30)
    play.fire("border")
    play.fire("every")
    due = {play.timers[token]: at for token, at in play.due.items() if token in play.timers}
    assert due == {"border": start + timedelta(hours=6), "every": start + timedelta(hours=2)}


def test_working_time_is_asked_of_the_calendar() -> None:
    play = drawn(
        bordered(timer("${working_hours(limits.hours)}"), interrupting=True), variables={"limits": {"hours": 8}}
    )
    (at,) = play.due.values()
    assert at == play.house.at + timedelta(hours=16), "the test calendar doubles"


def test_a_date_and_an_instant() -> None:
    (at,) = drawn(bordered(timer("2026-12-24", "timeDate"), interrupting=True)).due.values()
    assert at == datetime(2026, 12, 23, 16, tzinfo=UTC), "midnight on the company's clock"
    (at,) = drawn(bordered(timer("${when}", "timeDate"), interrupting=True), variables={"when": at}).due.values()
    assert at == datetime(2026, 12, 23, 16, tzinfo=UTC)


def test_a_timer_that_cannot_be_read_is_an_incident() -> None:
    play = drawn(bordered(timer("${soon}"), interrupting=True), variables={"soon": "in a while"})
    ((token, cause),) = play.failures.items()
    assert cause == "expression"
    assert not play.open
    play.call("set_variables", {"soon": "PT1H"})
    play.call("retry", token)
    assert play.nodes == ["approve"]
    assert list(play.timers.values()) == ["border"]


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_message_on_the_border(interrupting: bool) -> None:
    play = drawn(bordered(event("message", "m"), interrupting=interrupting))
    play.deliver("border", "paid", sum=5)
    assert play.nodes == (["other"] if interrupting else ["approve", "other"])
    if not interrupting:
        play.deliver("border", "paid", sum=6)
        assert play.nodes == ["approve", "other", "other"]
        play.complete("other")
        play.complete("other")
        play.complete("approve")
    else:
        play.complete("other")
    assert play.ended == "completed"


def test_boundary_events_on_a_sub_process_end_everything_in_it() -> None:
    def build(d: Drawing) -> None:
        with_sub(d, "box", inside)
        d.add("boundaryEvent", "border", timer("PT1H"), attachedToRef="box")
        d.user("other")
        d.chain("start", "box", "end")
        d.chain("border", "other", "end")

    play = drawn(build)
    assert play.nodes == ["work"]
    changes = play.fire("border")
    assert len(changes.cancelled) == 1
    assert play.nodes == ["other"]


# ---------------------------------------------------------------------------------------------------- errors


def approvals(d: Drawing) -> None:
    """The expense pattern: a sub-process whose "returned" leads to a revision and back."""
    d.user("superior")
    d.user("head")
    d.start("in")
    d.end("out")
    d.chain("in", "superior", "head", "out")


def returning(d: Drawing) -> None:
    with_sub(d, "approvals", approvals)
    d.add("boundaryEvent", "is_returned", event("error", "returned"), attachedToRef="approvals")
    d.user("revise")
    d.chain("start", "approvals", "end")
    d.chain("is_returned", "revise", "approvals")


def test_an_approver_returns_and_the_starter_sends_it_again() -> None:
    play = drawn(returning, variables={"amount": 5})
    play.complete("superior", outcome="approve")
    changes = play.throw("head", "returned", outcome="return", opinion="no invoice")
    assert len(changes.closed) == 1
    assert changes.cancelled == []
    assert play.nodes == ["revise"]
    assert play.data["opinion"] == "no invoice"
    assert play.data["boundary"] == {
        "event": "is_returned",
        "host": "approvals",
        "code": "returned",
        "source": "head",
    }
    play.complete("revise", amount=4)
    assert play.nodes == ["superior"]
    play.complete("superior")
    play.complete("head")
    assert play.ended == "completed"
    assert play.data["amount"] == 4


def test_a_rejection_nobody_catches_ends_the_instance_as_rejected() -> None:
    play = drawn(returning)
    changes = play.throw("superior", "rejected", outcome="reject")
    assert (changes.ended, changes.error_code) == ("rejected", "rejected")
    assert len(changes.closed) == 1
    assert play.data["outcome"] == "reject"


def test_any_other_error_nobody_catches_fails_the_instance() -> None:
    changes = drawn(returning).throw("superior", "broken")
    assert (changes.ended, changes.error_code) == ("failed", "broken")


def test_an_error_goes_to_the_border_of_the_task_before_the_one_around_it() -> None:
    def closer(d: Drawing) -> None:
        approvals(d)
        d.add("boundaryEvent", "near", event("error"), attachedToRef="head")
        d.user("near_task")
        d.chain("near", "near_task", "out")

    def outer(d: Drawing) -> None:
        with_sub(d, "approvals", closer)
        d.add("boundaryEvent", "far", event("error", "returned"), attachedToRef="approvals")
        d.chain("start", "approvals", "end")
        d.chain("far", "end")

    play = drawn(outer)
    play.complete("superior")
    play.throw("head", "returned")
    assert play.nodes == ["near_task"], "any error, but nearer"


def test_the_exact_code_goes_before_any_code() -> None:
    def build(d: Drawing) -> None:
        d.user("approve")
        d.add("boundaryEvent", "any", event("error"), attachedToRef="approve")
        d.add("boundaryEvent", "exact", event("error", "returned"), attachedToRef="approve")
        d.user("a")
        d.user("b")
        d.chain("start", "approve", "end")
        d.chain("any", "a", "end")
        d.chain("exact", "b", "end")

    play = drawn(build)
    play.throw("approve", "returned")
    assert play.nodes == ["b"]
    play = drawn(build)
    play.throw("approve", "something")
    assert play.nodes == ["a"]


def test_an_error_end_event_is_caught_outside_or_fails_the_instance() -> None:
    def failing(d: Drawing) -> None:
        d.start("in")
        d.end("bad", event("error", "e"))
        d.chain("in", "bad")

    def build(d: Drawing, *, caught: bool) -> None:
        with_sub(d, "box", failing)
        d.chain("start", "box", "end")
        if caught:
            d.add("boundaryEvent", "border", event("error", "e"), attachedToRef="box")
            d.user("other")
            d.chain("border", "other", "end")

    assert drawn(lambda d: build(d, caught=True)).nodes == ["other"]
    failed = drawn(lambda d: build(d, caught=False))
    assert (failed.ended, failed.changes.error_code) == ("failed", "broken")


def test_nodes_know_which_errors_are_caught_around_them() -> None:
    play = drawn(returning)
    assert play.process.nodes["superior"].catches == ("returned",)
    assert play.process.nodes["approvals"].catches == ("returned",)
    assert play.process.nodes["revise"].catches == ()


# ---------------------------------------------------------------------------------------------------- escalation


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_is_caught_on_the_border(interrupting: bool) -> None:
    def escalating(d: Drawing) -> None:
        d.start("in")
        d.add("intermediateThrowEvent", "call", event("escalation", "x"))
        d.user("work")
        d.end("out")
        d.chain("in", "call", "work", "out")

    def build(d: Drawing) -> None:
        with_sub(d, "box", escalating)
        d.add(
            "boundaryEvent",
            "border",
            event("escalation", "x"),
            attachedToRef="box",
            cancelActivity=str(interrupting).lower(),
        )
        d.user("boss")
        d.chain("start", "box", "end")
        d.chain("border", "boss", "end")

    assert drawn(build).nodes == (["boss"] if interrupting else ["boss", "work"])


def test_an_escalation_nobody_hears_changes_nothing() -> None:
    def build(d: Drawing) -> None:
        d.add("intermediateThrowEvent", "call", event("escalation", "x"))
        d.chain("start", "call", "end")

    assert drawn(build).ended == "completed"


# ---------------------------------------------------------------------------------------------------- signals, ends


def test_a_signal_reaches_everyone_waiting_in_the_instance_and_leaves_it() -> None:
    def build(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.add("intermediateCatchEvent", "caught", event("signal", "s"))
        d.user("approve")
        d.add("boundaryEvent", "border", event("signal", "s"), attachedToRef="approve")
        d.user("before")
        d.add("intermediateThrowEvent", "thrown", event("signal", "s"))
        d.user("a")
        d.user("b")
        d.chain("start", "fork", "caught", "a", "end")
        d.chain("fork", "approve", "end")
        d.chain("border", "b", "end")
        d.chain("fork", "before", "thrown", "end")

    play = drawn(build)
    assert sorted(play.waits.values()) == ["border", "caught"]
    play.complete("before")
    assert play.nodes == ["a", "b"]
    assert play.thrown == [("signal", "stop")]
    assert not play.waits


@pytest.mark.parametrize(("kind", "ref", "name"), [("message", "m", "paid"), ("signal", "s", "stop")])
def test_end_events_throw(kind: str, ref: str, name: str) -> None:
    def build(d: Drawing) -> None:
        d.end("tell", event(kind, ref))
        d.chain("start", "tell")
        d.parts = [part for part in d.parts if 'id="end"' not in part]

    play = drawn(build)
    assert play.ended == "completed"
    assert play.thrown == [(kind, name)]


def test_terminate_stops_the_rest_without_running_it() -> None:
    house = House()
    paid: list[ServiceCall] = []
    house.answer = paid.append

    def build(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.end("stop", "<terminateEventDefinition/>")
        d.service("pay", "test.notify")
        d.user("approve")
        d.chain("start", "fork", "stop")
        d.chain("fork", "approve", "end")
        d.chain("fork", "pay", "end")

    play = drawn(build, house=house)
    assert play.ended == "completed"
    assert paid == [], "cancelled in the same pass, so it never ran"
    assert play.changes.opened == [], "opened and cancelled in one step: nobody hears of it"


def test_terminate_in_a_sub_process_ends_only_that() -> None:
    def stopping(d: Drawing) -> None:
        d.start("in")
        d.add("parallelGateway", "fork")
        d.user("work")
        d.user("halt")
        d.end("stop", "<terminateEventDefinition/>")
        d.end("out")
        d.chain("in", "fork", "work", "out")
        d.chain("fork", "halt", "stop")

    def build(d: Drawing) -> None:
        with_sub(d, "box", stopping)
        d.user("after")
        d.chain("start", "box", "after", "end")

    play = drawn(build)
    play.complete("halt")
    assert play.nodes == ["after"]


# ---------------------------------------------------------------------------------------------------- event sub-process


def handler(kind: str, *, interrupting: bool) -> Callable[[Drawing], None]:
    def handling(d: Drawing) -> None:
        d.add("startEvent", "caught", kind, isInterrupting=str(interrupting).lower())
        d.user("handle")
        d.end("handled")
        d.chain("caught", "handle", "handled")

    def build(d: Drawing) -> None:
        with_sub(d, "handler", handling, triggeredByEvent="true")
        d.user("approve")
        d.chain("start", "approve", "end")

    return build


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_begun_by_a_message(interrupting: bool) -> None:
    play = drawn(handler(event("message", "m"), interrupting=interrupting), variables={"x": 1})
    play.deliver("caught", "paid", sum=5)
    assert play.nodes == (["handle"] if interrupting else ["approve", "handle"])
    play.complete("handle")
    if not interrupting:
        play.deliver("caught", "paid", sum=6)
        play.complete("handle")
        assert play.ended is None
        play.complete("approve")
    assert play.ended == "completed"
    assert play.data["x"] == 1


def test_an_event_sub_process_catches_errors_and_not_its_own() -> None:
    def build(d: Drawing) -> None:
        handler(event("error", "e"), interrupting=True)(d)

    play = drawn(build)
    play.throw("approve", "broken", why="x")
    assert play.nodes == ["handle"]
    assert play.data["why"] == "x"
    changes = play.throw("handle", "broken")
    assert changes.ended == "failed"


def test_an_event_sub_process_never_begun_leaves_no_trace() -> None:
    play = drawn(handler(timer("P1D"), interrupting=True))
    assert list(play.timers.values()) == ["caught"]
    play.complete("approve")
    assert play.ended == "completed"
    assert "handle" not in play.visited()


# ---------------------------------------------------------------------------------------------------- starts


def test_a_process_begins_at_the_event_that_was_triggered() -> None:
    drawing = Drawing()
    drawing.start()
    drawing.add("startEvent", "by_message", event("message", "m"))
    drawing.add("startEvent", "nightly", timer("R/P1D", "timeCycle"))
    for id in ("a", "b", "c"):
        drawing.user(id)
    drawing.end()
    drawing.chain("start", "a", "end")
    drawing.chain("by_message", "b", "end")
    drawing.chain("nightly", "c", "end")
    process = compiled(drawing, head=MESSAGES)
    assert [(one.node, one.kind, one.name) for one in process.starts] == [
        ("start", "none", ""),
        ("by_message", "message", "paid"),
        ("nightly", "timer", "R/P1D"),
    ]
    nightly, house = process.starts[2], House()
    first = workflow.first_due(nightly.name, house)
    assert (first.at, first.every) == (house.at + timedelta(days=1), "P1D")
    following = workflow.next_due(first, house.at + timedelta(days=3, hours=1))
    assert following is not None
    assert following.at == first.at + timedelta(days=3)
    with pytest.raises(Conflict):
        Play(process, node="a")
    assert Play(process).nodes == ["a"]
    assert Play(process, {"sum": 5}, node="by_message").nodes == ["b"]
    assert Play(process, node="nightly").nodes == ["c"]


def test_without_start_events_everything_nothing_leads_to_begins() -> None:
    drawing = Drawing()
    drawing.user("a")
    drawing.user("b")
    drawing.user("c")
    drawing.chain("a", "c")
    assert Play(compiled(drawing)).nodes == ["a", "b"]
