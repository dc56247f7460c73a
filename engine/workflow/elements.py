"""Every element of BPMN 2.0 and whether it runs here; lint refuses by this table and the handbook prints it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.i18n import Sentence, _

EVENTS_AT: dict[str, frozenset[str]] = {
    "startEvent": frozenset({"none", "message", "signal", "timer"}),
    "subProcess.startEvent": frozenset({"none"}),
    "eventSubProcess.startEvent": frozenset({"message", "signal", "timer", "error", "escalation"}),
    "intermediateCatchEvent": frozenset({"timer", "message", "signal"}),
    "intermediateThrowEvent": frozenset({"none", "message", "signal", "escalation"}),
    "endEvent": frozenset({"none", "message", "signal", "error", "escalation", "terminate"}),
    "boundaryEvent": frozenset({"timer", "message", "signal", "error", "escalation"}),
}
"""Where an event stands -> the definitions it may carry."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An element or mark that does not run, and what to draw instead."""

    element: str
    remedy: Sentence


REFUSED: dict[str, Refusal] = {
    "complexGateway": Refusal("complex gateway", _("Draw an inclusive or parallel gateway instead.")),
    "adHocSubProcess": Refusal("ad-hoc sub-process", _("Draw a sub-process whose tasks are joined by flows.")),
    "transaction": Refusal("transaction", _("Draw a sub-process with an error event on its border.")),
    "dataStoreReference": Refusal(
        "data store", _("Remove it: records are kept by the operation a service task calls.")
    ),
    "standardLoopCharacteristics": Refusal(
        "standard loop", _("Draw the loop with an exclusive gateway, or make the task multi-instance.")
    ),
    "isForCompensation": Refusal("compensation task", _("Undo in a task behind an error event.")),
    "parallelMultiple": Refusal("parallel multiple event", _("Draw a parallel gateway before the single events.")),
    "instantiate": Refusal("receiving element that starts a process", _("Draw a message start event.")),
    "compensate": Refusal("compensation event", _("Undo in a task behind an error event.")),
    "link": Refusal("link event", _("Draw the sequence flow through, or put the parts into sub-processes.")),
    "conditional": Refusal("conditional event", _("Draw a gateway with a condition, or wait for a signal.")),
    "cancel": Refusal("cancel event", _("Use an error event.")),
    "multiple": Refusal("event with several definitions", _("Draw one event for each, behind an event-based gateway.")),
}
"""Tag, mark or event definition -> why not."""

RUNS: tuple[tuple[str, str], ...] = (
    ("process, several in one file when called", "isExecutable must be true"),
    ("sequence flow, also with conditions out of tasks", "several may be true; a default is taken when none is"),
    ("implicit split and merge", "each flow out of an element carries a token, each token into it starts it"),
    ("user task", "candidates, form, due date, `approval.*` properties"),
    ("service task", '`camunda:type="external"` with a topic of the house'),
    ("send task", "a topic, or a message"),
    ("receive task", "waits for its message"),
    ("script task", "assignments in the expression language only"),
    ("business rule task", "a decision of a .dmn deployed with the diagram"),
    ("task, manual task", "passed through: a note for people"),
    ("sub-process", "embedded"),
    ("event sub-process", "message, signal, timer, error, escalation; interrupting or not"),
    ("call activity", "a process of the same definition; camunda:in, camunda:out, business key"),
    ("multi-instance", "parallel and sequential; collection or number, completion condition"),
    ("exclusive gateway", ""),
    ("parallel gateway", ""),
    ("inclusive gateway", "its join waits for tokens that can still come"),
    ("event-based gateway", "before catch events and receive tasks"),
    ("start event", "none, message, signal, timer"),
    ("intermediate catch event", "timer, message, signal"),
    ("intermediate throw event", "none, message, signal, escalation"),
    ("end event", "none, message, signal, error, escalation, terminate"),
    ("boundary event", "timer, message, signal, error, escalation; interrupting or not (errors always are)"),
    ("pool, lane, group, annotation, association, data object", "drawn for people; no effect"),
)
"""Element -> what to know; in English, for the handbook."""


def page() -> str:
    """docs/bpmn-elements.md."""
    lines = [
        "# Which BPMN elements run",
        "",
        "Made from `engine/workflow/elements.py` by a function there; a test keeps it current.",
        "What is refused is refused when a definition is deployed, with the element's id and what to draw instead.",
        "",
        "| element | state | to know |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | runs | {note} |" for name, note in RUNS]
    lines += [f"| {one.element} | refused | {one.remedy.template} |" for one in REFUSED.values()]
    return "\n".join([*lines, "| anything else | refused | |", ""])
