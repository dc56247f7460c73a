"""What the rest of the engine and the workflow room say to each other; plain data, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from engine.i18n import Sentence

PENDING: Any = object()
"""Returned by Host.call_service for a connector task: the token waits for `Live.resolve_service`."""


class StepRefused(Exception):
    """Raised by a Host to refuse the whole step, as AppError does: nothing of it is kept."""


class ServiceFailed(Exception):
    """Raised by a Host when a service failed for a reason the diagram does not foresee: an incident on its token."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Node:
    """A diagram element as the house needs it; attributes read from the `camunda:` namespace."""

    id: str
    kind: str
    """userTask | serviceTask | businessRuleTask | startEvent | boundaryEvent | …: the BPMN tag"""
    name: str
    process: str
    """id of the process element it stands in (a called one may differ from the definition's key)"""
    documentation: str = ""
    form_key: str = ""
    """camunda:formKey: the form file's name without ".form.json", or "" """
    candidates: tuple[str, ...] = ()
    """assignment rules: camunda:assignee, candidateUsers, candidateGroups; else the lane's name if it reads like one"""
    topic: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """camunda:inputParameter name -> expression"""
    result_variable: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    """camunda:property name -> value, e.g. "approval.allow" -> "approve,reject,return" """
    attached_to: str = ""
    """a boundary event's host"""
    event: str = ""
    """what an event waits for or throws: "timer:TEXT", "message:NAME", "signal:NAME", "error:CODE" … or "" """
    catches: tuple[str, ...] = ()
    """error codes caught by boundary events on this node or on a sub-process around it; "" = any"""
    element: str = ""
    """the element's id inside its own diagram; differs from `id` only where a called diagram uses the same id again"""
    due: str = ""
    """camunda:dueDate: ISO 8601, an expression yielding it, or working time; its value is OpenedTask.due_at"""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    topic: str
    token: int
    node: str
    parameters: dict[str, Any]
    boundary_host: str | None


@dataclass(frozen=True, slots=True)
class OpenedTask:
    """A user task that became ready."""

    token: int
    node: str
    data: Mapping[str, Any]
    """the token's variables (read-only view), for assignment and titles"""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Why a token went where it went: the flow it took although there were others, or the rules of a table that hit."""

    node: str
    """the gateway, the task with conditional flows, or the business rule task"""
    question: str
    """its name; of a business rule task the table's"""
    answer: str
    """the name of the flow, or what the rules say of themselves; "" when the drawing is silent"""
    conditions: tuple[str, ...]
    """as they were drawn: of the flow, or of the cells that hit, each after the label of its column"""
    values: Mapping[str, Any]
    """what the conditions read, by its path: {"limits.finance": True}; empty when it changed meanwhile"""
    otherwise: bool = False
    """the default flow: none of the other conditions held"""
    flow: str = ""
    """id of the flow; "" for a table"""


@dataclass(frozen=True, slots=True)
class Reached:
    """A user task on the way of a preview."""

    task: OpenedTask
    choices: tuple[Choice, ...]
    """what was decided since the one before"""
    expected_at: datetime | None
    """when it will probably be done; None when nobody can say"""


@dataclass(frozen=True, slots=True)
class Way:
    """The way a process would go if everybody agreed."""

    steps: tuple[Reached, ...]
    choices: tuple[Choice, ...]
    """what was decided after the last step"""
    ended: bool
    """whether it comes to an end; a loop, a failure or something nobody can foresee keeps it from that"""


@dataclass(frozen=True, slots=True)
class TimerSet:
    token: int
    node: str
    due_at: datetime
    catch_up: str = "once"


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A due time that counts working time, by the calendar as it is now."""

    token: int
    node: str
    host: int
    """the token it hangs on: its own, or that of the task whose border it stands on"""
    before: datetime | None
    """what it was; None for a user task, whose work items know"""
    at: datetime


@dataclass(frozen=True, slots=True)
class WaitSet:
    token: int
    node: str
    kind: str
    """message | signal"""
    name: str
    business_key: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A node that could not run: an incident."""

    token: int
    node: str
    cause: str
    detail: str


@dataclass(frozen=True, slots=True)
class Thrown:
    """A message or signal this instance sends to the outside; its own waiting signal events have already got it."""

    kind: str
    name: str
    business_key: str | None
    variables: Mapping[str, Any]


@dataclass(slots=True)
class Changes:
    """What one step did, in order; given out once by `Live.drain()`."""

    opened: list[OpenedTask] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    """tokens of user tasks that were completed by this step"""
    cancelled: list[int] = field(default_factory=list)
    """tokens of user tasks that died without being completed (interrupted, terminated)"""
    timers_set: list[TimerSet] = field(default_factory=list)
    """a token already known gets a new instant: a repeating timer after it fired"""
    timers_cleared: list[int] = field(default_factory=list)
    waits_set: list[WaitSet] = field(default_factory=list)
    waits_cleared: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    failures_cleared: list[int] = field(default_factory=list)
    thrown: list[Thrown] = field(default_factory=list)
    path: list[tuple[str, str]] = field(default_factory=list)
    """(element id, "entered" | "left" | "cancelled" | "taken"): nodes and sequence flows, in the order it happened"""
    ended: str | None = None
    """None while it runs; "completed", "rejected" (error code "rejected" that nobody caught), "failed" (any other error
    that nobody caught) or "cancelled" (by `cancel_all`)"""
    error_code: str = ""


