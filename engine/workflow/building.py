"""Diagram -> specs: one spec of ours for each shape, joined by its flows. Lint has spoken; nothing is judged here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from engine.expressions import Expression, compile_expression, compile_script
from engine.workflow import timers
from engine.workflow.compiled import Compiled, NoPython, ScopeSpec, digest
from engine.workflow.contract import StartTrigger
from engine.workflow.decisions import Decisions
from engine.workflow.diagram import Diagram, Pass, Scope, Shape, Timer
from engine.workflow.routes import catches, flow_sources
from engine.workflow.specs.element import Element, Way
from engine.workflow.specs.events import Boundary, Catch, EventStart, Start, Throw
from engine.workflow.specs.gateways import EventBased, Exclusive, Gathering, Inclusive, Parallel
from engine.workflow.specs.repeated import Repeated
from engine.workflow.specs.scopes import CallActivity, EventSubProcess, SubProcess
from engine.workflow.specs.tasks import Keeping, PassThrough, RuleTask, ScriptTask, ServiceTask, UserTask

_CLASSES: dict[str, type[Element]] = {
    "startEvent": Start,
    "boundaryEvent": Boundary,
    "intermediateCatchEvent": Catch,
    "receiveTask": Catch,
    "intermediateThrowEvent": Throw,
    "endEvent": Throw,
    "task": PassThrough,
    "manualTask": PassThrough,
    "userTask": UserTask,
    "serviceTask": ServiceTask,
    "sendTask": ServiceTask,
    "scriptTask": ScriptTask,
    "businessRuleTask": RuleTask,
    "exclusiveGateway": Exclusive,
    "parallelGateway": Parallel,
    "inclusiveGateway": Inclusive,
    "eventBasedGateway": EventBased,
    "subProcess": SubProcess,
    "callActivity": CallActivity,
}


def build(diagram: Diagram, decisions: Decisions, files: Mapping[str, str]) -> Compiled:
    specs = {key: ScopeSpec(key) for key in diagram.scopes}
    builder = _Builder(diagram, decisions, specs)
    for key, scope in diagram.scopes.items():
        builder.fill(scope, specs[key])
    main = diagram.processes[diagram.main]
    caught = catches(diagram)
    nodes = {
        shape.key: replace(
            shape.node,
            catches=caught.get(shape.key, ()),
            attached_to=shape.attached_to,
            event=f"{shape.kind}:{_trigger_name(shape)}".rstrip(":") if shape.event else "",
        )
        for _s, shape in diagram.shapes()
    }
    return Compiled(
        key=diagram.main,
        name=diagram.scopes[main].name,
        sha256=digest(files),
        nodes=nodes,
        files=dict(files),
        starts=tuple(_triggers(diagram.scopes[main])),
        spec=specs[main],
        specs={key: spec for key, spec in specs.items() if key != main},
        engine=NoPython(),
        homes={shape.key: specs[scope.key] for scope, shape in diagram.shapes()},
    )


def _triggers(scope: Scope) -> list[StartTrigger]:
    return [
        StartTrigger(shape.key, shape.kind, _trigger_name(shape))
        for shape in scope.shapes.values()
        if shape.tag == "startEvent"
    ]


def _trigger_name(shape: Shape) -> str:
    event = shape.event
    if event is None:
        return ""
    return event.timer.text if event.timer else event.name


class _Builder:
    def __init__(self, diagram: Diagram, decisions: Decisions, specs: Mapping[str, ScopeSpec]) -> None:
        self.diagram = diagram
        self.decisions = decisions
        self.specs = specs

    def fill(self, scope: Scope, spec: ScopeSpec) -> None:
        spec.around = self.specs[scope.parent] if scope.parent else None
        elements = {key: self._element(spec, shape) for key, shape in scope.shapes.items() if shape.tag in _CLASSES}
        borders: dict[str, list[Boundary]] = defaultdict(list)
        for element in elements.values():
            if isinstance(element, Boundary):
                borders[element.shape.attached_to].append(element)
        for key, element in elements.items():
            shape = scope.shapes[key]
            self._join(scope, shape, element, elements, borders[key])
            if shape.tag != "boundaryEvent" and not isinstance(element, EventSubProcess) and not scope.incoming(key):
                spec.starts.append(element)
        spec.starts = self._begin_with(spec.starts)
        spec.gates = [element for element in elements.values() if isinstance(element, Inclusive)]

    def _begin_with(self, candidates: list[Element]) -> list[Element]:
        """The plain start event; without any start event every element nothing leads to."""
        starts = [one for one in candidates if isinstance(one, Start)]
        return [one for one in starts if one.shape.kind == "none"] if starts else candidates

    def _element(self, spec: ScopeSpec, shape: Shape) -> Element:
        if shape.loop is None:
            return self._single(spec, shape, shape.key)
        whole = Repeated(spec, shape)
        whole.loop = shape.loop
        whole.collection = _expression(shape.loop.collection)
        whole.cardinality = _expression(shape.loop.cardinality)
        whole.condition = _expression(shape.loop.condition)
        whole.body = self._single(spec, shape, f"{shape.key}#instance")
        whole.body.repeats = True
        return whole

    def _single(self, spec: ScopeSpec, shape: Shape, name: str) -> Element:
        kind = _CLASSES[shape.tag]
        if shape.tag == "subProcess" and self.diagram.scopes[shape.key].by_event:
            kind = EventSubProcess
        elif shape.tag == "sendTask" and not shape.node.topic:
            kind = Throw
        element = kind(spec, shape, name)
        element.inputs_of = _expressions(shape.node.parameters)
        element.outputs_of = _expressions(shape.outputs)
        self._furnish(spec, shape, element)
        return element

    def _furnish(self, spec: ScopeSpec, shape: Shape, element: Element) -> None:
        if isinstance(element, Keeping):
            element.result_variable = shape.node.result_variable
        if isinstance(element, ScriptTask):
            if element.result_variable:
                element.expression = compile_expression(shape.script)
            else:
                element.script = compile_script(shape.script)
        elif isinstance(element, RuleTask):
            element.decide = self.decisions.decider(shape.decision, shape.decision_result)
            element.explain = self.decisions.explainer(shape.decision)
        elif isinstance(element, UserTask) and shape.node.due:
            element.due = timers.read(Timer("duration", shape.node.due))
        elif isinstance(element, CallActivity):
            element.inner = self.specs[self.diagram.processes[shape.called]]
            element.passed_in, element.passed_out = _passes(shape.passed_in), _passes(shape.passed_out)
            element.business_key = _expression(shape.called_business_key)
        elif isinstance(element, SubProcess):
            element.inner = self.specs[shape.key]
        if isinstance(element, EventSubProcess):
            self._listen_for(spec, shape, element)

    def _listen_for(self, spec: ScopeSpec, shape: Shape, handler: EventSubProcess) -> None:
        for inner in self.diagram.scopes[shape.key].shapes.values():
            if inner.tag == "startEvent":
                start = EventStart(spec, inner)
                start.handler = handler
                spec.event_starts.append(start)
                if inner.kind in {"timer", "message", "signal"}:
                    spec.listeners.append(start)

    def _join(
        self, scope: Scope, shape: Shape, element: Element, elements: Mapping[str, Element], borders: list[Boundary]
    ) -> None:
        """Its ways out, its border, the flows it gathers."""
        ways = []
        for flow in scope.outgoing(shape.key):
            target = elements.get(flow.target)
            if target is None:
                continue
            element.connect(target)
            way = Way(flow.id, target, _expression(flow.condition), " ".join(flow.name.split()))
            if flow.id == shape.default:
                element.default = way
            ways.append(way)
        element.ways = tuple(ways)
        element.conditional = element.default is not None or any(way.condition for way in ways)
        element.boundaries = tuple(borders)
        element.listeners = tuple(one for one in element.boundaries if one.event.kind in {"timer", "message", "signal"})
        if isinstance(element, Gathering):
            element.incoming = tuple(flow.id for flow in scope.incoming(shape.key))
        if isinstance(element, Inclusive):
            element.sources = flow_sources(scope, shape.key)


def _expression(text: str) -> Expression | None:
    return compile_expression(text) if text.strip() else None


def _expressions(texts: Mapping[str, str]) -> dict[str, Expression]:
    return {name: compile_expression(text) for name, text in texts.items()}


def _passes(passes: tuple[Pass, ...]) -> tuple[tuple[Pass, Expression | None], ...]:
    return tuple((one, _expression(one.source)) for one in passes)
