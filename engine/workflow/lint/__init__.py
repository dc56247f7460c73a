"""Everything wrong with a definition, at once: element id, rule, message, remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.errors import Problem
from engine.i18n import _
from engine.workflow.contract import Known
from engine.workflow.decisions import Decisions
from engine.workflow.diagram import Diagram
from engine.workflow.lint import flows, shapes, tasks
from engine.workflow.lint.context import LONGEST_NAME, Context

MAX_ELEMENTS = 2_000


def check(diagram: Diagram, decisions: Decisions, files: Mapping[str, str], known: Known | None) -> list[Problem]:
    """Problems in the order of the drawing. Without `known`, topics and assignment rules are taken on trust."""
    context = Context(diagram, decisions, files, known)
    return [*diagram.problems, *decisions.problems, *_definition(context), *_elements(context)]


def _definition(context: Context) -> Iterator[Problem]:
    diagram = context.diagram
    if diagram.main not in diagram.processes and not any(one.rule == "xml" for one in diagram.problems):
        yield Problem(
            where=diagram.main or next(iter(context.files), "-"),
            rule="no_process",
            message=_("There is no process in these files."),
            remedy=_("Add a .bpmn file with a process."),
        )
    if sum(len(scope.shapes) for scope in diagram.scopes.values()) > MAX_ELEMENTS:
        yield Problem(
            where=diagram.main,
            rule="too_many_elements",
            message=_("The diagram has more than {limit} elements.", limit=MAX_ELEMENTS),
            remedy=_("Divide it into processes that call each other."),
        )
    for name in context.files:
        if len(name) > LONGEST_NAME:
            yield Problem(
                where=f"{name[:50]}…",
                rule="long_name",
                message=_("The name is longer than {limit} signs.", limit=LONGEST_NAME),
            )
    for id, file in diagram.unused.items():
        yield Problem(
            where=id,
            rule="unused_process",
            message=_("The process {id} is called by nobody here and does not run.", id=id),
            file=file,
            severity="warning",
        )


def _elements(context: Context) -> Iterator[Problem]:
    for scope in context.diagram.scopes.values():
        yield from flows.check(context, scope)
        for shape in scope.shapes.values():
            yield from shapes.check(context, scope, shape)
            yield from tasks.check(context, shape)
