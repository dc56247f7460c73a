"""What the checks look at, and how they say what they found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.errors import Problem
from engine.expressions import ExpressionError, compile_expression
from engine.i18n import Sentence, _
from engine.workflow.contract import Known
from engine.workflow.decisions import Decisions
from engine.workflow.diagram import Diagram, Scope, Shape
from engine.workflow.names import FACTS

NAME = re.compile(r"[^\W\d]\w*")
LONGEST_NAME, LONGEST_EVENT = 200, 120
"""What the tables hold; PostgreSQL would refuse a longer one in the middle of a step."""


@dataclass(frozen=True, slots=True)
class Context:
    diagram: Diagram
    decisions: Decisions
    files: Mapping[str, str]
    known: Known | None

    def has_form(self, key: str) -> bool:
        wanted = f"{key}.form.json"
        return any(name == wanted or name.endswith("/" + wanted) for name in self.files)


def problem(
    at: Shape | Scope,
    rule: str,
    message: Sentence,
    remedy: Sentence | None = None,
    severity: Literal["error", "warning"] = "error",
) -> Problem:
    return Problem(where=at.id, rule=rule, message=message, remedy=remedy, file=at.file, severity=severity)


def name_problems(at: Shape | Scope, name: str, longest: int = LONGEST_NAME) -> Iterator[Problem]:
    if len(name) > longest:
        yield problem(
            at,
            "long_name",
            _("The name is longer than {limit} signs.", limit=longest),
            _("Shorten it, and write the rest into the documentation."),
        )


def expression(
    at: Shape | Scope, rule: str, text: str, what: Sentence, read: Callable[[str], object] = compile_expression
) -> Iterator[Problem]:
    """A problem when this text cannot be read; `what` names the text for people."""
    if text.strip():
        try:
            read(text)
        except ExpressionError as error:
            yield problem(at, rule, _("{what}: {detail}", what=what, detail=error.message), REMEDIES.get(rule))


REMEDIES: dict[str, Sentence] = {
    "condition": _("Write a comparison of process variables and form fields, like ${amount > 5000}."),
    "timer": _("Write an ISO 8601 duration (PT8H, P2D), date or cycle (R3/PT1H), or working_days(2)."),
    "due": _("Write an ISO 8601 duration like P7D, or working_days(2)."),
    "mapping": _('Write a variable, a field like form.amount, or text in quotes: "approved".'),
    "script": _('Write assignments like total = sum(form.lines, "amount"), or call an operation by a service task.'),
}


def variable(at: Shape, name: str) -> Iterator[Problem]:
    """A name the diagram gives to a variable must be one."""
    if name and not NAME.fullmatch(name):
        yield problem(at, "variable_name", _("{name} cannot be the name of a variable.", name=name))
    elif name in FACTS:
        yield problem(
            at,
            "variable_name",
            _("{name} is a fact of the process and cannot be set.", name=name),
            _("Choose another name."),
        )
