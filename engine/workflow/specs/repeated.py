"""Multi-instance: one token, the body, holds the count; its instances are tokens beneath it."""

from __future__ import annotations

from typing import Any

from engine.expressions import Expression, ExpressionError
from engine.expressions.values import number, shown
from engine.i18n import _
from engine.workflow.diagram import Loop
from engine.workflow.names import Names
from engine.workflow.specs.element import Element
from engine.workflow.tree import Token, merge
from engine.workflow.values import clean

MAX_INSTANCES = 2_000


class Repeated(Element):
    loop: Loop
    body: Element
    """what one instance does"""
    collection: Expression | None = None
    cardinality: Expression | None = None
    condition: Expression | None = None

    def execute(self, token: Token) -> bool:
        items = self._items(token)
        token.internal_data |= {"total": len(items), "finished": 0}
        if self.loop.output_collection:
            token.write({self.loop.output_collection: []})
        if not items:
            return True
        if self.loop.sequential:
            token.internal_data["items"] = items
        for index, item in enumerate(items[:1] if self.loop.sequential else items):
            self._spawn(token, index, item)
        return False

    def _items(self, token: Token) -> list[Any]:
        names = Names(token)
        if self.collection is not None:
            value = self.collection.evaluate(names)
            if not isinstance(value, list):
                raise ExpressionError(_("{value} is not a list.", value=shown(value)))
            items = list(value)
        else:
            assert self.cardinality is not None
            count = number(self.cardinality.evaluate(names))
            if count is None or count != int(count) or count < 0:
                raise ExpressionError(_("{value} is not a number of instances.", value=shown(count)))
            items = list(range(min(int(count), MAX_INSTANCES + 1)))
        if len(items) > MAX_INSTANCES:
            raise ExpressionError(_("An element may have {limit} instances at most.", limit=MAX_INSTANCES))
        return items

    def _spawn(self, body: Token, index: int, item: Any) -> None:
        data = {**body.data, "loopCounter": index}
        if self.loop.element:
            data[self.loop.element] = item
        body.workflow.spawn(self.body, data, stamps=dict(body.stamps), parent=body)

    def instance_done(self, body: Token, instance: Token) -> None:
        """Count it, take its result, and see whether the whole is decided."""
        internal = body.internal_data
        finished, total = internal["finished"] + 1, internal["total"]
        active = len(body._children) - 1
        counts = {"nrOfInstances": total, "nrOfCompletedInstances": finished, "nrOfActiveInstances": active}
        results = self._results(body, instance)
        decided = finished == total or (
            self.condition is not None and self.condition.holds(Names(instance, {**results, **counts}))
        )
        internal["finished"] = finished
        self._take(body, instance, results)
        if decided:
            internal.pop("items", None)
            for child in list(body._children):
                body.workflow.tasks[child].cancel()
            body.resume()
        elif self.loop.sequential:
            self._spawn(body, finished, internal["items"][finished])

    def bring_out(self, token: Token) -> None:
        for child in token._children:
            instance = token.workflow.tasks[child]
            instance.task_spec.bring_out(instance)
            if not self.loop.output_collection:
                self._take(token, instance, {})

    def _results(self, body: Token, instance: Token) -> dict[str, Any]:
        if not self.loop.output_collection:
            return {}
        item = instance.data.get(self.loop.output_element) if self.loop.output_element else None
        return {self.loop.output_collection: [*body.data.get(self.loop.output_collection, ()), clean(item)]}

    def _take(self, body: Token, instance: Token, results: dict[str, Any]) -> None:
        """The list of results when one is drawn, else whatever variables the instance set."""
        if self.loop.output_collection:
            body.write(results)
            return
        own = {"loopCounter", self.loop.element}
        data = {name: value for name, value in instance.data.items() if name not in own}
        merge(body.data, body.stamps, data, instance.stamps)
