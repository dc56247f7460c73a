"""One instance in memory, as the rest of the engine drives it: contract.Live over our tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.errors import Conflict
from engine.i18n import _
from engine.workflow import catching, snapshot, surgery
from engine.workflow.compiled import Compiled
from engine.workflow.contract import Changes, Host, Jump, Reckoned, TimerSet, TokenAt
from engine.workflow.names import Names
from engine.workflow.specs.events import Waiting, fail_instance
from engine.workflow.specs.opening import Opening
from engine.workflow.specs.tasks import Keeping, ServiceTask, UserTask
from engine.workflow.tree import WAITING, Instance, Token, placed
from engine.workflow.values import clean


class LiveInstance:
    """See contract.Live for what the methods promise."""

    def __init__(self, top: Instance) -> None:
        self.top = top

    @property
    def host(self) -> Host:
        return self.top.host

    @host.setter
    def host(self, host: Host) -> None:
        self.top.host = host

    def has_open(self, token: int) -> bool:
        found = self.top.find(token)
        return found is not None and "open" in found.internal_data

    def complete(self, token: int, variables: Mapping[str, Any]) -> None:
        at = self._open(token)
        at.task_spec.complete(at, variables)
        self.top.advance()

    def throw_error(self, token: int, code: str, variables: Mapping[str, Any]) -> None:
        at = self._open(token)
        given = clean(variables)
        del at.internal_data["open"]
        self.top.journal.closed(token)
        if not catching.throw(at, "error", code, given):
            at.write(given)
            fail_instance(at, code)
        self.top.advance()

    def fire_timer(self, token: int) -> None:
        at = self._waiting(token)
        at.task_spec.happen(at, {})
        self.top.advance()

    def deliver(self, token: int, name: str, variables: Mapping[str, Any]) -> None:
        at = self._waiting(token)
        if name not in {"", at.task_spec.event.name}:
            raise Conflict(_("The process does not wait for {name} here.", name=name))
        at.task_spec.happen(at, clean(variables))
        self.top.advance()

    def resolve_service(self, token: int, result: Any) -> None:
        at = self._called(token)
        at.task_spec.resolve(at, result)
        at.forgive()  # a result came after all
        self.top.advance()

    def fail_service(self, token: int, cause: str, detail: str) -> None:
        at = self._called(token)
        self.top.fail_with(at, cause, detail)

    def retry(self, token: int) -> None:
        at = self._failed(token)
        if at._state == WAITING:  # stuck at a join: look again
            at.forgive()
        else:
            at.internal_data.pop("called", None)
            at.again()
        self.top.advance()

    def skip(self, token: int, result: Any) -> None:
        at = self._failed(token)
        if isinstance(at.task_spec, Keeping):
            at.internal_data.pop("called", None)
            at.task_spec.keep(at, result)
        elif isinstance(result, Mapping):
            at.write(clean(result))
        at.internal_data.pop("via", None)
        at.resume()
        self.top.advance()

    def cancel_all(self) -> None:
        if not self.top.completed:
            self.top.end("cancelled")

    def foresee_jump(self, token: int, target: str) -> Jump:
        return surgery.foresee(self.top, token, target)

    def jump(self, token: int, target: str, variables: Mapping[str, Any]) -> Jump:
        done = surgery.jump(self.top, token, target, variables)
        self.top.advance()
        return done

    def reopen(self, target: str, variables: Mapping[str, Any]) -> None:
        surgery.reopen(self.top, target, variables)
        self.top.advance()

    def reckon_again(self, since: Callable[[int, str], datetime | None]) -> list[Reckoned]:
        found = []
        for token in sorted((t for scope in self.top.scopes() for t in scope.live.values()), key=lambda t: t.id):
            waits = token.task_spec
            if isinstance(waits, UserTask) and waits.due is not None and "open" in token.internal_data:
                rule, host = waits.due, token
            elif isinstance(waits, Waiting) and waits.timer is not None and "due" in token.internal_data:
                rule, host = waits.timer, waits.host_of(token)
            else:
                continue
            begun = since(host.id, host.task_spec.key)
            at = rule.working_due(self.top.host, Names(host), begun) if begun is not None else None
            if at is None:
                continue
            before = token.internal_data.get("due")
            if before is not None and before != at:
                token.internal_data["due"] = at
                self.top.journal.timer_set(TimerSet(token.id, waits.key, at, waits.catch_up), moved=True)
            found.append(Reckoned(token.id, waits.key, host.id, before, at))
        return found

    def tokens(self) -> list[TokenAt]:
        return placed(token for scope in self.top.scopes() for token in scope.live.values())

    def variables(self) -> Mapping[str, Any]:
        """Of the whole instance, as its outermost scope sees them."""
        return self.top.merged()

    def set_variables(self, variables: Mapping[str, Any]) -> None:
        given = clean(variables)
        for scope in self.top.scopes():
            scope.variables |= given
            for token in scope.live.values():
                if "listens" not in token.internal_data:
                    token.write(given)

    def drain(self) -> Changes:
        return self.top.journal.take(self.top.ended, self.top.error_code)

    def dump(self) -> bytes:
        return snapshot.dump(self.top)

    # -- finding the token a call is about

    def _token(self, token: int) -> Token:
        found = self.top.find(token)
        if found is None:
            raise Conflict(_("This part of the process is already over."))
        return found

    def _open(self, token: int) -> Token:
        at = self._token(token)
        if not isinstance(at.task_spec, Opening) or "open" not in at.internal_data:
            raise Conflict(_("This task is not open."))
        return at

    def _waiting(self, token: int) -> Token:
        at = self._token(token)
        if not isinstance(at.task_spec, Waiting) or not at.task_spec.is_waiting(at):
            raise Conflict(_("The process does not wait here any more."))
        return at

    def _called(self, token: int) -> Token:
        at = self._token(token)
        if not isinstance(at.task_spec, ServiceTask) or "called" not in at.internal_data:
            raise Conflict(_("No result is awaited here."))
        return at

    def _failed(self, token: int) -> Token:
        at = self._token(token)
        if "failed" not in at.internal_data:
            raise Conflict(_("Nothing has failed here."))
        return at


def start(process: Compiled, variables: Mapping[str, Any], host: Host, node: str | None = None) -> LiveInstance:
    """Begin an instance at the plain start event, or at the one that was triggered."""
    top = Instance(process, host)
    if node is not None and node not in {trigger.node for trigger in process.starts}:
        raise Conflict(_("The process cannot begin at {node}.", node=node))
    if node is None and not process.spec.starts and process.starts:
        node = process.starts[0].node
    first = process.spec.task_specs[node] if node is not None else None
    top.begin(first, clean(variables))
    top.advance()
    return LiveInstance(top)


def load(process: Compiled, raw: bytes, host: Host) -> LiveInstance:
    return LiveInstance(snapshot.load(process, raw, host))
