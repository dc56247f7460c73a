"""Checks of what tasks ask of the house: topics, forms, people, decisions, scripts, called processes."""

from __future__ import annotations

from collections.abc import Iterator

from engine import policy as policies
from engine.errors import Problem
from engine.expressions import ExpressionError, compile_expression, compile_script
from engine.i18n import Sentence, _
from engine.workflow import timers
from engine.workflow.decisions import RESULTS
from engine.workflow.diagram import Scope, Shape, Timer
from engine.workflow.lint.context import Context, expression, problem, variable
from engine.workflow.names import FACTS
from engine.workflow.routes import flows_to

_CODE = ("class", "delegateExpression", "expression")
_PASSED = frozenset({"boundaryEvent", "task", "manualTask", "scriptTask", "intermediateThrowEvent", "parallelGateway"})
"""What lets a token through at once, and always the same way."""


def check(context: Context, shape: Shape) -> Iterator[Problem]:
    for name, text in {**shape.node.parameters, **shape.outputs}.items():
        yield from expression(shape, "mapping", text, _("The parameter {name}", name=name))
        if not text:
            yield problem(
                shape, "mapping", _("The parameter {name} has no value.", name=name), _("Write null for none.")
            )
    for name in (*shape.outputs, shape.node.result_variable):
        yield from variable(shape, name)
    yield from _form(context, shape)
    rule = _RULES.get(shape.tag)
    if rule is not None:
        yield from rule(context, shape)


# ------------------------------------------------------------------------------------------------------ user tasks


def _user(context: Context, shape: Shape) -> Iterator[Problem]:
    due = shape.node.due
    yield from expression(shape, "due", due, _("The due date"), lambda text: timers.read(Timer("duration", text)))
    yield from _policies(context, shape)
    picked = shape.node.properties.get("approval.pick", "")
    if not shape.node.candidates and not picked:
        yield problem(
            shape,
            "nobody",
            _("Nobody is named for this task; it would go to the fallback person."),
            _("Choose candidates, for example superior."),
            severity="warning",
        )
    for rule in shape.node.candidates:
        found: Sentence | None = context.known.candidate_problem(rule) if context.known else None
        if found is not None:
            yield problem(
                shape, "candidates", found, _("Choose a rule, a position, a role or a person in the designer.")
            )


def _policies(context: Context, shape: Shape) -> Iterator[Problem]:
    """What the diagram says of how an approval is decided must be readable, and lead somewhere."""
    properties = shape.node.properties
    faults = list(policies.faults(properties))
    for fault in faults:
        yield problem(
            shape,
            f"policy.{fault.name}",
            fault.sentence,
            _("Correct the property approval.{name} of the task.", name=fault.name),
        )
    if faults or not any(name.startswith(policies.PREFIX) for name in properties):
        return
    rule = policies.read(properties)
    target = rule.reject.removeprefix("node:") if rule.reject.startswith("node:") else ""
    if target and target not in {one.key for _scope, one in context.diagram.shapes() if one.tag == "userTask"}:
        yield problem(
            shape,
            "policy.reject",
            _("There is no step {step} a rejection could go back to.", step=target),
            _("Name the id of a user task of this diagram."),
        )
    if rule.waits_for_readers and not (rule.allows_all or "circulate" in rule.allow):
        yield problem(
            shape,
            "policy.circulate",
            _("The step waits for its readers, but nothing may be circulated from it."),
            _("Add circulate to approval.allow, or remove approval.circulate."),
        )
    yield from _nobody(context.diagram.scopes[shape.scope], shape, rule)
    person = rule.empty.removeprefix("user:") if rule.empty.startswith("user:") else ""
    if person and context.known is not None:
        found = context.known.candidate_problem(f"person({person})")
        if found is not None:
            yield problem(shape, "policy.empty", found, _("Name the id of a person in user:ID."))


def _catches_rejection(shape: Shape) -> bool:
    return shape.event is not None and shape.event.kind == "error" and shape.event.name in ("", "rejected")


def _nobody(scope: Scope, shape: Shape, rule: policies.Policy) -> Iterator[Problem]:
    """Who is rejected because nobody was found, and sent back, can mend nothing: nobody will be found again."""
    if rule.empty != "reject":
        return
    if rule.reject not in ("end", "flow"):
        yield problem(
            shape,
            "policy.empty",
            _("Where nobody is found, the request ends as rejected: the way back is for what people reject."),
            _("Choose admin or hold for approval.empty where it should not end."),
            severity="warning",
        )
        return
    ways = [flow.target for flow in scope.outgoing(shape.key)]
    if rule.reject == "end":
        ways = [one.key for one in scope.boundaries(shape.key) if _catches_rejection(one)]
    straight = {key for key, one in scope.shapes.items() if one.tag not in _PASSED}
    if shape.key in flows_to(scope, ways, straight):
        yield problem(
            shape,
            "policy.empty",
            _("Where nobody is found, the request is rejected, comes straight back here and is rejected without end."),
            _("Choose admin or hold for approval.empty, or let the rejection end the process."),
        )
    elif shape.key in flows_to(scope, ways):
        yield problem(
            shape,
            "policy.empty",
            _("Where nobody is found, the request goes back to somebody who cannot mend that."),
            _("Choose admin or hold for approval.empty, or let the rejection end the process."),
            severity="warning",
        )


