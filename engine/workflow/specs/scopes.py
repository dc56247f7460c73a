"""Sub-processes, event sub-processes and call activities: elements that run a scope of their own."""

from __future__ import annotations

from typing import Any

from engine.expressions import Expression, ExpressionError
from engine.expressions.values import text
from engine.i18n import _
from engine.workflow.diagram import Pass
from engine.workflow.names import Names
from engine.workflow.specs.element import Element
from engine.workflow.tree import Token
from engine.workflow.values import clean

LONGEST_KEY = 120


class SubProcess(Element):
    """Runs what is drawn inside; its variables are the token's own."""

    inner: Any
    """the spec of the scope"""
    shares_variables = True

    def execute(self, token: Token) -> bool:
        scope = token.top.nest(token, self.inner)
        scope.business_key = token.workflow.business_key
        scope.begin(None, token.data)
        return False

    def conclude(self, token: Token) -> None:
        inner, before = token.internal_data.get("inner", {}), token.data
        token.write({name: value for name, value in inner.items() if name not in before or before[name] != value})
        token.internal_data.pop("inner", None)

    def _on_cancel(self, my_task: Token) -> None:
        scope = my_task.top.subprocesses.get(my_task.id)
        if scope is not None:
            scope.completed = True
            scope.cancel_tokens()
            del my_task.top.subprocesses[my_task.id]
        super()._on_cancel(my_task)


class EventSubProcess(SubProcess):
    """Begun by one of its start events, in a scope whose other tokens it may have ended."""

    is_handler = True

    def execute(self, token: Token) -> bool:
        start = self.inner.task_specs[token.internal_data["start"]]
        scope = token.top.nest(token, self.inner)
        scope.business_key = token.workflow.business_key
        scope.begin(start, token.data)
        return False


class CallActivity(SubProcess):
    """Runs another process of the definition; without camunda:in all goes in, without camunda:out all comes out."""

    shares_variables = False
    passed_in: tuple[tuple[Pass, Expression | None], ...] = ()
    passed_out: tuple[tuple[Pass, Expression | None], ...] = ()
    business_key: Expression | None = None

    def execute(self, token: Token) -> bool:
        data = _passed(token, self.passed_in) if self.passed_in else dict(token.data)
        key = text(self.business_key.evaluate(Names(token))) if self.business_key else token.workflow.business_key
        if key is not None and len(key) > LONGEST_KEY:
            raise ExpressionError(_("The business key is longer than {limit} signs.", limit=LONGEST_KEY))
        scope = token.top.nest(token, self.inner)
        scope.business_key = key
        scope.begin(None, data)
        return False

    def conclude(self, token: Token) -> None:
        if not self.passed_out:
            super().conclude(token)
            return
        inner = token.internal_data.get("inner", {})
        result: dict[str, Any] = {}
        for drawn, source in self.passed_out:
            if drawn.everything:
                result |= inner
            elif source is not None:
                result[drawn.target] = clean(source.evaluate(inner))
        token.write(result)
        token.internal_data.pop("inner", None)


def _passed(token: Token, passes: tuple[tuple[Pass, Expression | None], ...]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    names = Names(token)
    for drawn, source in passes:
        if drawn.everything:
            data |= token.data
        elif source is not None:
            data[drawn.target] = clean(source.evaluate(names))
    return data
