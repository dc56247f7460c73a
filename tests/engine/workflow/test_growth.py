"""What must not grow: the start of many parallel stages, a step after many rounds, the snapshot."""

from __future__ import annotations

from statistics import median

from engine import workflow
from tests.counting import calls_of
from tests.engine.workflow import flows
from tests.engine.workflow.drawing import Drawing
from tests.engine.workflow.kit import KNOWN, House, Play, compiled

ROUNDS = 2_000


def stages(count: int) -> Drawing:
    d = Drawing()
    before = d.start()
    for n in range(count):
        fork, join = d.add("parallelGateway", f"fork{n}"), d.add("parallelGateway", f"join{n}")
        d.user(f"a{n}")
        d.user(f"b{n}")
        d.chain(before, fork, f"a{n}", join)
        d.chain(fork, f"b{n}", join)
        before = join
    d.end()
    d.chain(before, "end")
    return d


def test_fourteen_parallel_stages_start_at_once_and_run_through() -> None:
    """A diagram that was explored instead of walked would double with each stage."""
    seven, process = compiled(stages(7)), compiled(stages(14))
    assert calls_of(lambda: Play(process)) < 2.5 * calls_of(lambda: Play(seven))
    play = Play(process)
    assert len(play.live.dump()) < 1_000
    while play.open:
        play.complete(play.nodes[0])
    assert play.ended == "completed"
    assert play.visited().count("join13") == 1


def test_eight_hundred_elements_in_a_row() -> None:
    d = Drawing()
    ids = [d.start(), *(d.script(f"s{n}", "n = n + 1") for n in range(800)), d.end()]
    d.chain(*ids)
    play = Play(compiled(d), {"n": 0})
    assert play.ended == "completed"
    assert play.data["n"] == 800


def test_a_step_costs_the_same_after_two_thousand_rounds() -> None:
    process = workflow.compile_definition({"a.bpmn": flows.flow("A")}, known=KNOWN)
    house = House()
    live = workflow.start(process, flows.payload(), house)
    changes, raw = live.drain(), b""
    (task,) = changes.opened
    token, costs, sizes = task.token, [], []
    for step in range(3 * ROUNDS):

        def round_trip(step: int = step, token: int = token, node: str = task.node) -> None:
            nonlocal live, changes, raw
            live.complete(token, flows.answer(node, step, "reject"))
            changes = live.drain()
            raw = live.dump()
            live = workflow.load(process, raw, house)

        costs.append(calls_of(round_trip))
        sizes.append(len(raw))
        (task,) = changes.opened
        token = task.token
    assert median(costs[-300:]) <= median(costs[30:330])  # collecting garbage calls something too
    assert max(sizes[-300:]) <= max(sizes[30:330]) + 8


def test_a_thousand_countersigners() -> None:
    d = Drawing()
    d.start()
    d.user("sign", '<multiInstanceLoopCharacteristics camunda:collection="people" camunda:elementVariable="one"/>')
    d.end()
    d.chain("start", "sign", "end")
    play = Play(compiled(d), {"people": list(range(1_000))}, reload=False)
    costs = [calls_of(lambda: play.complete("sign")) for _round in range(1_000)]
    assert play.ended == "completed"
    assert median(costs[800:-1]) <= median(costs[:200]), "whoever signs last waits as long as the first"
