"""What changed between two versions of a definition, element by element, in words a designer reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from engine import assignment
from engine.i18n import Sentence, _
from engine.workflow import dialect
from engine.workflow.diagram import Diagram, Event, Flow, Loop, Shape
from webapp.modeler import differences_beside


@dataclass(frozen=True)
class Change:
    """One property: what it was, what it is."""

    what: Sentence
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    kind: Literal["added", "removed", "changed"]
    element: str
    """its id in the drawing"""
    what: Sentence
    """the kind of element"""
    name: str
    changes: tuple[Change, ...] = ()


def of_diagrams(before: Mapping[str, str], after: Mapping[str, str], key: str) -> list[Difference]:
    """Elements and flows of the main process and those it calls; where they are drawn does not count."""
    old, new = dialect.read(before, key), dialect.read(after, key)
    return [*_shapes(old, new), *_flows(old, new)]


def of_files(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """Forms and decision tables, by their parts."""
    found = []
    for name in sorted(before.keys() | after.keys()):
        if name.endswith(".bpmn") or before.get(name) == after.get(name):
            continue
        if name not in before or name not in after:
            found.append(Difference("added" if name in after else "removed", "", _("file"), name))
            continue
        parts = differences_beside.parts(name)
        old, new = parts(before[name]), parts(after[name])
        changes = tuple(
            Change(part, old.get(part, ""), new.get(part, ""))
            for part in dict.fromkeys([*old, *new])
            if old.get(part, "") != new.get(part, "")
        )
        if changes:  # else only its layout differs
            found.append(Difference("changed", "", _("file"), name, changes))
    return found


# ------------------------------------------------------------------------------------------------- shapes


def _shapes(old: Diagram, new: Diagram) -> Iterator[Difference]:
    before = {shape.key: (shape, old) for _scope, shape in old.shapes()}
    after = {shape.key: (shape, new) for _scope, shape in new.shapes()}
    for key in dict.fromkeys([*after, *before]):
        if key not in before:
            yield _one("added", after[key][0])
        elif key not in after:
            yield _one("removed", before[key][0])
        else:
            shape = after[key][0]
            changes = tuple(
                Change(what, was, now)
                for what, read in FACETS
                if (was := read(*before[key])) != (now := read(*after[key]))
            )
            if changes:
                yield _one("changed", shape, changes)


def _one(kind: Literal["added", "removed", "changed"], shape: Shape, changes: tuple[Change, ...] = ()) -> Difference:
    return Difference(kind, shape.id, KINDS.get(shape.tag, _("element")), shape.node.name or shape.id, changes)


def _rule(text: str) -> str:
    """A candidate rule as the panel calls it: “Holders of a position (finance)”."""
    name, argument = assignment.parse(text) or ("", None)
    known = assignment.RULES.get(name)
    title = str(known.title) if known else text
    return f"{title} ({argument})" if known and argument else title


def _pairs(values: Mapping[str, str]) -> str:
    return "; ".join(f"{name} = {value}" for name, value in sorted(values.items()))


def _place(shape: Shape, diagram: Diagram) -> str:
    scope = diagram.scopes[shape.scope]
    return "" if scope.tag == "process" else scope.name


def _host(shape: Shape, diagram: Diagram) -> str:
    scope = diagram.scopes[shape.scope]
    host = scope.shapes.get(shape.attached_to)
    return (host.node.name or host.id) if host else ""


def _waits_for(shape: Shape, _diagram: Diagram) -> str:
    return "; ".join(map(_event, shape.events))


def _event(event: Event) -> str:
    return f"{event.kind} {event.timer.text if event.timer else event.name}".strip()


def _policy(shape: Shape) -> dict[str, str]:
    return {name: value for name, value in shape.node.properties.items() if name.startswith("approval.")}


def _others(shape: Shape) -> dict[str, str]:
    return {name: value for name, value in shape.node.properties.items() if not name.startswith("approval.")}


def _loop(loop: Loop | None) -> str:
    if loop is None:
        return ""
    how = str(_("one after the other") if loop.sequential else _("all at once"))
    over = loop.collection or loop.cardinality
    return ", ".join(part for part in (how, over, loop.condition) if part)


FACETS: tuple[tuple[Sentence, Callable[[Shape, Diagram], str]], ...] = (
    (_("Kind"), lambda shape, _diagram: str(KINDS.get(shape.tag, shape.tag))),
    (_("Name"), lambda shape, _diagram: shape.node.name),
    (_("Description"), lambda shape, _diagram: shape.node.documentation),
    (_("Stands in"), _place),
    (_("Sits on"), _host),
    (_("Who does it"), lambda shape, _diagram: ", ".join(map(_rule, shape.node.candidates))),
    (_("Form"), lambda shape, _diagram: shape.node.form_key),
    (_("Approval policy"), lambda shape, _diagram: _pairs(_policy(shape))),
    (_("Due after"), lambda shape, _diagram: shape.node.due),
    (_("Service"), lambda shape, _diagram: shape.node.topic),
    (_("Parameters"), lambda shape, _diagram: _pairs(shape.node.parameters)),
    (_("Results"), lambda shape, _diagram: _pairs(shape.outputs)),
    (_("Keeps the result as"), lambda shape, _diagram: shape.node.result_variable),
    (_("Decision"), lambda shape, _diagram: f"{shape.decision} {shape.decision_result}".strip()),
    (_("Script"), lambda shape, _diagram: shape.script),
    (_("Calls"), lambda shape, _diagram: shape.called),
    (_("Event"), _waits_for),
    (_("Interrupts"), lambda shape, _diagram: str(_("yes") if shape.interrupting else _("no"))),
    (_("Repeated"), lambda shape, _diagram: _loop(shape.loop)),
    (_("Default flow"), lambda shape, _diagram: shape.default),
    (_("Other properties"), lambda shape, _diagram: _pairs(_others(shape))),
)

KINDS: Mapping[str, Sentence] = {
    "task": _("task"),
    "userTask": _("user task"),
    "manualTask": _("manual task"),
    "serviceTask": _("service task"),
    "sendTask": _("send task"),
    "receiveTask": _("receive task"),
    "scriptTask": _("script task"),
    "businessRuleTask": _("decision"),
    "subProcess": _("sub-process"),
    "callActivity": _("called process"),
    "exclusiveGateway": _("exclusive gateway"),
    "parallelGateway": _("parallel gateway"),
    "inclusiveGateway": _("inclusive gateway"),
    "eventBasedGateway": _("event gateway"),
    "startEvent": _("start event"),
    "endEvent": _("end event"),
    "boundaryEvent": _("boundary event"),
    "intermediateCatchEvent": _("catch event"),
    "intermediateThrowEvent": _("throw event"),
}


# ------------------------------------------------------------------------------------------------- flows


def _flows(old: Diagram, new: Diagram) -> Iterator[Difference]:
    before, after = _by_id(old), _by_id(new)
    for id in dict.fromkeys([*after, *before]):
        if id not in before:
            yield _flow("added", id, after[id])
        elif id not in after:
            yield _flow("removed", id, before[id])
        else:
            was, now = before[id], after[id]
            compared = (
                (_("From and to"), was.ends, now.ends),
                (_("Name"), was.flow.name, now.flow.name),
                (_("Condition"), was.flow.condition, now.flow.condition),
            )
            changes = tuple(Change(what, old, new) for what, old, new in compared if old != new)
            if changes:
                yield _flow("changed", id, now, changes)


@dataclass(frozen=True)
class _Drawn:
    flow: Flow
    ends: str


def _by_id(diagram: Diagram) -> dict[str, _Drawn]:
    found = {}
    for scope in diagram.scopes.values():
        for flow in scope.flows:
            ends = (scope.shapes[end].node.name or scope.shapes[end].id for end in (flow.source, flow.target))
            found[flow.id] = _Drawn(flow, " → ".join(ends))
    return found


def _flow(
    kind: Literal["added", "removed", "changed"], id: str, drawn: _Drawn, changes: tuple[Change, ...] = ()
) -> Difference:
    return Difference(kind, id, _("flow"), drawn.flow.name or drawn.ends, changes)
