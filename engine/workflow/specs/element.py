"""What every element does: come in, work, choose the ways out, leave; listeners on its border, mappings, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins import BpmnSpecMixin

from engine.expressions import Expression, ExpressionError
from engine.i18n import _
from engine.workflow.diagram import Shape
from engine.workflow.names import Names
from engine.workflow.tree import READY, Scope, Token
from engine.workflow.values import clean


@dataclass(frozen=True, slots=True)
class Way:
    """A sequence flow out of an element."""

    id: str
    target: Element
    condition: Expression | None = None
    name: str = ""


class NoWay(ExpressionError):
    code = "no_way"


class Element(BpmnSpecMixin):  # type: ignore[misc]
    """The life of a token in an element: READY -> `execute` -> (waits, is resumed) -> `choose` -> it leaves.

    Of SpiffWorkflow's TaskSpec the protected hooks are overridden: `_predict` (nothing is looked ahead), `_update`,
    `_on_ready`, `_run`, `_on_complete`, `_on_cancel`. Specs are shared by all instances and never changed by one.
    """

    gathers = False
    """whether tokens are counted by the flow they come in by"""
    shares_variables = False
    """whether the scope inside it works on the variables of the scope around it"""
    is_handler = False
    """an event sub-process: what is thrown inside it passes by the handlers beside it"""

    def __init__(self, wf_spec: Any, shape: Shape, name: str = "") -> None:
        super().__init__(wf_spec, name or shape.key, bpmn_name=shape.node.name, documentation=shape.node.documentation)
        self.shape = shape
        self.key = shape.key
        self.ways: tuple[Way, ...] = ()
        self.default: Way | None = None
        self.conditional = False
        self.boundaries: tuple[Element, ...] = ()
        """the events on its border"""
        self.listeners: tuple[Element, ...] = ()
        """those of them that wait for something from outside"""
        self.inputs_of: Mapping[str, Expression] = {}
        self.outputs_of: Mapping[str, Expression] = {}
        self.repeats = False
        """one of many instances: enters and leaves unseen, its body is seen instead"""

    # -- what kinds of elements do differently

    def execute(self, token: Token) -> bool:
        """Do the work; False when the token has to wait for it."""
        return True

    def choose(self, token: Token) -> tuple[Way, ...] | list[Way]:
        """Every flow without a condition and every one whose condition holds; the default when none does."""
        if not self.conditional:
            return self.ways
        names = Names(token)
        taken = [
            way
            for way in self.ways
            if way is not self.default and (way.condition is None or way.condition.holds(names))
        ]
        if taken:
            return taken
        if self.default is not None:
            return [self.default]
        raise NoWay(_("No condition holds on the flows out of {element}.", element=self.key))

    def listen(self, token: Token) -> None:
        """Wait as a listener; only events do."""

    def conclude(self, token: Token) -> None:
        """Take over what the work has brought, before the ways out are chosen; done again when it is retried."""

    def bring_out(self, token: Token) -> None:
        """The work is broken off by a jump: take over what has been changed within so far."""

    def waits_for(self, kind: str, name: str) -> bool:
        return False

    def is_waiting(self, token: Token) -> bool:
        return False

    def open_gates(self, scope: Scope) -> bool:
        """Let tokens through that were held back until nothing else moved; True when one went."""
        return False

    # -- SpiffWorkflow's hooks

    def _predict(self, my_task: Token, seen: Any = None, looked_ahead: int = 0, mask: int = 0) -> None:
        pass

    def _update(self, my_task: Token) -> None:
        my_task._ready()

    def _on_ready(self, my_task: Token) -> None:
        my_task.top.agenda.append(my_task)

    def _run(self, my_task: Token) -> bool | None:
        internal = my_task.internal_data
        if "done" not in internal:
            if not self.repeats and "failed" not in internal:
                self.enter(my_task)
            if self.listeners and "armed" not in internal:
                self.arm(my_task)
            if not self.execute(my_task) or my_task._state != READY:
                return None
            internal["done"] = True
        self.conclude(my_task)
        if self.outputs_of:
            names = Names(my_task)
            my_task.write({name: clean(value.evaluate(names)) for name, value in self.outputs_of.items()})
        my_task.route = self.choose(my_task)
        return True

    def _on_complete(self, my_task: Token) -> None:
        scope = my_task.workflow
        self.disarm(my_task)
        if self.repeats:
            body = scope.tasks[my_task._parent or 0]
            body.task_spec.instance_done(body, my_task)
            scope.remove(my_task)
            return
        my_task.top.journal.path.append((self.key, "left"))
        self.leave(my_task)
        scope.remove(my_task)
        scope.settle()

    def leave(self, token: Token) -> None:
        scope, path = token.workflow, token.top.journal.path
        ways = token.route
        if not ways:
            scope.absorb(token)
            return
        last = len(ways) - 1
        for index, way in enumerate(ways):
            path.append((way.id, "taken"))
            data = token.data if index == last else dict(token.data)
            internal = {"via": way.id} if way.target.gathers else None
            scope.spawn(way.target, data, stamps=dict(token.stamps), internal=internal)

    def _on_cancel(self, my_task: Token) -> None:
        self.disarm(my_task)
        my_task.forgive()

    def enter(self, token: Token) -> None:
        token.top.journal.path.append((self.key, "entered"))

    def interrupted(self, token: Token) -> None:
        """It had begun and will not end."""
        if not self.repeats:
            token.top.journal.path.append((self.key, "cancelled"))

    def arm(self, token: Token) -> None:
        token.internal_data["armed"] = True
        try:
            for boundary in self.listeners:
                token.workflow.listen(boundary, {"host": token.id})
        except Exception:
            self.disarm(token)
            del token.internal_data["armed"]
            raise

    def disarm(self, token: Token) -> None:
        if "armed" in token.internal_data:
            for listener in list(token.workflow.live.values()):
                if listener.internal_data.get("host") == token.id:
                    listener.cancel()

    # -- for the kinds

    def values(self, token: Token, expressions: Mapping[str, Expression]) -> dict[str, Any]:
        names = Names(token)
        return {name: clean(expression.evaluate(names)) for name, expression in expressions.items()}
