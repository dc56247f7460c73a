"""Return and jump: who goes on, who ends, what is refused and why."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from engine.errors import Conflict
from tests.engine.workflow.drawing import Drawing
from tests.engine.workflow.jumping import (
    bordered,
    boxed,
    calling,
    deep,
    ended_apart,
    finish,
    inclusive,
    inclusive_loop,
    jump,
    line,
    looped,
    mended,
    nested,
    nested_loop,
    parallel,
    play,
    race,
    refused,
    rooms,
    voting,
    watched,
)
from tests.engine.workflow.kit import Play, compiled

WAITS_FOR_EVER = "The join {join} would wait for ever for another branch."


BORDERED, INTERRUPTED = bordered(interrupting=False), bordered(interrupting=True)
BOTH = {"a": True, "b": True, "third": False}

TABLE: list[tuple[str, Callable[[Drawing], None], str, str, str, str]] = [
    # what it shows, drawing, steps before, who moves, where to, who is open then
    ("back one", line, "a", "b", "a", "a"),
    ("back two", line, "a b", "c", "a", "a"),
    ("forward", line, "", "a", "c", "c"),
    ("again from its beginning", line, "a", "b", "b", "b"),
    ("to the end", line, "a", "b", "end", ""),
    ("to the starter", line, "a b", "c", "start", "start"),
    ("before the fork: all branches end", parallel, "before a1", "a2", "before", "before"),
    ("before the fork, a sibling already at the join", parallel, "before b a1", "a2", "before", "before"),
    ("within a branch: the sibling goes on", parallel, "before a1", "a2", "a1", "a1 b"),
    ("within a branch: the sibling waits on at the join", parallel, "before b a1", "a2", "a1", "a1"),
    ("past the join: the sibling is retired", parallel, "before a1", "a2", "after", "after"),
    ("past the join: a sibling at the join is retired", parallel, "before b", "a1", "after", "after"),
    ("from behind the join to before the fork", parallel, "before a1 a2 b", "after", "before", "before"),
    ("to the end from one branch", parallel, "before", "b", "end", ""),
    ("nested: before all", nested, "before p", "q", "before", "before"),
    ("nested: out of the inner fork, the outer sibling goes on", nested, "before p", "q", "r", "b r"),
    ("nested: within the inner branch", nested, "before p", "q", "q", "b q"),
    ("nested: past everything", nested, "before p", "q", "after", "after"),
    ("nested: from the outer sibling past everything", nested, "before p", "b", "after", "after"),
    ("loop: before the fork", looped, "x a1", "a2", "x", "x"),
    ("loop: back within a branch in the second round", looped, "x a1 a2 b y:again x a1", "a2", "a1", "a1 b"),
    ("loop: behind the join", looped, "x a1", "b", "y", "y"),
    ("loop: from behind the join to before the fork", looped, "x a1 a2 b", "y", "x", "x"),
    ("loop: out of it", looped, "x", "a1", "last", "last"),
    ("mending on a way back: the sibling goes on", mended, "a:again", "mend", "a", "a b"),
    ("mending on a way back goes on beside the sibling", mended, "a:again", "b", "b", "b mend"),
    ("mending on a way back is retired past the join", mended, "a:again", "b", "after", "after"),
    ("into the mending", mended, "b", "a", "mend", "mend"),
    ("inclusive loop: past the join", inclusive_loop, "c", "e", "y", "y"),
    ("sub-process: out of it", boxed, "a w1", "w2", "a", "a"),
    ("sub-process: forward out of it", boxed, "a", "v", "z", "z"),
    ("sub-process: inside it", boxed, "a w1", "w2", "w1", "v w1"),
    ("sub-process: from its beginning", boxed, "a w1 v", "w2", "box", "v w1"),
    ("sub-process: into it as a whole", boxed, "a w1 w2 v", "z", "box", "v w1"),
    ("sub-process: to its end", boxed, "a", "w1", "out", "z"),
    ("sub-process: out of it with its reminder open", boxed, "a !late", "v", "z", "chase z"),
    ("sub-process: to before it ends the reminder too", boxed, "a !late", "v", "a", "a"),
    ("sub-process: the reminder to before it", boxed, "a !late", "chase", "a", "a"),
    ("two deep from outside", deep, "a first work", "b", "work", "work"),
    ("two deep from before", deep, "", "a", "work", "work"),
    ("from the middle to the deep", deep, "a", "first", "work", "work"),
    ("from the deep to the middle", deep, "a first", "work", "first", "first"),
    ("from the deep to the starter", deep, "a first", "work", "start", "start"),
    ("many at once: all of them move", voting(sequential=False), "a vote", "vote", "a", "a"),
    ("many at once: from their beginning", voting(sequential=False), "a vote", "vote", "vote", "vote vote vote"),
    ("many in turn: all of them move", voting(sequential=True), "a vote", "vote", "a", "a"),
    ("many in turn: from their beginning", voting(sequential=True), "a vote", "vote", "vote", "vote"),
    ("many: back to them from behind", voting(sequential=False), "a vote vote vote", "z", "vote", "vote vote vote"),
    ("rooms: within one of them", rooms, "a ask", "tell", "ask", "ask ask ask"),
    ("rooms: out of one moves all", rooms, "a ask", "tell", "a", "a"),
    ("rooms: all of them again", rooms, "a ask ask ask tell tell tell", "z", "room", "ask ask ask"),
    ("timer beside: forward leaves the reminder", BORDERED, "before !late", "approve", "after", "after remind1"),
    ("timer beside: back before it ends the reminder", BORDERED, "before !late", "approve", "before", "before"),
    ("timer beside: the task again ends the reminder", BORDERED, "before !late", "approve", "approve", "approve"),
    (
        "timer beside: the reminder returns in its own path",
        BORDERED,
        "before !late remind1",
        "remind2",
        "remind1",
        "approve remind1",
    ),
    ("timer beside: the reminder takes all back", BORDERED, "before !late approve", "remind1", "before", "before"),
    ("timer instead: back to the task", INTERRUPTED, "before !late", "remind1", "approve", "approve"),
    ("timer instead: into its path", INTERRUPTED, "before", "approve", "remind2", "remind2"),
    ("race: all of it moves", race, "a", "paid", "a", "a"),
    ("race: forward past it", race, "a", "late", "z", "z"),
    ("race: into one of its ways", race, "a", "paid", "chase", "chase"),
    ("race: back before it", race, "a ?paid", "thank", "a", "a"),
    ("beside: main goes back, help goes on", watched(interrupting=False), "a ?stopped", "b", "a", "a help1"),
    ("beside: help goes back in itself", watched(interrupting=False), "a ?stopped help1", "help2", "help1", "b help1"),
    ("instead: from help back into the flow", watched(interrupting=True), "a ?stopped", "help1", "b", "b"),
    ("inclusive: before the fork", inclusive, "before a1", "a2", "before", "before"),
    ("inclusive: within a branch", inclusive, "before a1", "a2", "a1", "a1 b"),
    ("inclusive: the join waits on", inclusive, "before b a1", "a2", "a1", "a1"),
    ("inclusive: past the join", inclusive, "before a1", "b", "after", "after"),
    ("inclusive: from one branch into a free one", inclusive, "before a1", "a2", "c", "b c"),
    ("inclusive: from behind into one branch", inclusive, "before a1 a2 b", "after", "b", "b"),
    ("inclusive: never two on ways that exclude each other", inclusive, "before a1", "b", "a3", "a3"),
    ("branches that never meet again", ended_apart, "a1", "a2", "a1", "a1 b"),
    ("one of them to its end", ended_apart, "a1", "b", "end_b", "a2"),
]


@pytest.mark.parametrize(
    ("build", "steps", "who", "target", "then"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
@pytest.mark.parametrize("reload", [True, False], ids=["loaded", "kept"])
def test_who_is_open_then(
    build: Callable[[Drawing], None], steps: str, who: str, target: str, then: str, *, reload: bool
) -> None:
    played = play(build, data=BOTH, reload=reload)
    for step in steps.split():
        node, _colon, verdict = step.partition(":")
        if node[0] == "!":
            played.fire(node[1:])
        elif node[0] == "?":
            played.deliver(node[1:], "")
        else:
            played.complete(node, **({"verdict": verdict} if verdict else {}))
    jump(played, who, target, verdict="")
    assert played.nodes == then.split()
    assert not played.failures
    finish(played)


REFUSED: list[tuple[str, Callable[[Drawing], None], str, str, str, str]] = [
    ("from behind the join into one branch", parallel, "before a1 a2 b", "after", "a1", "join"),
    ("from before the fork into one branch", parallel, "", "before", "b", "join"),
    ("from one branch into the other", parallel, "before a1", "a2", "b", "join"),
    ("into an inner branch alone", nested, "before p q", "r", "p", "join2"),
    ("out of the outer branch into the inner fork", nested, "before", "b", "p", "join"),
    ("in a loop the next round is no help", looped, "x a1 a2 b", "y", "a1", "join"),
    ("in a loop a join is no help that waits for this one", nested_loop, "", "p", "b", "join2"),
    ("nor is an inclusive one", inclusive_loop, "", "c", "p", "join2"),
    ("into one branch inside a sub-process", boxed, "", "a", "w1", "meet"),
    ("from one branch inside a sub-process into the other", boxed, "a w1", "w2", "v", "meet"),
]


@pytest.mark.parametrize(
    ("build", "steps", "who", "target", "join"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_would_starve_a_join_is_refused(
    build: Callable[[Drawing], None], steps: str, who: str, target: str, join: str
) -> None:
    played = play(build, *steps.split(), data=BOTH)
    assert refused(played, who, target) == WAITS_FOR_EVER.format(join=join)
    finish(played)


@pytest.mark.parametrize(
    ("steps", "who", "target", "then"),
    [
        ("a look", "judge", "look", "look"),
        ("a look", "judge", "a", "a"),
        ("a look", "judge", "start", "start"),
        ("a look", "judge", "call", "look"),
        ("a look judge", "z", "call", "look"),
        ("a", "look", "ended", "z"),
    ],
)
def test_a_called_process_is_left_and_begun_as_a_whole(steps: str, who: str, target: str, then: str) -> None:
    played = calling()
    for step in steps.split():
        played.complete(step)
    jump(played, who, target)
    assert played.nodes == [then]
    finish(played)


@pytest.mark.parametrize(
    ("who", "steps", "target", "words"),
    [
        ("z", "a look judge", "look", "called process that does not run here"),
        ("look", "a", "begun", "begins only a part"),
        ("z", "a look judge", "nowhere", "no element nowhere"),
    ],
)
def test_what_lies_nowhere_near_is_refused(who: str, steps: str, target: str, words: str) -> None:
    played = calling()
    for step in steps.split():
        played.complete(step)
    assert words in refused(played, who, target)
    finish(played)


@pytest.mark.parametrize(
    ("build", "steps", "who", "target", "words"),
    [
        (parallel, "before", "b", "fork", "neither a task nor an end"),
        (race, "a", "paid", "late", "neither a task nor an end"),
        (BORDERED, "before", "approve", "late", "neither a task nor an end"),
        (rooms, "a ask ask ask tell tell tell", "z", "ask", "runs many times at once"),
        (watched(interrupting=False), "a", "b", "watch", "begun by its event only"),
        (watched(interrupting=False), "a", "b", "help1", "begun by its event only"),
        (watched(interrupting=False), "a", "b", "stopped", "begins only a part"),
        (boxed, "a", "w1", "in", "begins only a part"),
    ],
)
def test_where_nobody_can_be_sent(
    build: Callable[[Drawing], None], steps: str, who: str, target: str, words: str
) -> None:
    played = play(build, *steps.split())
    assert words in refused(played, who, target)


def test_only_what_waits_for_somebody_can_be_moved() -> None:
    played = play(boxed, "a", "w1", "w2")
    at_join = next(at.token for at in played.live.tokens() if at.node == "meet")
    owner = next(at.token for at in played.live.tokens() if at.node == "box")
    (listener,) = played.timers
    for token in (at_join, owner, listener):
        assert "can be left this way" in str(played.live.foresee_jump(token, "a").refusal)
    assert "already over" in str(played.live.foresee_jump(999, "a").refusal)
    with pytest.raises(Conflict):
        played.live.jump(999, "a", {})


# ---------------------------------------------------------------------------------------------------- cost


def test_looking_ahead_is_cheap_on_a_large_drawing() -> None:
    d = Drawing()
    before = d.start()
    for n in range(150):
        fork, join = d.add("parallelGateway", f"fork{n}"), d.add("parallelGateway", f"join{n}")
        d.user(f"a{n}")
        d.user(f"b{n}")
        d.chain(before, fork, f"a{n}", join)
        d.chain(fork, f"b{n}", join)
        before = join
    d.end()
    d.chain(before, "end")
    played = Play(compiled(d))
    token = played.token(played.open, "a0")
    played.live.foresee_jump(token, "start")
    began = time.thread_time()
    for n in range(100):
        assert (played.live.foresee_jump(token, f"a{n}").refusal is None) == (n == 0)
    assert time.thread_time() - began < 0.5
