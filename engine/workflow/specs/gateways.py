"""Gateways: exclusive, parallel, inclusive, event-based."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.i18n import _
from engine.workflow.names import Names
from engine.workflow.specs.element import Element, NoWay, Way
from engine.workflow.tree import WAITING, Scope, Token, merge


class Exclusive(Element):
    """The first flow whose condition holds, else the default; tokens come together without waiting."""

    def choose(self, token: Token) -> tuple[Way, ...] | list[Way]:
        if not self.conditional:
            return self.ways[:1]
        names = Names(token)
        for way in self.ways:
            if way is not self.default and (way.condition is None or way.condition.holds(names)):
                return [way]
        if self.default is not None:
            return [self.default]
        raise NoWay(_("No condition holds on the flows out of {element}.", element=self.key))


class Gathering(Element):
    """A gateway that waits for tokens on several flows and lets one through with the variables of all."""

    gathers = True
    incoming: tuple[str, ...] = ()
    """ids of the flows into it"""

    def arrived(self, scope: Scope) -> dict[str, Token]:
        """Of each flow the token that came first."""
        first: dict[str, Token] = {}
        for token in scope.live.values():
            if token.task_spec is self and token._state == WAITING:
                first.setdefault(token.internal_data.get("via", ""), token)
        return first

    def let_through(self, tokens: list[Token]) -> None:
        """Melt these into the one that came last."""
        *others, through = sorted(tokens, key=lambda token: token.id)
        data, stamps = dict(through.data), dict(through.stamps)
        for token in tokens:
            token.forgive()
        for other in others:
            merge(data, stamps, other.data, other.stamps)
            other.workflow.remove(other)
        through.data, through.stamps = data, stamps
        through.internal_data.pop("via", None)
        through._ready()


class Parallel(Gathering):
    def choose(self, token: Token) -> tuple[Way, ...]:
        return self.ways

    def _update(self, my_task: Token) -> None:
        if len(self.incoming) < 2:
            my_task.internal_data.pop("via", None)
            my_task._ready()
            return
        my_task._state = WAITING
        first = self.arrived(my_task.workflow)
        if len(first) == len(self.incoming):
            self.let_through(list(first.values()))


class Inclusive(Gathering):
    """Waits only for tokens that can still come: asked again whenever nothing else moves."""

    sources: Mapping[str, frozenset[str]] = {}
    """incoming flow -> keys of the elements from which it can be reached without passing this gateway"""

    def _update(self, my_task: Token) -> None:
        if len(self.incoming) < 2:
            my_task.internal_data.pop("via", None)
            my_task._ready()
        else:
            my_task._state = WAITING

    def open_gates(self, scope: Scope) -> bool:
        first = self.arrived(scope)
        if not first or any(self._may_come(token, first) for token in scope.live.values()):
            return False
        self.let_through(list(first.values()))
        return True

    def _may_come(self, token: Token, first: Mapping[str, Any]) -> bool:
        """Whether this token can still reach a flow on which none has come, and no flow on which one has."""
        if token.task_spec is self or "listens" in token.internal_data:
            return False
        key = token.task_spec.key
        reaches = [flow for flow in self.incoming if key in self.sources[flow]]
        return bool(reaches) and not any(flow in first for flow in reaches)


class EventBased(Element):
    """All events behind it wait; the first to happen wins and the others are forgotten."""

    def leave(self, token: Token) -> None:
        for way in token.route:
            racing = {"race": token.id, "flow": way.id}
            token.workflow.spawn(way.target, dict(token.data), stamps=dict(token.stamps), internal=racing)
