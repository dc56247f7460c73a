"""Checks of what stands where: elements that do not run, events, sub-processes, multi-instance."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import Problem
from engine.expressions import ExpressionError
from engine.i18n import _
from engine.workflow import timers
from engine.workflow.diagram import ACTIVITIES, EVENTS, GATEWAYS, Event, Scope, Shape, Timer
from engine.workflow.elements import EVENTS_AT, REFUSED
from engine.workflow.lint.context import LONGEST_EVENT, Context, expression, name_problems, problem, variable

_RUNNING = ACTIVITIES | GATEWAYS | EVENTS
_NAMED = {"message", "signal"}
_CODED = {"error", "escalation"}
_HARMLESS = frozenset({
    "performer", "humanPerformer", "resourceRole", "failedJobRetryTimeCycle", "potentialStarter", "ioSpecification",
})  # fmt: skip


def check(context: Context, scope: Scope, shape: Shape) -> Iterator[Problem]:
    if len(shape.id) > 100:
        yield problem(shape, "long_id", _("The id is longer than 100 signs."))
    yield from name_problems(shape, shape.node.name)
    for event in shape.events:
        yield from name_problems(shape, event.name, LONGEST_EVENT)
    if shape.tag not in _RUNNING:
        yield _refused(shape, shape.tag)
        return
    yield from _marks(shape)
    if shape.tag in EVENTS or shape.tag == "receiveTask":
        yield from _events(context, scope, shape)
    if shape.tag == "subProcess" and context.diagram.scopes[shape.key].by_event:
        yield from _event_sub_process(context, scope, shape)
    if shape.loop is not None:
        yield from _loop(shape)


def _refused(shape: Shape, what: str) -> Problem:
    known = REFUSED.get(what)
    if known is None:
        return problem(shape, f"unsupported.{what}", _("{element} does not run here.", element=what))
    return problem(
        shape, f"unsupported.{what}", _("A {element} does not run here.", element=known.element), known.remedy
    )


def _marks(shape: Shape) -> Iterator[Problem]:
    for mark in ("isForCompensation", "parallelMultiple", "instantiate"):
        if shape.attributes.get(mark) == "true":
            yield _refused(shape, mark)
    for name in dict.fromkeys(shape.oddities):
        yield from _oddity(shape, name)


def _oddity(shape: Shape, name: str) -> Iterator[Problem]:
    """A child element outside the dialect."""
    tag, _colon, language = name.partition(":")
    if name in REFUSED:
        yield _refused(shape, name)
    elif tag in {"taskListener", "executionListener"}:
        yield problem(
            shape,
            f"unsupported.{tag}",
            _("A {listener} ({language}) does not run here.", listener=tag, language=language or "Java"),
            _("Do it in a service or script task before or behind this element, or by an approval.* property."),
        )
    elif tag in {"formData", "formProperty"}:
        yield problem(
            shape,
            "unsupported.form",
            _("Fields drawn into the diagram are not shown."),
            _("Design a form and name it in camunda:formKey."),
        )
    elif tag == "connector":
        yield problem(
            shape,
            "unsupported.connector",
            _("A connector drawn into the diagram does not run here."),
            _("Choose one of the house's topics."),
        )
    elif tag == "inputOutput":
        yield problem(
            shape,
            "mapping",
            _("A parameter given as {kind} does not run here.", kind=language),
            _("Write an expression; a list is [a, b]."),
        )
    elif tag not in _HARMLESS:
        yield problem(shape, "ignored", _("{element} has no effect here.", element=tag), severity="warning")


# ------------------------------------------------------------------------------------------------------ events


def _events(context: Context, scope: Scope, shape: Shape) -> Iterator[Problem]:
    if len(shape.events) > 1:
        yield _refused(shape, "multiple")
        return
    if shape.tag == "receiveTask":
        if shape.event is None or not shape.event.name:
            yield problem(
                shape, "message", _("The receive task names no message."), _("Choose the message it waits for.")
            )
        return
    yield from _placed(scope, shape)
    if shape.event is not None:
        yield from _complete(shape, shape.event)
    if shape.tag == "startEvent" and scope.tag == "process" and shape.event and shape.event.timer:
        yield from _start_timer(shape, shape.event.timer)
    if shape.tag == "boundaryEvent":
        yield from _border(context, scope, shape)


def _placed(scope: Scope, shape: Shape) -> Iterator[Problem]:
    """Whether an event of this kind may stand here."""
    place = shape.tag
    if place == "startEvent" and scope.tag == "subProcess":
        place = "eventSubProcess.startEvent" if scope.by_event else "subProcess.startEvent"
    if shape.kind in EVENTS_AT[place]:
        return
    if shape.kind in REFUSED:
        yield _refused(shape, shape.kind)
    elif shape.kind == "none":
        yield problem(
            shape,
            "event_definition",
            _("The event does not say what it waits for."),
            _("Make it a timer, message, signal, error or escalation event, as fits its place."),
        )
    else:
        yield problem(
            shape,
            "event_place",
            _("A {kind} event cannot stand here.", kind=shape.kind),
            _("Allowed here: {kinds}.", kinds=", ".join(sorted(EVENTS_AT[place]))),
        )


def _complete(shape: Shape, event: Event) -> Iterator[Problem]:
    if event.kind == "timer":
        if event.timer is None or not event.timer.text:
            yield problem(
                shape,
                "timer",
                _("The timer has no date, duration or cycle, or more than one."),
                _("Write one of them, like PT8H or working_days(2)."),
            )
        else:
            timer = event.timer
            yield from expression(shape, "timer", timer.text, _("The timer"), lambda _text: timers.read(timer))
    elif event.kind in _NAMED and not event.name:
        yield problem(
            shape,
            event.kind,
            _("The event names no {kind}, or one without a name.", kind=event.kind),
            _("Choose or make the {kind} and give it a name.", kind=event.kind),
        )
    elif event.kind in _CODED and not event.name and shape.tag in {"endEvent", "intermediateThrowEvent"}:
        yield problem(
            shape,
            event.kind,
            _("The event throws no {kind}, or one without a code.", kind=event.kind),
            _("Choose or make the {kind} and give it a code.", kind=event.kind),
        )


def _start_timer(shape: Shape, timer: Timer) -> Iterator[Problem]:
    """No instance runs yet when it goes off."""
    try:
        expression_of_it = timers.read(timer).expression
    except ExpressionError:
        return  # said already
    for name in sorted(expression_of_it.names if expression_of_it else ()):
        yield problem(
            shape,
            "timer",
            _("The timer reads {name}, but no variables exist before the process starts.", name=name),
            _("Write the date or cycle itself, like R/P1D."),
        )


def _border(context: Context, scope: Scope, shape: Shape) -> Iterator[Problem]:
    host = scope.shapes.get(shape.attached_to)
    if host is None or (host.tag not in ACTIVITIES and host.tag not in REFUSED):
        yield problem(
            shape,
            "boundary",
            _("The boundary event is not attached to an activity."),
            _("Drag it onto a task's border."),
        )
    elif host.tag == "subProcess" and context.diagram.scopes[host.key].by_event:
        yield problem(shape, "boundary", _("An event sub-process cannot have boundary events."))
    if scope.incoming(shape.key):
        yield problem(shape, "boundary", _("No flow may lead into a boundary event."))
    if shape.kind == "error" and not shape.interrupting:
        yield problem(
            shape,
            "boundary",
            _("An error event always interrupts its activity."),
            _("Make it interrupting, or an escalation."),
        )


def _event_sub_process(context: Context, scope: Scope, shape: Shape) -> Iterator[Problem]:
    inner = context.diagram.scopes[shape.key]
    if scope.incoming(shape.key) or scope.outgoing(shape.key):
        yield problem(shape, "event_sub_process", _("No flow may lead into or out of an event sub-process."))
    if shape.loop is not None:
        yield problem(shape, "event_sub_process", _("An event sub-process cannot be multi-instance."))
    if not any(one.tag == "startEvent" for one in inner.shapes.values()):
        yield problem(
            shape,
            "event_sub_process",
            _("The event sub-process has no start event."),
            _("Draw the event that begins it."),
        )


def _loop(shape: Shape) -> Iterator[Problem]:
    loop = shape.loop
    assert loop is not None
    if shape.tag not in ACTIVITIES:
        yield problem(shape, "multi_instance", _("Only activities can be multi-instance."))
    if not loop.collection and not loop.cardinality:
        yield problem(
            shape,
            "multi_instance",
            _("The multi-instance element does not say how often it runs."),
            _("Name a collection with an element variable, or a number."),
        )
    for text in (loop.collection, loop.cardinality, loop.condition):
        yield from expression(shape, "condition", text, _("The multi-instance settings"))
    for name in (loop.element, loop.output_collection, loop.output_element):
        yield from variable(shape, name)
