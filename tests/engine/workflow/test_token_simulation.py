"""Foreign diagrams with traces of where each token goes: what we run, we run like the simulator; the rest we refuse.

The simulator's user clicks events by hand, so its diagrams leave out names, times and conditions; `completed` fills in
what it leaves out and changes nothing else.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from engine import workflow
from engine.errors import Conflict, DeploymentRefused
from tests import foreign
from tests.engine.workflow.kit import House

FOLDER = foreign.diagrams("token-simulation")
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
KNOWN = workflow.Known(topics={}, candidate_problem=lambda text: None)

TRACES = sorted(
    trace for trace in FOLDER.glob("*.json") if "message-flow" not in trace.name and "collaboration" not in trace.name
)
"""Without those of several pools: one instance is one process here."""

OTHERWISE = {
    # trace -> why our tokens go another way
    "error-no-catch": "an error nobody catches ends our instance; the simulator goes on behind the sub-process",
    "signal-consume": "a signal reaches everyone waiting; in the simulator the inner handler keeps it from the border",
    "signal-rethrow": "a signal reaches everyone waiting; in the simulator the inner handler keeps it from the border",
    "signal-trigger-start-event": "starting other instances by a signal is the runtime's part",
}


def diagram_of(trace: Path) -> Path:
    """Several traces may belong to one diagram: parallel-gateway-join-2, …-collaboration-message-trigger."""
    stem = trace.stem
    while not (found := trace.with_name(f"{stem}.bpmn")).exists():
        stem = stem.rpartition("-")[0]
    return found


class Trace:
    """What the simulator recorded, asked in our words."""

    def __init__(self, path: Path) -> None:
        self.steps = [(what, id) for what, id, *_scope in (line.split(":") for line in json.loads(path.read_text()))]
        self.whole = self.steps[0][0] == "createScope"

    def ids(self, *kinds: str) -> set[str]:
        return {id for what, id in self.steps if what in kinds}

    def turns(self, flow: str) -> list[int]:
        """After how many triggers (the start's not counted) this flow was taken."""
        turns, triggers = [], -2  # the process, its start
        for what, id in self.steps:
            triggers += what == "signal"
            if (what, id) == ("enter", flow):
                turns.append(max(triggers, 0))
        return turns


def completed(text: str, trace: Trace) -> str:
    """The diagram made executable: names for messages and signals, times for timers, user tasks for the tasks the
    simulator pauses in, and on the flows out of gateways the choice the simulator's user made.
    """
    root = etree.fromstring(text.encode())
    names: dict[str, str] = {}
    hosts = {one.get("attachedToRef") for one in root.iter(f"{BPMN}boundaryEvent")}
    paused = trace.ids("signal") | (trace.ids("enter") - trace.ids("exit"))
    for process in root.iter(f"{BPMN}process"):
        process.set("isExecutable", "true")
    for node in list(root.iter()):
        tag = etree.QName(node).localname if isinstance(node.tag, str) else ""
        kind = tag.removesuffix("EventDefinition")
        if tag == "timerEventDefinition" and not len(node):
            etree.SubElement(node, f"{BPMN}timeCycle").text = "R/PT1H"  # clicked as often as one likes
        elif tag == "conditionalEventDefinition":
            node.tag = f"{BPMN}messageEventDefinition"
            node.set("messageRef", _definition(root, names, "message", node.getparent().get("id")))
            for child in list(node):
                node.remove(child)
        elif kind in {"message", "signal", "error", "escalation"} and tag != kind:
            _refer(root, names, kind, node)
        elif tag == "receiveTask" and not node.get("messageRef"):
            node.set("messageRef", _definition(root, names, "message", node.get("id")))
        elif tag in {"boundaryEvent", "intermediateCatchEvent"} and not any("Definition" in str(c.tag) for c in node):
            inner = etree.SubElement(node, f"{BPMN}messageEventDefinition")
            inner.set("messageRef", _definition(root, names, "message", node.get("id")))
        elif tag in {"exclusiveGateway", "inclusiveGateway"}:
            _choose(root, node, trace)
        elif tag == "task" and (node.get("id") in hosts or node.get("id") in paused):
            node.tag = f"{BPMN}userTask"
    return etree.tostring(root, encoding="unicode")


def _refer(root: Any, names: dict[str, str], kind: str, node: Any) -> None:
    catching = etree.QName(node.getparent()).localname in {"startEvent", "boundaryEvent", "intermediateCatchEvent"}
    known = {one.get("id"): one for one in root.iter(f"{BPMN}{kind}")}
    ref = node.get(f"{kind}Ref")
    if ref in known:
        code = {"error": "errorCode", "escalation": "escalationCode"}.get(kind, "name")
        known[ref].set(code, known[ref].get(code) or known[ref].get("name") or ref)
    elif kind in {"message", "signal"}:
        about = node.getparent().get("id") if kind == "message" else "anonymous"
        node.set(f"{kind}Ref", _definition(root, names, kind, about))
    elif not catching:
        node.set(f"{kind}Ref", _definition(root, names, kind, "anonymous"))


def _definition(root: Any, names: dict[str, str], kind: str, about: str) -> str:
    id = f"made_{kind}_{about}"
    if id not in names:
        names[id] = kind
        made = etree.Element(f"{BPMN}{kind}", id=id, name=id, errorCode=id, escalationCode=id)
        root.insert(0, made)
    return id


def _choose(root: Any, gateway: Any, trace: Trace) -> None:
    flows = [flow for flow in root.iter(f"{BPMN}sequenceFlow") if flow.get("sourceRef") == gateway.get("id")]
    for flow in flows if len(flows) > 1 else ():
        for condition in flow.findall(f"{BPMN}conditionExpression"):
            flow.remove(condition)
        if flow.get("id") != gateway.get("default"):
            chosen = trace.turns(flow.get("id"))
            etree.SubElement(flow, f"{BPMN}conditionExpression").text = f"coalesce(turn, 0) in {chosen}"


def play(process: Any, triggers: list[str]) -> list[tuple[str, str]]:
    """Trigger what the simulator's user triggered, in order."""
    house = House()
    starts = {one.node for one in process.starts}
    begun = triggers[0] if triggers and triggers[0] in starts else None
    live = workflow.start(process, {}, house, node=begun)
    path: list[tuple[str, str]] = []
    waiting: dict[str, int] = {}
    opened: dict[str, int] = {}
    for turn, trigger in enumerate([None, *(triggers[1:] if begun else triggers)]):
        if trigger in starts and turn:
            path += standing(live)
            live = workflow.start(process, {}, house, node=trigger)
        with suppress(Conflict):  # a start event of a sub-process begins by itself
            if trigger in waiting:
                live.deliver(waiting[trigger], "", {"turn": turn})
            elif trigger in opened:
                live.complete(opened[trigger], {"turn": turn})
        changes = live.drain()
        path += changes.path
        waiting |= {one.node: one.token for one in (*changes.timers_set, *changes.waits_set)}
        opened |= {one.node: one.token for one in changes.opened}
        live = workflow.load(process, live.dump(), house)
    return path + standing(live)


def standing(live: Any) -> list[tuple[str, str]]:
    """The simulator counts a token that waits at a join as entered."""
    return [(one.node, "entered") for one in live.tokens()]


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem.removeprefix("Simulator."))
def test_tokens_go_where_the_simulator_sends_them(trace: Path) -> None:
    recorded = Trace(trace)
    text = completed(diagram_of(trace).read_text(), recorded)
    try:
        process = workflow.compile_definition({"m.bpmn": text}, known=KNOWN)
    except DeploymentRefused as refused:
        for problem in refused.problems:
            assert problem.where
            assert problem.rule
            assert str(problem.message)
        return
    name = trace.stem.removeprefix("Simulator.")
    triggers = [id for what, id in recorded.steps if what == "signal" and id in process.nodes]
    path = play(process, triggers)
    seen = comparable(text)
    expected = recorded.ids("enter", "signal") & seen
    got = {id for id, what in path if what in {"entered", "taken"}} & seen
    if name in OTHERWISE:
        assert got != expected, "then it is no exception any more"
    else:
        assert got == expected if recorded.whole else got >= expected


def comparable(text: str) -> set[str]:
    """Elements the simulator reports as we do: not the flows behind event-based gateways, nor event sub-processes."""
    root = etree.fromstring(text)
    gateways = {one.get("id") for one in root.iter(f"{BPMN}eventBasedGateway")}
    silent = {flow.get("id") for flow in root.iter(f"{BPMN}sequenceFlow") if flow.get("sourceRef") in gateways}
    silent |= {one.get("id") for one in root.iter(f"{BPMN}subProcess") if one.get("triggeredByEvent") == "true"}
    inside = {one.get("id") for process in root.iter(f"{BPMN}process") for one in process.iter() if one is not process}
    return inside - silent
