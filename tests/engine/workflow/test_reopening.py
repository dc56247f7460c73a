"""The way back to the starter, and what wakes when an ended instance is reopened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.errors import Conflict
from tests.engine.workflow.drawing import Drawing
from tests.engine.workflow.jumping import (
    boxed,
    deep,
    ended_apart,
    finish,
    jump,
    line,
    parallel,
    play,
    rooms,
    watched,
)

# ---------------------------------------------------------------------------------------------------- the starter


def test_the_start_opens_for_the_starter_and_leaves_by_its_flows() -> None:
    played = play(parallel, "before", "a1", data={"amount": 1})
    changes = jump(played, "a2", "start", reason="too much")
    (task,) = changes.opened
    assert (task.node, task.due_at, dict(task.data)["reason"]) == ("start", None, "too much")
    (at,) = played.live.tokens()
    assert (at.node, at.state) == ("start", "open")
    assert played.process.nodes["start"].kind == "startEvent"
    changes = played.complete("start", amount=2)
    assert changes.closed == [task.token]
    assert played.nodes == ["before"]
    assert played.visited("left").count("start") == 2
    assert played.data["amount"] == 2
    finish(played)


def test_from_an_open_start_straight_back() -> None:
    """The returner may be asked again at once: "straight_back"."""
    played = play(line, "a", "b")
    jump(played, "c", "start")
    jump(played, "start", "c", amount=3)
    assert played.nodes == ["c"]
    assert played.data["amount"] == 3
    finish(played)


def test_an_open_start_can_be_rejected_and_cancelled() -> None:
    played = play(line, "a")
    jump(played, "b", "start")
    played.throw("start", "rejected")
    assert played.ended == "rejected"
    played = play(line, "a")
    jump(played, "b", "start")
    changes = played.call("cancel_all")
    assert len(changes.cancelled) == 1
    assert played.ended == "cancelled"


# ---------------------------------------------------------------------------------------------------- reopen


@pytest.mark.parametrize("end", ["completed", "rejected", "cancelled", "failed"])
@pytest.mark.parametrize(("target", "then"), [("c", ["c"]), ("a", ["a"]), ("start", ["start"])])
def test_an_ended_instance_wakes_at_the_target(end: str, target: str, then: list[str]) -> None:
    played = play(line, "a", data={"x": 1})
    if end == "completed":
        played.complete("b")
        played.complete("c", x=2)
    elif end == "cancelled":
        played.call("cancel_all")
    else:
        played.throw("b", "rejected" if end == "rejected" else "odd", x=2)
    assert played.ended == end
    changes = played.call("reopen", target, {"y": 3})
    assert (changes.ended, changes.error_code) == (None, "")
    assert played.nodes == then
    assert changes.path == [(target, "entered")]
    assert played.data["y"] == 3
    assert played.data["x"] == (1 if end == "cancelled" else 2)
    finish(played)


def test_what_is_given_at_the_reopening_wins_over_what_ended_paths_left() -> None:
    played = play(ended_apart, "a1", "a2", data={"x": 1})
    played.complete("b", x=2)
    assert played.ended == "completed"
    played.call("reopen", "start", {"x": 3})
    played.complete("start")
    played.complete("b", w=1)
    finish(played)
    assert played.data["x"] == 3


def test_a_reopened_instance_listens_again_and_enters_sub_processes() -> None:
    played = play(watched(interrupting=False), "a", "b")
    assert played.ended == "completed"
    played.call("reopen", "b", {})
    assert list(played.waits.values()) == ["stopped"]
    inner = play(deep, "a", "first", "work", "b")
    inner.call("reopen", "work", {})
    assert inner.nodes == ["work"]
    assert list(inner.timers.values()) == ["hurry"]
    finish(inner)


@pytest.mark.parametrize(
    ("build", "steps", "target", "words"),
    [
        (parallel, "before a1 a2 b after", "b", "would wait for ever"),
        (parallel, "before a1 a2 b after", "fork", "neither a task"),
        (boxed, "a w1 w2 v z", "v", "would wait for ever"),
        (rooms, "a ask ask ask tell tell tell z", "ask", "many times at once"),
        (line, "a", "a", "has not ended"),
        (line, "a b c", "nowhere", "no element"),
    ],
)
def test_a_reopening_that_leads_nowhere_is_refused(
    build: Callable[[Drawing], None], steps: str, target: str, words: str
) -> None:
    played = play(build, *steps.split())
    before = played.live.dump()
    with pytest.raises(Conflict, match=words):
        played.live.reopen(target, {})
    assert played.live.dump() == before
