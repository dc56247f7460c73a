"""SpiffWorkflow's tasks and workflows, made flat and quick: a scope holds its live tokens and nothing of the past.

Spiff keeps every finished task in a tree and scans it; here a token leaves its scope when it is done (the instance log
has the history), so a step costs the same after two thousand rounds as after one. Tokens have integer ids over all
scopes of an instance. What a scope still knows: its live tokens and the variables of paths that have ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.errors import AppError
from engine.expressions import ExpressionError
from engine.i18n import _
from engine.workflow.contract import Failure, Host, ServiceFailed, StepRefused, TokenAt
from engine.workflow.journal import Journal

MAX_RUNS_PER_STEP = 10_000
MAX_SCOPES_DEEP = 40

READY, WAITING, STARTED = TaskState.READY, TaskState.WAITING, TaskState.STARTED
COMPLETED, CANCELLED, FUTURE = TaskState.COMPLETED, TaskState.CANCELLED, TaskState.FUTURE
FINISHED = COMPLETED | CANCELLED


class Spec(Protocol):
    """What a token asks of the element it stands in; specs.element.Element is it."""

    name: str
    key: str
    shares_variables: bool

    def _update(self, my_task: Token) -> None: ...
    def _run(self, my_task: Token) -> bool | None: ...
    def _on_cancel(self, my_task: Token) -> None: ...
    def interrupted(self, token: Token) -> None: ...
    def listen(self, token: Token) -> None: ...


class Process(Protocol):
    """What an instance asks of its definition; compiled.Compiled is it."""

    @property
    def spec(self) -> Any: ...
    @property
    def specs(self) -> Mapping[str, Any]: ...
    @property
    def engine(self) -> Any: ...


class Token(Task):  # type: ignore[misc]
    """A task with an integer id; `stamps` say when it wrote a variable while others were about (see `merge`)."""

    workflow: Scope
    task_spec: Any
    """a Spec; the families of elements know more of each other"""
    route: Sequence[Any]
    """the flows it leaves by, chosen when its work is done"""

    def __init__(self, scope: Scope, spec: Spec, parent: Token | None, state: int, id: int) -> None:
        # Task.__init__ draws a UUID and a thread id; neither is used here.
        self.id = id
        self.workflow = scope
        self.task_spec = spec
        self._parent = parent.id if parent is not None else None
        self._children: list[int] = []
        self._state = state
        self.triggered = False
        self.thread_id = 0
        self.data: dict[str, Any] = {}
        self.internal_data: dict[str, Any] = {}
        self.stamps: dict[str, int] = {}
        self.last_state_change = 0.0
        scope.tasks[id] = self
        if parent is not None:
            parent._children.append(id)

    @property
    def top(self) -> Instance:
        top: Instance = self.workflow.top_workflow
        return top

    def write(self, variables: Mapping[str, Any]) -> None:
        """Set variables; stamped while another token of the scope could write them too, or an ended path has done."""
        self.data.update(variables)
        if self.workflow.crowd > 1 or self.workflow.stamps or self.workflow.variables:
            tick = self.top.next_tick()
            self.stamps.update(dict.fromkeys(variables, tick))
        elif self.stamps:
            self.stamps = {}

    def run(self) -> bool | None:
        done: bool | None = self.task_spec._run(self)
        if self._state == READY:  # else it was cancelled by what it did
            if done:
                self.complete()
            else:
                self._state = STARTED
        return done

    def resume(self) -> None:
        """Its work is done: let it go on when its turn comes."""
        self.internal_data["done"] = True
        self._ready()

    def again(self) -> None:
        self._state = STARTED
        self._ready()

    def cancel(self) -> None:
        if not self._state & FINISHED:
            if self._state == STARTED:
                self.task_spec.interrupted(self)
            self._state = CANCELLED
            for child in list(self._children):
                self.workflow.tasks[child].cancel()
            self.task_spec._on_cancel(self)
            self.workflow.remove(self)

    def forgive(self) -> None:
        """What had failed here is no matter any more."""
        if self.internal_data.pop("failed", None) is not None:
            self.top.journal.failure_cleared(self.id)

    def _set_state(self, value: int) -> None:
        # Task._set_state logs each change with a dict of extras; the journal records what people ask for.
        self._state = value


class ScopeMixin:
    """What the top process and every sub-process in it have in common."""

    spec: Any
    tasks: dict[int, Token]
    task_tree: Token
    top_workflow: Instance
    parent_task_id: int | None
    completed: bool

    def prepare(self, root_id: int) -> None:
        self.live: dict[int, Token] = {}
        self.listening = 0
        self.variables: dict[str, Any] = {}
        self.stamps: dict[str, int] = {}
        self.business_key: str | None = None
        self.task_tree = Token(self, self.spec.start, None, COMPLETED, root_id)  # type: ignore[arg-type]

    @property
    def crowd(self) -> int:
        """How many tokens can act by themselves; listeners (boundary events and the like) do not count."""
        return len(self.live) - self.listening

    def begin(self, start: Spec | None, data: dict[str, Any], *, errand: dict[str, Any] | None = None) -> None:
        """Put the first tokens down: at `start`, else where the drawing begins."""
        for listener in self.spec.listeners:
            self.listen(listener, {"scope": True})
        starts = [start] if start is not None else self.spec.starts
        for spec in starts:
            self.spawn(spec, dict(data), internal=errand)
        if not starts:
            self.variables = dict(data)
            self.finish()

    def spawn(
        self,
        spec: Spec,
        data: dict[str, Any],
        *,
        stamps: dict[str, int] | None = None,
        parent: Token | None = None,
        internal: dict[str, Any] | None = None,
    ) -> Token:
        """A new token on its way into `spec`."""
        token = Token(self, spec, parent or self.task_tree, FUTURE, self.top_workflow.next_id())  # type: ignore[arg-type]
        token.data = data
        if stamps:
            token.stamps = stamps
        if internal:
            token.internal_data = internal
        self.live[token.id] = token
        spec._update(token)
        return token

    def listen(self, spec: Spec, internal: dict[str, Any]) -> Token:
        """A token that only waits for its event: it neither runs nor keeps the scope from ending."""
        token = Token(self, spec, self.task_tree, WAITING, self.top_workflow.next_id())  # type: ignore[arg-type]
        token.internal_data = {**internal, "listens": True}
        self.live[token.id] = token
        self.listening += 1
        spec.listen(token)
        return token

    def remove(self, token: Token) -> None:
        """Forget a finished token."""
        if self.live.pop(token.id, None) is not None and "listens" in token.internal_data:
            self.listening -= 1
        self._remove_task(token.id)  # type: ignore[attr-defined]

    def absorb(self, token: Token) -> None:
        """A path has ended: the scope keeps its variables."""
        if self.crowd <= 1 and not self.stamps and not token.stamps:
            self.variables = token.data
        else:
            merge(self.variables, self.stamps, token.data, token.stamps)

    def settle(self) -> None:
        """End the scope when nothing moves in it any more."""
        if self.crowd == 0 and not self.completed:
            self.finish()

    def stuck(self) -> Token | None:
        """A token that waits at a join although nothing in the scope moves any more."""
        tokens = [token for token in self.live.values() if "listens" not in token.internal_data]
        if tokens and all(token._state == WAITING for token in tokens):
            return tokens[0]
        return None

    def finish(self) -> None:
        self.completed = True
        self.cancel_tokens()
        self.finished()

    def finished(self) -> None:
        raise NotImplementedError

    def cancel_tokens(self, *, spare: Token | None = None) -> None:
        for token in list(self.live.values()):
            if token is not spare and token.id in self.live:
                token.cancel()

    def merged(self) -> dict[str, Any]:
        """The variables as the scope sees them: what ended paths left, then each token's own and what is inside it."""
        data, stamps = dict(self.variables), dict(self.stamps)
        top = self.top_workflow
        for token in self.live.values():
            if "listens" not in token.internal_data:
                if not token.stamps and self.crowd == 1:
                    data.update(token.data)
                else:
                    merge(data, stamps, token.data, token.stamps)
                if token.id in top.subprocesses and token.task_spec.shares_variables:
                    data |= top.subprocesses[token.id].merged()
        return data


