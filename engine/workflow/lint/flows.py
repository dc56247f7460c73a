"""Checks of a scope as a whole: its starts, its flows, its gateways, what is never reached."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.errors import Problem
from engine.i18n import _
from engine.workflow.diagram import Flow, Scope, Shape
from engine.workflow.elements import REFUSED
from engine.workflow.lint.context import REMEDIES, Context, expression, name_problems, problem
from engine.workflow.routes import reachable

_UNCONDITIONAL = frozenset({"parallelGateway", "eventBasedGateway", "startEvent"})


def check(context: Context, scope: Scope) -> Iterator[Problem]:
    if scope.tag == "process":
        yield from _process(scope)
    yield from _starts(context, scope)
    for shape in scope.shapes.values():
        yield from _around(context, scope, shape)
    for flow in scope.flows:
        for found in expression(scope, "condition", flow.condition, _("The condition")):
            yield Problem(flow.id, found.message, REMEDIES["condition"], "condition", scope.file)


def _process(scope: Scope) -> Iterator[Problem]:
    if not scope.executable:
        yield problem(
            scope,
            "not_executable",
            _("The process {id} is not marked as executable.", id=scope.id),
            _('Set isExecutable="true" (in the designer: tick "executable").'),
        )
    if not scope.shapes:
        yield problem(scope, "empty", _("The process has no elements."), _("Draw at least a start event and a task."))
    if len(scope.id) > 100:
        yield problem(scope, "long_id", _("The id is longer than 100 signs."))
    yield from name_problems(scope, scope.name)


def _starts(context: Context, scope: Scope) -> Iterator[Problem]:
    starts = [shape for shape in scope.shapes.values() if shape.tag == "startEvent"]
    for shape in [one for one in starts if one.kind == "none"][1:]:
        yield problem(
            shape,
            "several_starts",
            _("There is more than one plain start event."),
            _("Keep one, or give the others a trigger."),
        )
    entries = starts or [one for one in scope.shapes.values() if _begins(context, scope, one)]
    reached = reachable(scope, [one.key for one in entries])
    for shape in scope.shapes.values():
        if shape.key not in reached and not _stands_apart(context, scope, shape):
            yield problem(
                shape,
                "unreachable",
                _("No flow leads here: the element would never run."),
                _("Connect it, or delete it."),
            )


def _begins(context: Context, scope: Scope, shape: Shape) -> bool:
    """Without start events a scope begins at whatever no flow leads to."""
    return not shape.attached_to and not scope.incoming(shape.key) and not _stands_apart(context, scope, shape)


def _stands_apart(context: Context, scope: Scope, shape: Shape) -> bool:
    """Event sub-processes are begun by their events; what does not run at all is reported for that."""
    inner = context.diagram.scopes.get(shape.key)
    by_event = shape.tag == "subProcess" and inner is not None and inner.by_event
    refused = shape.tag in REFUSED or shape.kind in REFUSED or shape.attributes.get("isForCompensation") == "true"
    return by_event or refused


def _around(context: Context, scope: Scope, shape: Shape) -> Iterator[Problem]:
    incoming, outgoing = scope.incoming(shape.key), scope.outgoing(shape.key)
    if shape.tag == "startEvent" and incoming:
        yield problem(shape, "flow", _("No flow may lead into a start event."))
    if shape.tag == "endEvent" and outgoing:
        yield problem(shape, "flow", _("No flow may lead out of an end event."))
    if shape.default and shape.default not in {flow.id for flow in outgoing}:
        yield problem(shape, "default", _("The default flow {id} does not leave this element.", id=shape.default))
    if shape.tag in _UNCONDITIONAL:
        for flow in outgoing:
            if flow.condition:
                yield Problem(
                    flow.id,
                    _("A condition is not asked on a flow out of this element."),
                    _("Use an inclusive or exclusive gateway, or remove the condition."),
                    "condition",
                    scope.file,
                )
    if shape.tag == "exclusiveGateway":
        yield from _exclusive(scope, shape, outgoing)
    elif shape.tag == "eventBasedGateway":
        yield from _event_based(scope, shape, outgoing)


def _exclusive(scope: Scope, shape: Shape, outgoing: list[Flow]) -> Iterator[Problem]:
    if len(outgoing) < 2:
        return
    asked = [flow for flow in outgoing if flow.id != shape.default]
    for flow in asked:
        if not flow.condition:
            yield Problem(
                flow.id,
                _("The flow out of an exclusive gateway has no condition."),
                _("Give it a condition, or make it the default flow."),
                "condition",
                scope.file,
            )
    if not shape.default and all(flow.condition for flow in asked) and not _exhaustive(asked):
        yield problem(
            shape,
            "no_default",
            _("When no condition holds, the process stops here with an incident."),
            _("Make one of the flows the default."),
            severity="warning",
        )


def _exhaustive(flows: list[Flow]) -> bool:
    """Two conditions of which one denies the other; anything cleverer is left to the default flow."""
    if len(flows) != 2:
        return False
    bare = [re.sub(r"\s|[${}]", "", flow.condition) for flow in flows]
    for yes, no in (bare, bare[::-1]):
        if no in {f"!{yes}", f"not{yes}", f"!({yes})", f"not({yes})"}:
            return True
        for sign, opposite in ((">=", "<"), ("<=", ">"), ("==", "!=")):
            if sign in yes and no == yes.replace(sign, opposite):
                return True
    return False


def _event_based(scope: Scope, shape: Shape, outgoing: list[Flow]) -> Iterator[Problem]:
    if not outgoing:
        yield problem(
            shape, "event_gateway", _("The event-based gateway waits for nothing."), _("Draw catch events behind it.")
        )
    for flow in outgoing:
        target = scope.shapes[flow.target]
        if target.tag not in {"intermediateCatchEvent", "receiveTask"} or len(scope.incoming(target.key)) > 1:
            yield problem(
                target,
                "event_gateway",
                _("Only catch events and receive tasks of its own may follow an event-based gateway."),
                _("Put a catch event between, used by this gateway alone."),
            )
