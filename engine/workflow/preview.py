"""The way a process would go if everybody agreed: walked on a throw-away instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.workflow import live
from engine.workflow.compiled import Compiled
from engine.workflow.contract import Changes, Host, OpenedTask
from engine.workflow.specs.events import Catch
from engine.workflow.specs.tasks import ServiceTask
from engine.workflow.tree import Instance, Token

MAX_STEPS = 200
AGREED = {"outcome": "approve"}


def preview(process: Compiled, variables: Mapping[str, Any], host: Host) -> list[OpenedTask]:
    """The user tasks reached, in order, each answered with "approve"; timers on the way fire, messages arrive.

    `host` answers service calls without effect. A task that comes a second time is where a loop closes: it is left
    open. Where the process cannot go on (a failing expression), the way ends.
    """
    instance = live.start(process, variables, host)
    found: list[OpenedTask] = []
    seen: set[tuple[str, Any]] = set()
    opened: list[OpenedTask] | None = _kept(instance.drain())
    while opened is not None and len(found) < MAX_STEPS:
        new = [task for task in opened if _visit(task) not in seen]
        seen |= {_visit(task) for task in new}
        if new:
            found += new
            opened = [task for one in new for task in _agree(instance, one)]
        else:
            opened = _nudge(instance)
    return found[:MAX_STEPS]


def _visit(task: OpenedTask) -> tuple[str, Any]:
    return task.node, task.data.get("loopCounter")


def _kept(changes: Changes) -> list[OpenedTask]:
    """The tasks opened, with their variables as they are now: the walk goes on changing them."""
    return [replace(task, data=dict(task.data)) for task in changes.opened]


def _agree(instance: live.LiveInstance, task: OpenedTask) -> list[OpenedTask]:
    """Complete it if it is still there: another's answer may have ended it."""
    if instance.has_open(task.token):
        instance.complete(task.token, {**AGREED, task.node: {**AGREED, "by": None, "opinion": ""}})
    return _kept(instance.drain())


def _nudge(instance: live.LiveInstance) -> list[OpenedTask] | None:
    """Let the oldest thing happen that the process waits for by itself; None when there is none."""
    token = _waiting(instance.top)
    if token is None:
        return None
    if isinstance(token.task_spec, ServiceTask):
        instance.resolve_service(token.id, None)
    else:
        instance.deliver(token.id, "", {})
    return _kept(instance.drain())


def _waiting(top: Instance) -> Token | None:
    waiting = [
        token
        for scope in top.scopes()
        for token in scope.live.values()
        if (isinstance(token.task_spec, Catch) and token.task_spec.is_waiting(token))
        or ("called" in token.internal_data and "failed" not in token.internal_data)
    ]
    return min(waiting, key=lambda token: token.id, default=None)