def _form(context: Context, shape: Shape) -> Iterator[Problem]:
    key = shape.node.form_key
    if key.startswith(("embedded:", "camunda-forms:", "app:", "deployment:")) or key.endswith(
        (".html", ".jsf", ".form")
    ):
        yield problem(
            shape,
            "form",
            _("The form {key} is built into another product and cannot be shown.", key=key),
            _("Design a form here and name it, without ending, in camunda:formKey."),
        )
    elif key and not context.has_form(key):
        yield problem(
            shape,
            "form",
            _("There is no form {key}.", key=key),
            _("Add the file {key}.form.json to the definition.", key=key),
        )


# ------------------------------------------------------------------------------------------------------ services


def _service(context: Context, shape: Shape) -> Iterator[Problem]:
    code = next((name for name in _CODE if shape.attributes.get(name)), None)
    topic = shape.node.topic
    if code is not None:
        yield problem(
            shape,
            f"unsupported.{code}",
            _("The {kind} {name} is program code of another product.", kind=code, name=shape.attributes[code]),
            _('Choose one of the house\'s topics: camunda:type="external" and camunda:topic.'),
        )
    elif not topic:
        yield problem(
            shape,
            "topic",
            _("The task names no topic, so nothing would be done."),
            _("Choose one of the house's topics."),
        )
    elif shape.attributes.get("type", "external") != "external":
        yield problem(
            shape,
            "topic",
            _("A service task of type {type} does not run here.", type=shape.attributes["type"]),
            _('Set camunda:type="external".'),
        )
    elif context.known is not None:
        yield from _topic(context.known.topics.get(topic), shape, sorted(context.known.topics))


def _topic(shape_of_topic: object, shape: Shape, known: list[str]) -> Iterator[Problem]:
    from engine.workflow.contract import TopicShape

    topic = shape.node.topic
    if not isinstance(shape_of_topic, TopicShape):
        yield problem(
            shape,
            "topic",
            _("There is no topic {topic}.", topic=topic),
            _("Choose one of: {known}.", known=", ".join(known) or "-"),
        )
        return
    given = set(shape.node.parameters)
    for name in shape_of_topic.required:
        if name not in given:
            yield problem(
                shape,
                "parameter",
                _("The topic {topic} needs the parameter {name}.", topic=topic, name=name),
                _("Add it as a camunda:inputParameter."),
            )
    for name in sorted(given - set(shape_of_topic.parameters)):
        yield problem(
            shape,
            "parameter",
            _("The topic {topic} takes no parameter {name}.", topic=topic, name=name),
            _("It takes: {known}.", known=", ".join(shape_of_topic.parameters) or "-"),
        )


def _send(context: Context, shape: Shape) -> Iterator[Problem]:
    if shape.node.topic or any(shape.attributes.get(name) for name in _CODE):
        yield from _service(context, shape)
    elif shape.event is None or not shape.event.name:
        yield problem(
            shape,
            "message",
            _("The send task names neither a topic nor a message."),
            _("Choose one of the house's topics."),
        )


# ------------------------------------------------------------------------------------------------------ the others


def _script(_context: Context, shape: Shape) -> Iterator[Problem]:
    language = shape.attributes.get("scriptFormat", "")
    if not shape.script:
        yield problem(shape, "script", _("The script task has no script."), _("Write assignments like a = b + 1."))
        return
    read = compile_expression if shape.node.result_variable else compile_script
    what = _("The script ({language})", language=language) if language else _("The script")
    yield from expression(shape, "script", shape.script, what, read)
    if not shape.node.result_variable:
        try:
            targets = compile_script(shape.script).targets
        except ExpressionError:
            return
        for name in sorted(targets & FACTS):
            yield from variable(shape, name)


def _rule(context: Context, shape: Shape) -> Iterator[Problem]:
    code = next((name for name in _CODE if shape.attributes.get(name)), None)
    if code is not None or shape.node.topic or not shape.decision:
        yield problem(
            shape,
            "decision",
            _("The business rule task names no decision."),
            _("Name a decision of a .dmn file in camunda:decisionRef."),
        )
    elif shape.decision not in context.decisions.by_id:
        known = ", ".join(sorted(context.decisions.by_id)) or "-"
        yield problem(
            shape,
            "decision",
            _("There is no decision {id} in the files of this definition.", id=shape.decision),
            _("Add its .dmn file, or choose one of: {known}.", known=known),
        )
    if shape.decision_result and shape.decision_result not in RESULTS:
        yield problem(
            shape,
            "decision",
            _("The decision result cannot be mapped as {name}.", name=shape.decision_result),
            _("Choose one of: {known}.", known=", ".join(sorted(RESULTS))),
        )
    if not shape.node.result_variable:
        yield problem(
            shape,
            "decision",
            _("The result of the decision is kept nowhere."),
            _("Name a variable in camunda:resultVariable."),
        )


def _call(context: Context, shape: Shape) -> Iterator[Problem]:
    if not shape.called or "{" in shape.called:
        yield problem(
            shape,
            "called_element",
            _("The call activity does not name a process, or names it by an expression."),
            _("Write the id of the process; choose between several by a gateway."),
        )
    elif shape.called not in context.diagram.processes:
        yield problem(
            shape,
            "called_element",
            _("There is no process {id}.", id=shape.called),
            _("Deploy it before, or add its diagram to this definition."),
        )
    for one in (*shape.passed_in, *shape.passed_out):
        yield from expression(shape, "mapping", one.source, _("The parameter {name}", name=one.target))
        yield from variable(shape, one.target)
    yield from expression(shape, "mapping", shape.called_business_key, _("The business key"))


_RULES = {
    "userTask": _user,
    "serviceTask": _service,
    "sendTask": _send,
    "scriptTask": _script,
    "businessRuleTask": _rule,
    "callActivity": _call,
}
