"""Sub-processes, event sub-processes and call activities: elements that run a scope of their own."""

from __future__ import annotations

from collections.abc import Mapping
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
        into = token.internal_data.get("into")
        if into is None:
            scope.begin(None, token.data)
        else:  # a token was sent to something inside
            scope.begin(self.inner.task_specs[into[0]], token.data, errand={"into": into[1:]} if into[1:] else None)
            del token.internal_data["into"]
        return False

    def conclude(self, token: Token) -> None:
        _write_changed(token, token.internal_data.get("inner", {}))
        token.internal_data.pop("inner", None)

    def bring_out(self, token: Token) -> None:
        scope = token.top.subprocesses.get(token.id)
        if scope is not None and self.shares_variables:
            _write_changed(token, scope.merged())

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


def _write_changed(token: Token, inner: Mapping[str, Any]) -> None:
    before = token.data
    token.write({name: value for name, value in inner.items() if name not in before or before[name] != value})


def _passed(token: Token, passes: tuple[tuple[Pass, Expression | None], ...]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    names = Names(token)
    for drawn, source in passes:
        if drawn.everything:
            data |= token.data
        elif source is not None:
            data[drawn.target] = clean(source.evaluate(names))
    return data
