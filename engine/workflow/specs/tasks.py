"""User, service, script and business rule tasks, and those that pass through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import BpmnError
from engine.expressions import Expression, Script
from engine.workflow import catching, timers
from engine.workflow.contract import PENDING, ServiceCall
from engine.workflow.decisions import Explanation
from engine.workflow.names import Names
from engine.workflow.specs.element import Element
from engine.workflow.specs.events import uncaught
from engine.workflow.specs.opening import Opening
from engine.workflow.tree import Token
from engine.workflow.values import clean


class PassThrough(Element):
    """A plain or manual task: a note for people, nothing for the engine."""


class UserTask(Opening):
    due: timers.TimerRule | None = None

    def execute(self, token: Token) -> bool:
        if self.inputs_of:
            token.write(self.values(token, self.inputs_of))
        due = self.due.due(token.top.host, Names(token)).at if self.due else None
        self.open(token, due)
        return False


class Keeping(Element):
    """A task with a result: kept under its result variable."""

    result_variable = ""

    def keep(self, token: Token, result: Any) -> None:
        if self.result_variable:
            token.write({self.result_variable: clean(result)})


class ServiceTask(Keeping):
    """Calls a topic of the house, or waits for what a connector answers."""

    def execute(self, token: Token) -> bool:
        if "called" in token.internal_data:
            return False
        boundary = token.data.get("boundary")
        call = ServiceCall(
            topic=self.shape.node.topic,
            token=token.id,
            node=self.key,
            parameters=self.values(token, self.inputs_of),
            boundary_host=boundary.get("host") if isinstance(boundary, Mapping) else None,
        )
        try:
            result = token.top.host.call_service(call)
        except BpmnError as error:
            if not catching.throw(token, "error", error.code, clean(error.variables)):
                raise uncaught(error.code) from error
            return False
        if result is PENDING:
            token.internal_data["called"] = True
            return False
        self.keep(token, result)
        return True

    def resolve(self, token: Token, result: Any) -> None:
        token.internal_data.pop("called", None)
        self.keep(token, result)
        token.resume()


class ScriptTask(Keeping):
    script: Script | None = None
    expression: Expression | None = None
    """instead of a script, when the task has a result variable"""

    def execute(self, token: Token) -> bool:
        if self.script is not None:
            token.write(clean(self.script.run(Names(token))))
        elif self.expression is not None:
            self.keep(token, self.expression.evaluate(Names(token)))
        return True


class RuleTask(Keeping):
    """A business rule task: asks a decision table."""

    decide: Callable[[Mapping[str, Any]], Any]
    explain: Callable[[Mapping[str, Any]], Explanation]

    def execute(self, token: Token) -> bool:
        names = Names(token, self.values(token, self.inputs_of) if self.inputs_of else None)
        self.keep(token, self.decide(names))
        return True
