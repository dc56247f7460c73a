"""Return, jump and reopen, on drawings made by hand: who goes on, who ends, what is refused and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine.errors import Conflict
from engine.workflow.contract import PENDING, Changes, Jump
from tests.engine.workflow.drawing import MESSAGES, Drawing, event, timer
from tests.engine.workflow.kit import House, Play, compiled
from tests.engine.workflow.test_events import inside, with_sub

WAITS_FOR_EVER = "The join {join} would wait for ever for another branch."


def many(*, sequential: bool = False) -> str:
    loop = f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"'
    return f'{loop} camunda:collection="people" camunda:elementVariable="one"/>'


# ---------------------------------------------------------------------------------------------------- drawings


def line(d: Drawing) -> None:
    for id in "abc":
        d.user(id)
    d.chain("start", "a", "b", "c", "end")


def parallel(d: Drawing) -> None:
    """before, (a1, a2 | b), after"""
    for id in ("before", "a1", "a2", "b", "after"):
        d.user(id)
    d.add("parallelGateway", "fork")
    d.add("parallelGateway", "join")
    d.chain("start", "before", "fork", "a1", "a2", "join", "after", "end")
    d.chain("fork", "b", "join")


def nested(d: Drawing) -> None:
    """before, ((p | q), r | b), after"""
    for id in ("before", "p", "q", "r", "b", "after"):
        d.user(id)
    for id in ("fork", "join", "fork2", "join2"):
        d.add("parallelGateway", id)
    d.chain("start", "before", "fork", "fork2", "p", "join2", "r", "join", "after", "end")
    d.chain("fork2", "q", "join2")
    d.chain("fork", "b", "join")


def looped(d: Drawing) -> None:
    """into, x, (a1, a2 | b), y, again -> into"""
    for id in ("x", "a1", "a2", "b", "y", "last"):
        d.user(id)
    d.add("exclusiveGateway", "into")
    d.add("exclusiveGateway", "again", default="out")
    d.add("parallelGateway", "fork")
    d.add("parallelGateway", "join")
    d.chain("start", "into", "x", "fork", "a1", "a2", "join", "y", "again")
    d.chain("fork", "b", "join")
    d.flow("again", "into", 'coalesce(verdict, "") == "again"')
    d.flow("again", "last", id="out")
    d.chain("last", "end")


def nested_loop(d: Drawing) -> None:
    """into, ((p | q) | b), y, again -> into"""
    for id in ("p", "q", "b", "y", "last"):
        d.user(id)
    d.add("exclusiveGateway", "into")
    d.add("exclusiveGateway", "again", default="out")
    for id in ("fork", "join", "fork2", "join2"):
        d.add("parallelGateway", id)
    d.chain("start", "into", "fork", "fork2", "p", "join2", "join", "y", "again")
    d.chain("fork2", "q", "join2")
    d.chain("fork", "b", "join")
    d.flow("again", "into", 'coalesce(verdict, "") == "again"')
    d.flow("again", "last", id="out")
    d.chain("last", "end")


def mended(d: Drawing) -> None:
    """((a, mended by mend -> a) | b), after"""
    for id in ("a", "mend", "b", "after"):
        d.user(id)
    d.add("parallelGateway", "fork")
    d.add("parallelGateway", "join")
    d.add("exclusiveGateway", "good", default="good_join")
    d.chain("start", "fork", "a", "good", "join", "after", "end")
    d.flow("good", "mend", 'coalesce(verdict, "") == "again"')
    d.chain("mend", "a")
    d.chain("fork", "b", "join")


def inclusive_loop(d: Drawing) -> None:
    """into, any of ((p | q), c, e), y, again -> into"""
    for id in ("p", "q", "c", "e", "y", "last"):
        d.user(id)
    d.add("exclusiveGateway", "into")
    d.add("exclusiveGateway", "again", default="out")
    d.add("inclusiveGateway", "fork", default="fork_fork2")
    d.add("inclusiveGateway", "join")
    d.add("parallelGateway", "fork2")
    d.add("parallelGateway", "join2")
    d.chain("start", "into", "fork")
    d.flow("fork", "fork2")
    d.chain("fork2", "p", "join2", "join", "y", "again")
    d.chain("fork2", "q", "join2")
    d.flow("fork", "c", "a")
    d.flow("fork", "e", "b")
    d.chain("c", "join")
    d.chain("e", "join")
    d.flow("again", "into", 'coalesce(verdict, "") == "again"')
    d.flow("again", "last", id="out")
    d.chain("last", "end")


def boxed(d: Drawing) -> None:
    """a, box(in, (w1, w2 | v), out) with a timer on its border, z"""
    d.user("a")
    with_sub(d, "box", _box)
    d.add("boundaryEvent", "late", timer("PT8H"), attachedToRef="box", cancelActivity="false")
    d.user("chase")
    d.end("chased")
    d.user("z")
    d.chain("start", "a", "box", "z", "end")
    d.chain("late", "chase", "chased")


def _box(d: Drawing) -> None:
    d.start("in")
    for id in ("w1", "w2", "v"):
        d.user(id)
    d.add("parallelGateway", "split")
    d.add("parallelGateway", "meet")
    d.end("out")
    d.chain("in", "split", "w1", "w2", "meet", "out")
    d.chain("split", "v", "meet")


def deep(d: Drawing) -> None:
    """a, outer(inner(work)), b: entered from outside"""
    d.user("a")
    with_sub(d, "outer", _outer)
    d.user("b")
    d.chain("start", "a", "outer", "b", "end")


def _outer(d: Drawing) -> None:
    d.start("in1")
    d.user("first")
    with_sub(d, "inner", inside)
    d.add("boundaryEvent", "hurry", timer("PT1H"), attachedToRef="inner", cancelActivity="false")
    d.end("hurried")
    d.chain("hurry", "hurried")
    d.end("out1")
    d.chain("in1", "first", "inner", "out1")


def voting(*, sequential: bool) -> Callable[[Drawing], None]:
    def build(d: Drawing) -> None:
        d.user("a")
        d.user("vote", many(sequential=sequential))
        d.user("z")
        d.chain("start", "a", "vote", "z", "end")

    return build


def rooms(d: Drawing) -> None:
    """a, a sub-process for each person, z"""
    d.user("a")
    with_sub(d, "room", _room)
    d.user("z")
    d.chain("start", "a", "room", "z", "end")


def _room(d: Drawing) -> None:
    d.parts.append(f"<!--@loop@-->{many()}")
    d.start("in")
    d.user("ask")
    d.user("tell")
    d.end("out")
    d.chain("in", "ask", "tell", "out")


def bordered(*, interrupting: bool) -> Callable[[Drawing], None]:
    """before, approve with a timer: remind1, remind2, which end by themselves or go on to after"""

    def build(d: Drawing) -> None:
        for id in ("before", "approve", "after", "remind1", "remind2"):
            d.user(id)
        d.add("boundaryEvent", "late", timer("PT2H"), attachedToRef="approve", cancelActivity=str(interrupting).lower())
        d.chain("start", "before", "approve", "after", "end")
        d.chain("late", "remind1", "remind2")
        if interrupting:
            d.flow("remind2", "after")
        else:
            d.end("reminded")
            d.flow("remind2", "reminded")

    return build


def race(d: Drawing) -> None:
    """a, (paid: thank | late: chase) whichever comes first, z"""
    for id in ("a", "thank", "chase", "z"):
        d.user(id)
    d.add("eventBasedGateway", "which")
    d.add("intermediateCatchEvent", "paid", event("message", "m"))
    d.add("intermediateCatchEvent", "late", timer("P2D"))
    d.chain("start", "a", "which", "paid", "thank", "z", "end")
    d.chain("which", "late", "chase", "z")


def watched(*, interrupting: bool) -> Callable[[Drawing], None]:
    """a, b, with an event sub-process beside: help1, help2"""

    def build(d: Drawing) -> None:
        d.user("a")
        d.user("b")
        d.chain("start", "a", "b", "end")
        with_sub(d, "watch", lambda inner: _watch(inner, interrupting=interrupting), triggeredByEvent="true")

    return build


def _watch(d: Drawing, *, interrupting: bool) -> None:
    d.add("startEvent", "stopped", event("signal", "s"), isInterrupting=str(interrupting).lower())
    d.user("help1")
    d.user("help2")
    d.end("helped")
    d.chain("stopped", "help1", "help2", "helped")


def inclusive(d: Drawing) -> None:
    """before, any of (a1, a2 | b | c), after; the branch a is itself a choice between a2 and a3"""
    for id in ("before", "a1", "a2", "a3", "b", "c", "after"):
        d.user(id)
    d.add("inclusiveGateway", "fork", default="fork_c")
    d.add("inclusiveGateway", "join")
    d.add("exclusiveGateway", "pick", default="pick_a2")
    d.add("exclusiveGateway", "picked")
    d.chain("start", "before", "fork")
    d.flow("fork", "a1", "a")
    d.flow("fork", "b", "b")
    d.flow("fork", "c")
    d.chain("a1", "pick", "a2", "picked", "join", "after", "end")
    d.flow("pick", "a3", "third")
    d.chain("a3", "picked")
    d.chain("b", "join")
    d.chain("c", "join")


def ended_apart(d: Drawing) -> None:
    """fork: (a to its own end | b to its own end)"""
    d.add("parallelGateway", "fork")
    d.user("a1")
    d.user("a2")
    d.user("b")
    d.end("end_b")
    d.chain("start", "fork", "a1", "a2", "end")
    d.chain("fork", "b", "end_b")


def play(
    build: Callable[[Drawing], None], *steps: str, data: dict[str, Any] | None = None, reload: bool = True
) -> Play:
    """Played up to here: "node" completes it, "!node" fires its timer, "?node" delivers what it waits for."""
    d = Drawing("drawn")
    d.start()
    d.end()
    build(d)
    played = Play(compiled(d, head=MESSAGES), {"people": ["x", "y", "z"], **(data or {})}, reload=reload)
    for step in steps:
        if step[0] == "!":
            played.fire(step[1:])
        elif step[0] == "?":
            played.deliver(step[1:], "")
        else:
            played.complete(step)
    return played


def standing(played: Play, node: str) -> int:
    return min(at.token for at in played.live.tokens() if at.node == node and at.state != "running")


def jump(played: Play, node: str, target: str, **variables: Any) -> Changes:
    """Foresee it, do it, and see that what was foreseen came true and only that."""
    token = standing(played, node)
    before = played.live.dump()
    foreseen: Jump = played.live.foresee_jump(token, target)
    assert played.live.dump() == before, "looking ahead changes nothing"
    assert foreseen.refusal is None, str(foreseen.refusal)
    ending = {token, *(at.token for at in foreseen.dying)}
    was_open = ending & played.open.keys()
    assert played.live.jump(token, target, variables) == foreseen
    assert not ending & {at.token for at in played.live.tokens()}
    changes = played._after()
    assert set(changes.cancelled) == was_open
    assert not changes.closed
    return changes


def refused(played: Play, node: str, target: str) -> str:
    token = standing(played, node)
    foreseen = played.live.foresee_jump(token, target)
    assert foreseen.refusal is not None
    before = played.live.dump()
    with pytest.raises(Conflict) as caught:
        played.live.jump(token, target, {})
    assert caught.value.message == foreseen.refusal
    assert played.live.dump() == before
    return str(foreseen.refusal)


def finish(played: Play, *, rounds: int = 40) -> None:
    while (played.open or played.waits) and rounds and not played.ended:
        if played.open:
            played.complete(played.nodes[0], third=False, verdict="")
        else:
            played.deliver(next(iter(played.waits.values())), "")
        rounds -= 1
    assert not played.failures
    assert played.ended == "completed"


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


def called() -> Drawing:
    child = Drawing("child")
    child.start("begun")
    child.user("look")
    child.user("judge")
    child.end("ended")
    child.chain("begun", "look", "judge", "ended")
    return child


def calling() -> Play:
    d = Drawing()
    d.start()
    d.user("a")
    d.add("callActivity", "call", calledElement="child")
    d.user("z")
    d.end()
    d.chain("start", "a", "call", "z", "end")
    return Play(compiled(d, called()), {"x": 1})


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
    began = time.perf_counter()
    for n in range(100):
        assert (played.live.foresee_jump(token, f"a{n}").refusal is None) == (n == 0)
    assert time.perf_counter() - began < 0.5
