"""Who catches what is thrown: errors and escalations climb outwards from the thrower, signals reach all who wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.workflow.contract import Thrown
from engine.workflow.tree import Instance, Scope, Token


@dataclass(slots=True)
class _Catch:
    spec: Any
    """a boundary event, or the start of an event sub-process"""
    host: Token | None
    """the token whose border holds the event; None for the start of an event sub-process"""
    scope: Scope
    variables: dict[str, Any]


def throw(token: Token, kind: str, code: str, variables: Mapping[str, Any]) -> bool:
    """Raise an error or escalation where the token stands; False when nobody catches it.

    An interrupting catch cancels the token itself.
    """
    caught = _find(token, kind, code, dict(variables))
    if caught is None:
        return False
    source = {"code": code, "source": token.task_spec.key}
    if caught.host is None:
        caught.spec.begin(caught.scope, caught.variables, source)
    else:
        caught.spec.fire(caught.host, caught.variables, source)
    return True


def _find(token: Token, kind: str, code: str, given: dict[str, Any]) -> _Catch | None:
    variables = {**token.data, **given}
    at: Token = token
    while True:
        scope = at.workflow
        host: Token | None = at
        while host is not None:
            boundary = _best(host.task_spec.boundaries, kind, code)
            if boundary is not None:
                return _Catch(boundary, host, scope, variables)
            above = scope.tasks.get(host._parent or 0)
            host = above if above is not None and above is not scope.task_tree else None
        if not at.task_spec.is_handler:
            start = _best(scope.spec.event_starts, kind, code)
            if start is not None:
                return _Catch(start, None, scope, variables)
        if scope.parent_task_id is None:
            return None
        owner = scope.owner
        if owner.task_spec.shape.tag == "callActivity":
            variables = dict(given)
        at = owner


def _best(specs: Any, kind: str, code: str) -> Any:
    """The event for this very code before one for any."""
    fitting = [spec for spec in specs if spec.event.kind == kind and spec.event.name in {code, ""}]
    return next((spec for spec in fitting if spec.event.name == code), fitting[0] if fitting else None)


def broadcast(token: Token, name: str) -> None:
    """Send a signal to everyone of this instance who waits for it now, and to the outside."""
    top = token.top
    payload = dict(token.data)
    top.journal.thrown(Thrown("signal", name, business_key(token), payload))
    for waiting in _waiting(top, name):
        if top.find(waiting.id) is waiting:  # an earlier one may have cancelled it
            waiting.task_spec.happen(waiting, payload)


def _waiting(top: Instance, name: str) -> list[Token]:
    return [
        token
        for scope in top.scopes()
        for token in scope.live.values()
        if token.task_spec.waits_for("signal", name) and token.task_spec.is_waiting(token)
    ]


def send(token: Token, name: str, variables: Mapping[str, Any]) -> None:
    """A message to whoever correlates it, outside of this instance."""
    token.top.journal.thrown(Thrown("message", name, business_key(token), dict(variables)))


def business_key(token: Token) -> str | None:
    own = token.workflow.business_key
    if own is not None:
        return own
    found = token.top.host.facts().get("business_key")
    return None if found is None else str(found)
