"""Drawings to jump about in, made by hand, and how a test plays one up to a place and jumps there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import Conflict
from engine.workflow.contract import Changes, Jump
from tests.engine.workflow.drawing import MESSAGES, Drawing, event, timer
from tests.engine.workflow.kit import Play, compiled
from tests.engine.workflow.test_events import inside, with_sub


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
