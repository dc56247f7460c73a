"""What is drawn, as plain data: scopes (processes and sub-processes) with shapes and flows. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.errors import Problem
from engine.workflow.contract import Node

ACTIVITIES = frozenset({
    "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask",
    "subProcess", "callActivity",
})  # fmt: skip
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
START, BOUNDARY, CATCH = "startEvent", "boundaryEvent", "intermediateCatchEvent"
THROW, END = "intermediateThrowEvent", "endEvent"
EVENTS = frozenset({START, BOUNDARY, CATCH, THROW, END})


@dataclass(frozen=True, slots=True)
class Timer:
    form: str
    """date | duration | cycle"""
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event definition: `kind` is the BPMN tag without "EventDefinition", e.g. "timer", "error", "compensate"."""

    kind: str
    name: str = ""
    """the name of the message or signal, the code of the error or escalation; "" = any"""
    ref: str = ""
    timer: Timer | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """Multi-instance characteristics."""

    sequential: bool
    collection: str = ""
    element: str = ""
    cardinality: str = ""
    condition: str = ""
    output_collection: str = ""
    output_element: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """One camunda:in or camunda:out of a call activity."""

    source: str
    """an expression; "" when everything is passed"""
    target: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    id: str
    source: str
    target: str
    condition: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A flow node with everything lint and the builder ask about it."""

    key: str
    """unique over all files of a definition: the id, or "process:id" where an id is used twice"""
    tag: str
    scope: str
    """key of the scope it stands in"""
    node: Node
    file: str
    events: tuple[Event, ...] = ()
    loop: Loop | None = None
    attached_to: str = ""
    interrupting: bool = True
    default: str = ""
    called: str = ""
    called_business_key: str = ""
    passed_in: tuple[Pass, ...] = ()
    passed_out: tuple[Pass, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    """camunda:outputParameter name -> expression"""
    script: str = ""
    decision: str = ""
    decision_result: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """camunda attributes as written, plus plain ones lint asks about"""
    oddities: tuple[str, ...] = ()
    """names of children outside the dialect, e.g. "taskListener:javascript", "standardLoopCharacteristics" """

    @property
    def id(self) -> str:
        return self.node.element

    @property
    def event(self) -> Event | None:
        return self.events[0] if self.events else None

    @property
    def kind(self) -> str:
        """The kind of its event, "none" without one."""
        return self.events[0].kind if self.events else "none"


@dataclass(slots=True)
class Scope:
    """A process, an embedded sub-process or an event sub-process."""

    key: str
    id: str
    tag: str
    name: str
    process: str
    file: str
    parent: str = ""
    by_event: bool = False
    """an event sub-process"""
    executable: bool = True
    shapes: dict[str, Shape] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    documentation: str = ""
    _into: dict[str, list[Flow]] = field(default_factory=dict)
    _out_of: dict[str, list[Flow]] = field(default_factory=dict)

    def add(self, flow: Flow) -> None:
        self.flows.append(flow)
        self._into.setdefault(flow.target, []).append(flow)
        self._out_of.setdefault(flow.source, []).append(flow)

    def incoming(self, key: str) -> list[Flow]:
        return self._into.get(key, [])

    def outgoing(self, key: str) -> list[Flow]:
        return self._out_of.get(key, [])

    def boundaries(self, key: str) -> list[Shape]:
        return [shape for shape in self.shapes.values() if shape.attached_to == key]


@dataclass(slots=True)
class Diagram:
    """Everything drawn in the .bpmn files of one definition."""

    main: str = ""
    """key of the process that starts; "" when there is none"""
    scopes: dict[str, Scope] = field(default_factory=dict)
    """by key; a sub-process has its shape's key"""
    processes: dict[str, str] = field(default_factory=dict)
    """process id -> key of its scope"""
    problems: list[Problem] = field(default_factory=list)
    """found while reading: duplicate ids, dangling flows, elements we do not know"""
    unused: dict[str, str] = field(default_factory=dict)
    """id -> file of the processes left out because the main one does not call them"""

    def shapes(self) -> Iterator[tuple[Scope, Shape]]:
        for scope in self.scopes.values():
            for shape in scope.shapes.values():
                yield scope, shape
