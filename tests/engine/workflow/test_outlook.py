"""Whether tokens can all come to an end, against small drawings whose answer is plain to see."""

from __future__ import annotations

import pytest

from engine.workflow import dialect, outlook
from engine.workflow.diagram import Scope
from tests.engine.workflow.drawing import MESSAGES, Drawing, event


def scope(d: Drawing) -> Scope:
    diagram = dialect.read({"p.bpmn": d.xml(head=MESSAGES)})
    return diagram.scopes[diagram.main]


def split_and_joined(split: str, join: str) -> Scope:
    d = Drawing()
    d.start()
    d.add(split, "split")
    d.add(join, "join")
    for task in ("a", "b"):
        d.user(task)
        d.flow("split", task, "x" if split == "inclusiveGateway" else "")
        d.flow(task, "join")
    d.end()
    d.chain("start", "split")
    d.chain("join", "end")
    return scope(d)


@pytest.mark.parametrize(
    ("split", "join", "ends"),
    [
        ("parallelGateway", "parallelGateway", True),
        ("exclusiveGateway", "exclusiveGateway", True),
        ("inclusiveGateway", "inclusiveGateway", True),
        ("exclusiveGateway", "inclusiveGateway", True),
        ("exclusiveGateway", "parallelGateway", False),
        ("parallelGateway", "exclusiveGateway", True),
    ],
)
def test_a_split_and_its_join(split: str, join: str, *, ends: bool) -> None:
    assert outlook.can_end(split_and_joined(split, join), [("start", "")]) is ends


def test_a_join_whose_other_side_is_empty_waits_for_ever_unless_somebody_waits_there() -> None:
    drawn = split_and_joined("parallelGateway", "parallelGateway")
    assert outlook.can_end(drawn, [("a", "")]) is False
    assert outlook.can_end(drawn, [("a", ""), ("join", "b_join")]) is True
    assert outlook.can_end(drawn, [("join", "a_join")]) is False


def test_an_interrupting_border_and_an_end_of_everything_are_ways_out() -> None:
    d = Drawing()
    d.start()
    d.user("a")
    d.add("parallelGateway", "join")
    d.add("boundaryEvent", "refused", event("error", "rejected"), attachedToRef="a")
    d.end("stop", "<terminateEventDefinition/>")
    d.end()
    d.chain("start", "a", "join", "end")
    d.flow("start", "join")
    d.chain("refused", "stop")
    drawn = scope(d)
    assert outlook.can_end(drawn, [("a", "")]) is True
    assert outlook.can_end(drawn, [("join", "start_join")]) is False


def test_wide_and_long_drawings_are_answered_at_once() -> None:
    d = Drawing()
    d.start()
    last = "start"
    for stage in range(30):
        d.add("parallelGateway", f"fork{stage}")
        d.add("parallelGateway", f"join{stage}")
        d.flow(last, f"fork{stage}")
        for branch in range(10):
            d.user(f"t{stage}_{branch}")
            d.chain(f"fork{stage}", f"t{stage}_{branch}", f"join{stage}")
        last = f"join{stage}"
    d.end()
    d.flow(last, "end")
    drawn = scope(d)
    assert outlook.can_end(drawn, [("start", "")]) is True
    assert outlook.can_end(drawn, [(f"t0_{branch}", "") for branch in range(9)]) is False
