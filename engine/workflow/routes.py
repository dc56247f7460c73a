"""Questions about the drawing that are answered once: what reaches what, which errors are caught around an element."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable

from engine.workflow.diagram import Diagram, Scope, Shape


def flow_sources(scope: Scope, gateway: str) -> dict[str, frozenset[str]]:
    """Incoming flow of a gateway -> elements from which it can be reached without passing the gateway.

    A token in an activity may also leave by its boundary events.
    """
    before: dict[str, set[str]] = defaultdict(set)
    for flow in scope.flows:
        before[flow.target].add(flow.source)
    for shape in scope.shapes.values():
        if shape.attached_to:
            before[shape.key].add(shape.attached_to)
    found = {}
    for flow in scope.incoming(gateway):
        seen: set[str] = set()
        todo = [flow.source]
        while todo:
            key = todo.pop()
            if key not in seen and key != gateway:
                seen.add(key)
                todo.extend(before[key])
        found[flow.id] = frozenset(seen)
    return found


def reachable(scope: Scope, starts: list[str]) -> set[str]:
    """Keys of what a token can come to from these."""
    after: dict[str, set[str]] = defaultdict(set)
    for flow in scope.flows:
        after[flow.source].add(flow.target)
    for shape in scope.shapes.values():
        if shape.attached_to:
            after[shape.attached_to].add(shape.key)
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        key = todo.pop()
        if key not in seen:
            seen.add(key)
            todo.extend(after[key])
    return seen


def flows_to(scope: Scope, starts: Iterable[str], stops: Container[str] = ()) -> set[str]:
    """Keys the flows lead to from these, by no event on a border, and no further than the `stops`."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        key = todo.pop()
        if key not in seen:
            seen.add(key)
            todo.extend(flow.target for flow in scope.outgoing(key) if key not in stops)
    return seen


def catches(diagram: Diagram) -> dict[str, tuple[str, ...]]:
    """Element -> codes of the errors caught on it or around it; in a called process, by every caller."""
    callers: dict[str, list[tuple[Scope, Shape]]] = defaultdict(list)
    for scope, shape in diagram.shapes():
        if shape.tag == "callActivity":
            callers[diagram.processes.get(shape.called, "")].append((scope, shape))

    def within(scope: Scope, path: tuple[str, ...]) -> frozenset[str]:
        return _handled_in(diagram, scope) | around(scope, path)

    def around(scope: Scope, path: tuple[str, ...]) -> frozenset[str]:
        if scope.key in path:
            return frozenset()
        path = (*path, scope.key)
        if scope.parent:
            parent = diagram.scopes[scope.parent]
            beyond = around(parent, path) if scope.by_event else within(parent, path)
            return _on_border(parent, scope.key) | beyond
        sets = [_on_border(own, shape.key) | within(own, path) for own, shape in callers[scope.key]]
        return frozenset.intersection(*sets) if sets else frozenset()

    return {
        shape.key: tuple(sorted(_on_border(scope, shape.key) | within(scope, ()))) for scope, shape in diagram.shapes()
    }


def _on_border(scope: Scope, key: str) -> frozenset[str]:
    return frozenset(one.event.name for one in scope.boundaries(key) if one.event and one.event.kind == "error")


def _handled_in(diagram: Diagram, scope: Scope) -> frozenset[str]:
    return frozenset(
        start.event.name
        for shape in scope.shapes.values()
        if shape.tag == "subProcess" and diagram.scopes[shape.key].by_event
        for start in diagram.scopes[shape.key].shapes.values()
        if start.tag == "startEvent" and start.event and start.event.kind == "error"
    )