class Nested(ScopeMixin, BpmnSubWorkflow):  # type: ignore[misc]
    """A running sub-process, event sub-process or called process; `owner` is the token it runs for."""

    def __init__(self, spec: Any, owner: int, top: Instance) -> None:
        super().__init__(spec, owner, top, deserializing=True)
        self.prepare(-owner)

    @property
    def owner(self) -> Token:
        return self.top_workflow.token(self.parent_task_id or 0)

    def finished(self) -> None:
        owner = self.owner
        del self.top_workflow.subprocesses[owner.id]
        owner.internal_data["inner"] = self.variables
        owner.resume()


class Instance(ScopeMixin, BpmnWorkflow):  # type: ignore[misc]
    """A process instance in memory: its scopes, the agenda of tokens that can run, and the journal of the step."""

    subprocesses: dict[int, Nested]

    def __init__(self, process: Process, host: Host) -> None:
        super().__init__(process.spec, process.specs, process.engine, deserializing=True)
        self.process = process
        self.host = host
        self.journal = Journal()
        self.agenda: deque[Token] = deque()
        self.last_id = 0
        self.tick = 0
        self.ended: str | None = None
        self.error_code = ""
        self.prepare(0)

    # -- tokens

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def next_tick(self) -> int:
        self.tick += 1
        return self.tick

    def scopes(self) -> Iterator[Scope]:
        yield self
        yield from self.subprocesses.values()

    def find(self, id: int) -> Token | None:
        for scope in (self, *self.subprocesses.values()):
            token = scope.live.get(id)
            if token is not None:
                return token
        return None

    def token(self, id: int) -> Token:
        token = self.find(id)
        if token is None:
            raise LookupError(f"no live token {id}")
        return token

    get_task_from_id = token
    """Spiff's name for it; asked by its sub-workflows for their owner."""

    def nest(self, owner: Token, spec: Any) -> Nested:
        """A scope of its own for this token."""
        nested = Nested(spec, owner.id, self)
        if nested.depth > MAX_SCOPES_DEEP:
            raise RunsInCircles(_("Processes call each other more than {limit} levels deep.", limit=MAX_SCOPES_DEEP))
        self.subprocesses[owner.id] = nested
        return nested

    # -- running

    def advance(self) -> None:
        """Run until every token waits for something outside."""
        budget = MAX_RUNS_PER_STEP
        while not self.completed:
            while self.agenda:
                token = self.agenda.popleft()
                if token._state != READY:
                    continue
                budget -= 1
                if budget < 0:
                    self.fail(token, RunsInCircles(_("The process runs in circles without ever waiting.")))
                else:
                    self.run_one(token)
            if not any(spec.open_gates(scope) for scope in list(self.scopes()) for spec in scope.spec.gates):
                break
        for scope in self.scopes():
            waiting = scope.stuck()
            if waiting is not None and "failed" not in waiting.internal_data:
                self.report(waiting, "stuck", str(_("The join waits for a token that can never come.")))

    def run_one(self, token: Token) -> None:
        """An error of one token is its own; only a refusal of the house refuses the whole step."""
        try:
            token.run()
        except (AppError, StepRefused):
            raise
        except ServiceFailed as failure:
            self.fail_with(token, failure.cause, failure.detail)
        except Exception as error:  # noqa: BLE001
            self.fail(token, error)
        else:
            if not token._state & CANCELLED:
                token.forgive()

    def fail(self, token: Token, error: Exception) -> None:
        cause = getattr(error, "code", "") or type(error).__name__
        self.fail_with(token, str(cause), str(error))

    def fail_with(self, token: Token, cause: str, detail: str) -> None:
        token._state = STARTED
        self.report(token, cause, detail)

    def report(self, token: Token, cause: str, detail: str) -> None:
        token.internal_data["failed"] = cause
        self.journal.failed(Failure(token.id, token.task_spec.key, cause, detail))

    # -- ending

    def finished(self) -> None:
        self.ended = self.ended or "completed"

    def end(self, outcome: str, error_code: str = "") -> None:
        """Stop everything at once."""
        self.ended, self.error_code = outcome, error_code
        self.variables = self.merged()
        self.completed = True
        self.cancel_tokens()
        self.agenda.clear()


Scope = Instance | Nested


def placed(tokens: Iterable[Token]) -> list[TokenAt]:
    """Where these stand, oldest first; listeners stand nowhere."""
    return [
        TokenAt(token.id, token.task_spec.key, _state(token))
        for token in sorted(tokens, key=lambda token: token.id)
        if "listens" not in token.internal_data
    ]


def _state(token: Token) -> str:
    internal = token.internal_data
    for mark, state in (("failed", "failed"), ("open", "open"), ("called", "service"), ("waits", "waiting")):
        if mark in internal:
            return state
    return "waiting" if token._state == WAITING else "running"


class RunsInCircles(ExpressionError):
    code = "circles"


def merge(
    data: dict[str, Any], stamps: dict[str, int], other: Mapping[str, Any], other_stamps: Mapping[str, int]
) -> None:
    """Bring parallel paths together: of each variable the value written last; a stale copy never wins."""
    for name, value in other.items():
        stamp = other_stamps.get(name, 0)
        if name not in data or stamp > stamps.get(name, 0):
            data[name] = value
            if stamp:
                stamps[name] = stamp