class Host(Protocol):
    """What the workflow room asks of the house while it steps. Every call is synchronous and inside the step."""

    def now(self) -> datetime: ...

    def call_service(self, call: ServiceCall) -> Any:
        """Run the topic's function; its JSON-able result, or PENDING. May raise BpmnError; AppError and StepRefused
        pass through and refuse the step; any other exception must become a Failure of that token, the others live on.
        """
        ...

    def form_values(self) -> Mapping[str, Any]:
        """The instance's present form values, shown to expressions as `form`."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """Read-only facts shown to expressions: `instance_id`, `starter`, `business_key`."""
        ...

    def working_due(self, start: datetime, *, days: int = 0, hours: float = 0) -> datetime:
        """`start` plus working days or hours on the company's calendar."""
        ...


class Rehearsal(Host, Protocol):
    """The host of a preview: answers service calls without effect, and has a clock that follows the way."""

    def expects(self, task: OpenedTask) -> datetime | None:
        """When this task, opened now, will probably be done; None when nobody can say."""
        ...

    def go_to(self, instant: datetime) -> None:
        """From here on it is `instant`, unless it is later already."""
        ...


@dataclass(frozen=True, slots=True)
class TopicShape:
    """The parameters of a registered topic, as lint compares them with the diagram's."""

    parameters: tuple[str, ...]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the house tells the checks of a diagram about itself."""

    topics: Mapping[str, TopicShape]
    candidate_problem: Callable[[str], Sentence | None]
    """what is wrong with an assignment rule's text, or None"""


@dataclass(frozen=True, slots=True)
class StartTrigger:
    """A start event other people or clocks may set off: `start(..., node=trigger.node)`."""

    node: str
    kind: str
    """none | message | signal | timer"""
    name: str = ""
    """of the message or signal; of a timer the expression: see `first_due`"""


@dataclass(frozen=True, slots=True)
class TokenAt:
    """Where a token stands: what the diagram page paints."""

    token: int
    node: str
    state: str
    """open (user task) | waiting (timer, message, signal, join) | service (a result is awaited) | running | failed"""


@dataclass(frozen=True, slots=True)
class Jump:
    """What moving a token to another element does, or would do."""

    token: int
    target: str
    dying: tuple[TokenAt, ...] = ()
    """the other tokens that end with it: parallel branches between here and there, in order of their ids"""
    refusal: Sentence | None = None
    """why it cannot be: a join would wait for ever, the target lies in another scope that is over, …"""


class CompiledProcess(Protocol):
    """A parsed definition: immutable, shared by all instances and threads."""

    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str:
        """Of all files together."""
        ...

    @property
    def nodes(self) -> Mapping[str, Node]: ...
    @property
    def files(self) -> Mapping[str, str]: ...
    @property
    def starts(self) -> tuple[StartTrigger, ...]: ...


class Live(Protocol):
    """One instance in memory. Methods step until nothing more can run by itself; then `drain()` and `dump()`.

    A method raising leaves the object unusable: drop it and load again. It may be kept between steps; set `host` to the
    step's own before each use.
    """

    host: Host

    def has_open(self, token: int) -> bool:
        """Whether this token stands in an open user task."""
        ...

    def complete(self, token: int, variables: Mapping[str, Any]) -> None: ...
    def throw_error(self, token: int, code: str, variables: Mapping[str, Any]) -> None:
        """Raise a BPMN error from an open user task (an approver rejects or returns); see Node.catches."""
        ...

    def fire_timer(self, token: int) -> None: ...
    def deliver(self, token: int, name: str, variables: Mapping[str, Any]) -> None: ...
    def resolve_service(self, token: int, result: Any) -> None: ...
    def fail_service(self, token: int, cause: str, detail: str) -> None: ...
    def retry(self, token: int) -> None:
        """Run a failed node again."""
        ...

    def skip(self, token: int, result: Any) -> None:
        """Treat a failed node as done with this result."""
        ...

    def cancel_all(self) -> None: ...
    def foresee_jump(self, token: int, target: str) -> Jump:
        """What `jump` would do; changes nothing."""
        ...

    def jump(self, token: int, target: str, variables: Mapping[str, Any]) -> Jump:
        """Take a token (of an open user task, a wait or a failed node) to another element and go on there.

        target: key of a task, or of the start event: that one then opens like a user task, for the starter to mend his
        request, and leaves by its flows once completed. Raises Conflict with the refusal of `foresee_jump`.
        """
        ...

    def reopen(self, target: str, variables: Mapping[str, Any]) -> None:
        """Wake an ended instance with one token at `target`."""
        ...

    def reckon_again(self, since: Callable[[int, str], datetime | None]) -> list[Reckoned]:
        """Set what is due after working time by the calendar as it is now; says what is due when, moved or not.

        since(token, element): when that token came there; None = leave it alone.
        """
        ...

    def tokens(self) -> list[TokenAt]:
        """Where the tokens are, oldest first."""
        ...

    def variables(self) -> Mapping[str, Any]: ...
    def set_variables(self, variables: Mapping[str, Any]) -> None: ...
    def drain(self) -> Changes: ...
    def dump(self) -> bytes: ...
