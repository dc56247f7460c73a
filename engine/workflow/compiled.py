"""A definition ready to run: its specs, nodes, start events and decisions; immutable and shared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec

from engine.workflow.contract import Node, StartTrigger
from engine.workflow.reach import Reach
from engine.workflow.specs.element import Element
from engine.workflow.specs.events import EventStart
from engine.workflow.specs.gateways import Inclusive


class ScopeSpec(BpmnProcessSpec):  # type: ignore[misc]
    """The spec of one scope, with what its instances ask for at every turn."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.task_specs.clear()  # Spiff's own Start and End: elements may have these ids, and a scope ends by itself
        self.starts: list[Element] = []
        self.listeners: list[EventStart] = []
        """starts of event sub-processes that wait for something from outside"""
        self.event_starts: list[EventStart] = []
        self.gates: list[Inclusive] = []
        self.around: ScopeSpec | None = None
        """of the scope an embedded or event sub-process stands in; a called process stands in none"""

    @cached_property
    def drawn(self) -> dict[str, Element]:
        """Its elements by key, without starts of event sub-processes and bodies of multi-instance."""
        specs: dict[str, Element] = self.task_specs
        return {name: one for name, one in specs.items() if name == one.key and one.shape.scope == self.name}

    @cached_property
    def reach(self) -> Reach:
        return Reach(self.drawn.values(), self.starts)


class NoPython(PythonScriptEngine):  # type: ignore[misc]
    """Spiff's own engine would evaluate Python; nothing in this house asks it to, and it could not if asked."""

    def evaluate(self, task: Any, expression: Any, external_context: Any = None) -> Any:
        raise NotImplementedError

    def execute(self, task: Any, script: Any, external_context: Any = None) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Compiled:
    key: str
    name: str
    sha256: str
    nodes: Mapping[str, Node]
    files: Mapping[str, str]
    starts: tuple[StartTrigger, ...]
    spec: ScopeSpec
    specs: Mapping[str, ScopeSpec]
    """of every scope below the main process, by scope key"""
    engine: NoPython
    homes: Mapping[str, ScopeSpec]
    """key of an element -> the spec of the scope it stands in"""

    def element(self, scope: str, name: str) -> Element:
        spec = self.spec if scope == self.spec.name else self.specs[scope]
        element: Element = spec.task_specs[name]
        return element


def digest(files: Mapping[str, str]) -> str:
    """Of names and contents together."""
    sha = hashlib.sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            raw = part.encode("utf-8", "surrogatepass")
            sha.update(len(raw).to_bytes(8, "big") + raw)
    return sha.hexdigest()
