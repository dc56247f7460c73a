"""Start, catch, throw, end and boundary events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.expressions import ExpressionError
from engine.i18n import _
from engine.workflow import catching, timers
from engine.workflow.contract import TimerSet, WaitSet
from engine.workflow.diagram import Event, Shape
from engine.workflow.names import Names
from engine.workflow.specs.element import Element
from engine.workflow.specs.opening import Opening
from engine.workflow.tree import Scope, Token


class Uncaught(ExpressionError):
    code = "error_not_caught"


class Start(Opening):
    """A start event: whoever begins the scope has already seen it happen.

    A token sent back to it "asks": it opens like a user task, for the starter to mend his request.
    """

    def execute(self, token: Token) -> bool:
        if "asks" not in token.internal_data:
            return True
        self.open(token)
        return False


class EventBearer(Element):
    """An element with one event definition."""

    def __init__(self, wf_spec: Any, shape: Shape, name: str = "") -> None:
        super().__init__(wf_spec, shape, name)
        self.event = shape.event or Event("none")
        self.timer = timers.read(self.event.timer) if self.event.timer else None


class Waiting(EventBearer):
    """An element that waits for a timer, a message or a signal."""

    def wait(self, token: Token, names: Mapping[str, Any]) -> None:
        """Tell the house what this token waits for."""
        top = token.top
        if self.timer is not None:
            due = self.timer.due(top.host, names)
            if due.repeats:
                token.internal_data |= {"left": due.repeats, "every": due.every}
            token.internal_data["due"] = due.at
            top.journal.timer_set(TimerSet(token.id, self.key, due.at, self.catch_up))
        elif self.event.kind in {"message", "signal"}:
            key = catching.business_key(token)
            top.journal.wait_set(WaitSet(token.id, self.key, self.event.kind, self.event.name, key))

    @property
    def catch_up(self) -> str:
        return self.shape.node.properties.get("timer.catch_up", "once")

    def host_of(self, token: Token) -> Token:
        """The token whose variables the timer is reckoned with."""
        return token

    def forget(self, token: Token) -> None:
        if "due" in token.internal_data:
            token.top.journal.timer_cleared(token.id)
        elif self.event.kind in {"message", "signal"}:
            token.top.journal.wait_cleared(token.id)

    def waits_for(self, kind: str, name: str) -> bool:
        return self.event.kind == kind and self.event.name == name

    def is_waiting(self, token: Token) -> bool:
        return "waits" in token.internal_data or "listens" in token.internal_data

    def happen(self, token: Token, variables: Mapping[str, Any]) -> None:
        """What it waited for has come."""
        raise NotImplementedError


class Catch(Waiting):
    """An intermediate catch event or a receive task."""

    def execute(self, token: Token) -> bool:
        if self.event.kind == "none":
            return True
        self.wait(token, Names(token))
        token.internal_data["waits"] = True
        return False

    def happen(self, token: Token, variables: Mapping[str, Any]) -> None:
        self._unwait(token)
        race = token.internal_data.pop("race", None)
        if race is not None:
            token.top.journal.path.append((token.internal_data.pop("flow"), "taken"))
            self.enter(token)
            for other in list(token.workflow.live.values()):
                if other.internal_data.get("race") == race:
                    other.cancel()
        token.write(variables)
        token.resume()

    def _unwait(self, token: Token) -> None:
        if token.internal_data.pop("waits", None):
            self.forget(token)

    def enter(self, token: Token) -> None:
        if "race" not in token.internal_data:  # else it is seen when it wins
            super().enter(token)

    def interrupted(self, token: Token) -> None:
        if "race" not in token.internal_data:
            super().interrupted(token)

    def _on_cancel(self, my_task: Token) -> None:
        self._unwait(my_task)
        super()._on_cancel(my_task)

    def _on_complete(self, my_task: Token) -> None:
        self._unwait(my_task)
        super()._on_complete(my_task)


class Listener(Waiting):
    """An event that waits beside the flow: on a border, or as the start of an event sub-process."""

    @property
    def interrupting(self) -> bool:
        return self.shape.interrupting

    def happen(self, token: Token, variables: Mapping[str, Any]) -> None:
        self.strike(token, variables)
        if self.timer is not None and token.id in token.workflow.live and not self._set_again(token):
            token.cancel()

    def strike(self, token: Token, variables: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _set_again(self, token: Token) -> bool:
        """The next instant of a cycle."""
        internal = token.internal_data
        left = internal.get("left", 0)
        if not left:
            return False
        now, before = token.top.host.now(), internal["due"]
        assert isinstance(before, datetime)
        internal["left"] = left if left == timers.FOREVER else left - 1
        internal["due"] = timers.following(before, internal["every"], now, catch_up=self.catch_up == "all")
        timer = TimerSet(token.id, self.key, internal["due"], self.catch_up)
        token.top.journal.timer_set(timer, moved=True)
        return True

    def _on_cancel(self, my_task: Token) -> None:
        if "listens" in my_task.internal_data:
            self.forget(my_task)
        super()._on_cancel(my_task)


class Boundary(Listener):
    """A boundary event; error and escalation events need no waiting token, they are looked up when one is thrown."""

    def listen(self, token: Token) -> None:
        self.wait(token, Names(self.host_of(token)))

    def host_of(self, token: Token) -> Token:
        return token.workflow.tasks[token.internal_data["host"]]

    def strike(self, token: Token, variables: Mapping[str, Any]) -> None:
        self.fire(self.host_of(token), variables, {})

    def fire(self, host: Token, variables: Mapping[str, Any], source: Mapping[str, Any]) -> None:
        """Let a token out of this event; an interrupting one ends its host."""
        scope = host.workflow
        boundary = {"event": self.key, "host": host.task_spec.key, **source}
        scope.top_workflow.journal.path.append((self.key, "entered"))
        out = scope.spawn(self, dict(host.data), stamps=dict(host.stamps), internal={"done": True})
        if self.interrupting or self.event.kind == "error":
            host.cancel()
        out.write({**variables, "boundary": boundary})


class EventStart(Listener):
    """The start event of an event sub-process, waiting as long as the scope around it runs."""

    handler: Any
    """spec of the event sub-process it starts"""

    def listen(self, token: Token) -> None:
        self.wait(token, Names(token))

    def strike(self, token: Token, variables: Mapping[str, Any]) -> None:
        self.begin(token.workflow, variables, {})

    def begin(self, scope: Scope, variables: Mapping[str, Any], source: Mapping[str, Any]) -> None:
        data = {**scope.merged(), **variables}
        if source:
            data["boundary"] = {"event": self.key, "host": scope.spec.name, **source}
        handler = scope.spawn(self.handler, data, internal={"start": self.key})
        if self.interrupting or self.event.kind == "error":
            scope.cancel_tokens(spare=handler)


class Throw(EventBearer):
    """An intermediate throw event, an end event or a send task with a message."""

    def execute(self, token: Token) -> bool:
        event = self.event
        if event.kind == "message":
            catching.send(token, event.name, self.values(token, self.inputs_of) or token.data)
        elif event.kind == "signal":
            catching.broadcast(token, event.name)
        elif event.kind == "escalation":
            catching.throw(token, event.kind, event.name, {})
        elif event.kind == "terminate":
            token.workflow.cancel_tokens(spare=token)
        elif event.kind == "error" and not catching.throw(token, event.kind, event.name, {}):
            fail_instance(token, event.name)
        return True


def fail_instance(token: Token, code: str) -> None:
    """An error nobody caught ends the whole instance."""
    token.top.end("rejected" if code == "rejected" else "failed", code)


def uncaught(code: str) -> Uncaught:
    return Uncaught(_("No error event catches the error {code}.", code=code))
