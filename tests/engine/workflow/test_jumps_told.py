"""What a jump tells of those it ended and began, and which variables come along."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.workflow.contract import PENDING
from tests.engine.workflow.drawing import Drawing, event, timer
from tests.engine.workflow.jumping import (
    bordered,
    boxed,
    calling,
    deep,
    finish,
    jump,
    line,
    parallel,
    play,
    voting,
    watched,
)
from tests.engine.workflow.kit import House, Play, compiled
from tests.engine.workflow.test_events import inside, with_sub

BORDERED, INTERRUPTED = bordered(interrupting=False), bordered(interrupting=True)
BOTH = {"a": True, "b": True, "third": False}


# ---------------------------------------------------------------------------------------------------- what is told


def test_the_journal_tells_what_died_and_what_began() -> None:
    played = play(parallel, "before", "a1")
    token, sibling = played.token(played.open, "a2"), played.token(played.open, "b")
    foreseen = played.live.foresee_jump(token, "before")
    assert [(at.token, at.node, at.state) for at in foreseen.dying] == [(sibling, "b", "open")]
    changes = jump(played, "a2", "before", comment="again")
    assert sorted(changes.cancelled) == sorted([token, sibling])
    assert changes.closed == []
    assert [task.node for task in changes.opened] == ["before"]
    assert changes.opened[0].data["comment"] == "again"
    assert set(changes.path[:2]) == {("a2", "cancelled"), ("b", "cancelled")}
    assert changes.path[2:] == [("before", "entered")]


def test_a_sibling_at_the_join_is_told_as_well() -> None:
    played = play(parallel, "before", "b", "a1")
    foreseen = played.live.foresee_jump(played.token(played.open, "a2"), "after")
    assert [(at.node, at.state) for at in foreseen.dying] == [("join", "waiting")]


def test_everything_inside_what_ends_is_told() -> None:
    played = play(boxed, "a", "w1")
    foreseen = played.live.foresee_jump(played.token(played.open, "w2"), "a")
    assert [(at.node, at.state) for at in foreseen.dying] == [("box", "running"), ("v", "open")]
    changes = jump(played, "w2", "a")
    assert len(changes.cancelled) == 2
    assert len(changes.timers_cleared) == 1
    assert ("box", "cancelled") in changes.path


def test_timers_waits_and_failures_of_the_dead_are_cleared() -> None:
    def build(d: Drawing) -> None:
        d.user("before")
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        d.user("a")
        d.add("boundaryEvent", "late", timer("PT2H"), attachedToRef="a")
        d.end("too_late")
        d.chain("late", "too_late")
        d.add("intermediateCatchEvent", "paid", event("message", "m"))
        d.add("intermediateCatchEvent", "pause", timer("P1D"))
        d.script("broken", "x = missing + 1")
        d.chain("start", "before", "fork", "a", "join", "end")
        for id in ("paid", "pause", "broken"):
            d.chain("fork", id, "join")

    played = play(build, "before")
    assert (len(played.timers), len(played.waits), len(played.failures)) == (2, 1, 1)
    changes = jump(played, "a", "before")
    assert len(changes.timers_cleared) == 2
    assert len(changes.waits_cleared) == 1
    assert len(changes.failures_cleared) == 1
    assert not played.timers
    assert not played.waits
    assert not played.failures
    played.complete("before")
    assert (len(played.timers), len(played.waits), len(played.failures)) == (2, 1, 1)
    jump(played, "broken", "end")
    assert played.ended == "completed"
    assert not played.failures


def test_the_border_is_armed_anew_also_of_what_is_entered_from_outside() -> None:
    played = play(deep, "a", "first", "work")
    played.house.at += timedelta(hours=5)
    jump(played, "b", "work")
    ((token, node),) = played.timers.items()
    assert node == "hurry"
    assert played.due[token] == played.house.at + timedelta(hours=1)
    assert played.visited()[-3:] == ["outer", "inner", "work"]
    played.fire("hurry")
    assert played.nodes == ["work"]
    played.complete("work")
    assert played.nodes == ["b"]
    assert not played.timers


def test_a_broken_border_of_what_is_entered_can_be_mended_and_the_way_goes_on() -> None:
    def build(d: Drawing) -> None:
        d.user("a")
        with_sub(d, "box", inside)
        d.add("boundaryEvent", "hurry", timer("${span}"), attachedToRef="box", cancelActivity="false")
        d.end("hurried")
        d.chain("hurry", "hurried")
        d.chain("start", "a", "box", "end")

    played = play(build)
    jump(played, "a", "work")
    ((token, _cause),) = played.failures.items()
    assert played.nodes == []
    played.call("set_variables", {"span": "PT1H"})
    played.call("retry", token)
    assert played.nodes == ["work"]
    assert "in" not in played.visited(), "it began where it was sent to"
    finish(played)


def test_the_events_beside_are_waited_for_again_after_help_has_taken_over() -> None:
    played = play(watched(interrupting=True), "a", "?stopped")
    assert not played.waits
    jump(played, "help1", "b")
    assert list(played.waits.values()) == ["stopped"]
    played.deliver("stopped", "")
    assert played.nodes == ["help1"]


def test_the_event_beside_is_waited_for_once_only() -> None:
    played = play(watched(interrupting=False), "a", "?stopped")
    jump(played, "help1", "a")
    assert list(played.waits.values()) == ["stopped"]


def test_a_call_that_runs_can_be_left_and_its_late_answer_is_refused() -> None:
    d = Drawing()
    d.start()
    d.user("a")
    d.service("ask")
    d.end()
    d.chain("start", "a", "ask", "end")
    house = House()
    house.answer = lambda call: PENDING
    played = Play(compiled(d), {}, house=house)
    played.complete("a")
    (at,) = played.live.tokens()
    assert at.state == "service"
    played.call("jump", at.token, "a", {})
    assert played.nodes == ["a"]
    with pytest.raises(Conflict):
        played.live.resolve_service(at.token, 1)


def test_a_token_stuck_by_the_drawing_can_be_led_out() -> None:
    def build(d: Drawing) -> None:
        d.user("a")
        d.add("exclusiveGateway", "one", default="one_b")
        d.user("b")
        d.user("c")
        d.add("parallelGateway", "join")
        d.user("z")
        d.chain("start", "a", "one", "b", "join", "z", "end")
        d.flow("one", "c", "third")
        d.chain("c", "join")

    played = play(build, "a", "b", data=BOTH)
    assert list(played.failures.values()) == ["stuck"]
    jump(played, "join", "z")
    assert played.nodes == ["z"]
    finish(played)


# ---------------------------------------------------------------------------------------------------- variables


def test_what_the_branches_had_written_comes_along_and_the_newest_wins() -> None:
    def build(d: Drawing) -> None:
        parallel(d)
        d.user("b2")
        d.flow("b", "b2")
        d.flows = [one for one in d.flows if one[0] != "b_join"]
        d.flow("b2", "join")

    played = play(build, "before", data={"x": 0, "y": 0})
    played.complete("a1", x=1, a=1)
    played.complete("b", x=2, b=1)
    jump(played, "a2", "before", y=3)
    assert {name: played.data[name] for name in "xyab"} == {"x": 2, "y": 3, "a": 1, "b": 1}
    assert dict(played.changes.opened[0].data)["x"] == 2


def test_what_changed_inside_a_sub_process_comes_along_but_not_out_of_a_call() -> None:
    played = play(boxed, "a", data={"x": 1})
    played.complete("w1", x=2)
    jump(played, "w2", "a")
    assert played.data["x"] == 2
    other = calling()
    other.complete("a")
    other.complete("look", x=2, secret=1)
    jump(other, "judge", "a", y=5)
    assert other.data == {"x": 1, "y": 5}


def test_what_a_countersigner_set_comes_along_without_the_counters() -> None:
    played = play(voting(sequential=False), "a")
    played.complete("vote", opinion="good")
    jump(played, "vote", "a")
    assert played.data["opinion"] == "good"
    assert "one" not in played.data
    assert "loopCounter" not in played.data


def test_variables_that_cannot_be_kept_refuse_the_jump_before_anything_is_done() -> None:
    played = play(line, "a")
    before = played.live.dump()
    with pytest.raises(Exception, match="cannot keep"):
        played.live.jump(played.token(played.open, "b"), "a", {"x": object()})
    assert played.live.dump() == before
