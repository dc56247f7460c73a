"""The way a process would go if everybody agreed: walked on a throw-away instance, as fast as its clock is turned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.workflow import choices, live
from engine.workflow.compiled import Compiled
from engine.workflow.contract import Choice, OpenedTask, Reached, Rehearsal, Way
from engine.workflow.specs.events import Catch
from engine.workflow.specs.tasks import ServiceTask
from engine.workflow.tree import Instance, Token

MAX_STEPS = 200
MAX_NUDGES = 200
"""Timers and messages on the way: a process that asks every hour whether it may go on would be walked for ever."""
AGREED = {"outcome": "approve"}


def preview(process: Compiled, variables: Mapping[str, Any], host: Rehearsal) -> Way:
    """The user tasks reached, in the order they open, each answered with "approve" when it is expected to be; timers on
    the way fire, messages arrive.

    A task that comes a second time is where a loop closes: it is left open. Where the process cannot go on (a failing
    expression), the way ends.
    """
    walk = _Walk(process, live.start(process, variables, host), host)
    while len(walk.steps) < MAX_STEPS and walk.go_on():
        pass
    return Way(tuple(walk.steps[:MAX_STEPS]), tuple(walk.pending.values()), walk.instance.top.ended == "completed")


class _Walk:
    def __init__(self, process: Compiled, instance: live.LiveInstance, host: Rehearsal) -> None:
        self.process = process
        self.instance = instance
        self.host = host
        self.steps: list[Reached] = []
        self.pending: dict[tuple[str, str], Choice] = {}
        """decided since the last step, the newest of each node's"""
        self._todo: list[Reached] = []
        """open, and not agreed to yet"""
        self._seen: set[tuple[str, Any]] = set()
        self._nudges = 0
        self._due: dict[int, datetime] = {}
        """token -> when its timer goes off"""
        self._look()

    def go_on(self) -> bool:
        """Let the next thing happen; False when there is none."""
        return self._agree() or self._nudge()

    def _agree(self) -> bool:
        """Agree to the task that will be done first; nobody knows when: at once, in the order they opened."""
        if not self._todo:
            return False
        now = self.host.now()
        step = min(self._todo, key=lambda one: one.expected_at or now)
        self._todo.remove(step)
        if step.expected_at is not None:
            self.host.go_to(step.expected_at)
        task = step.task
        if self.instance.has_open(task.token):  # another's answer may have ended it
            self.instance.complete(task.token, {**AGREED, task.node: {**AGREED, "by": None, "opinion": ""}})
            self._look()
        return True

    def _nudge(self) -> bool:
        """Let the oldest thing happen that the process waits for by itself."""
        token = _waiting(self.instance.top)
        if token is None or self._nudges == MAX_NUDGES:
            return False
        self._nudges += 1
        if token.id in self._due:
            self.host.go_to(self._due[token.id])
        if isinstance(token.task_spec, ServiceTask):
            self.instance.resolve_service(token.id, None)
        else:
            self.instance.deliver(token.id, "", {})
        self._look()
        return True

    def _look(self) -> None:
        """What has come of it: choices, and tasks with their variables as they are now, for the walk changes them."""
        changes = self.instance.drain()
        self._due |= {timer.token: timer.due_at for timer in changes.timers_set}
        for choice in choices.made(self.process, changes.path, self.instance.variables(), self.host):
            self.pending[choice.node, choice.flow] = choice
        for task in changes.opened:
            visit = task.node, task.data.get("loopCounter")
            if visit not in self._seen:
                self._seen.add(visit)
                self._reach(replace(task, data=dict(task.data)))

    def _reach(self, task: OpenedTask) -> None:
        step = Reached(task, tuple(self.pending.values()), self.host.expects(task))
        self.pending.clear()
        self.steps.append(step)
        self._todo.append(step)


def _waiting(top: Instance) -> Token | None:
    waiting = [
        token
        for scope in top.scopes()
        for token in scope.live.values()
        if (isinstance(token.task_spec, Catch) and token.task_spec.is_waiting(token))
        or ("called" in token.internal_data and "failed" not in token.internal_data)
    ]
    return min(waiting, key=lambda token: token.id, default=None)
