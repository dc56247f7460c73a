"""A house for diagrams in tests, and a player that saves and loads the instance after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine import workflow
from engine.i18n import Sentence, _
from engine.workflow.contract import Changes, CompiledProcess, OpenedTask, ServiceCall
from tests.engine.workflow.drawing import Drawing

TOPICS = {
    "test.notify": workflow.TopicShape((), ()),
    "test.greet": workflow.TopicShape(("name", "times"), ("name",)),
}


def candidate_problem(text: str) -> Sentence | None:
    name = text.partition("(")[0]
    known = {"superior", "starter", "position", "role", "person", "field"}
    return None if name in known else _("There is no candidate rule {name}.", name=name)


KNOWN = workflow.Known(topics=TOPICS, candidate_problem=candidate_problem)


class House:
    """A contract.Host whose clock stands until it is moved; a Rehearsal that expects `usual` of a task."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
        self.calls: list[ServiceCall] = []
        self.answer: Callable[[ServiceCall], Any] = lambda call: None
        self.form: dict[str, Any] = {}
        self.usual: dict[str, timedelta] = {}

    def now(self) -> datetime:
        return self.at

    def call_service(self, call: ServiceCall) -> Any:
        self.calls.append(call)
        return self.answer(call)

    def form_values(self) -> Mapping[str, Any]:
        return self.form

    def facts(self) -> Mapping[str, Any]:
        return {"instance_id": 7, "starter": 3, "business_key": "test.claim:1"}

    def working_due(self, start: datetime, *, days: int = 0, hours: float = 0) -> datetime:
        return start + timedelta(days=2 * days, hours=2 * hours)

    def expects(self, task: OpenedTask) -> datetime | None:
        if task.due_at is not None:
            return task.due_at
        return self.at + self.usual[task.node] if task.node in self.usual else None

    def go_to(self, instant: datetime) -> None:
        self.at = max(self.at, instant)


def compiled(*drawings: Drawing | str, head: str = "", **files: str) -> CompiledProcess:
    """Compile drawings as main.bpmn, called1.bpmn, …; files by name with dots written as double underscores."""
    texts = [one if isinstance(one, str) else one.xml(head=head) for one in drawings]
    named = {("main.bpmn" if n == 0 else f"called{n}.bpmn"): text for n, text in enumerate(texts)}
    named |= {name.replace("__", "."): text for name, text in files.items()}
    return workflow.compile_definition(named, known=KNOWN)


class Play:
    """One instance; `reload` saves and loads it after every step, as no cache ever does."""

    def __init__(
        self,
        process: CompiledProcess,
        variables: Mapping[str, Any] | None = None,
        *,
        house: House | None = None,
        reload: bool = True,
        node: str | None = None,
    ) -> None:
        self.process = process
        self.house = house or House()
        self.reload = reload
        self.path: list[tuple[str, str]] = []
        self.open: dict[int, str] = {}
        self.timers: dict[int, str] = {}
        self.due: dict[int, datetime] = {}
        self.waits: dict[int, str] = {}
        self.failures: dict[int, str] = {}
        self.thrown: list[tuple[str, str]] = []
        self.changes = Changes()
        self.live = workflow.start(process, variables or {}, self.house, node=node)
        self._after()

    # -- acting

    def complete(self, node: str, **variables: Any) -> Changes:
        self.live.complete(self.token(self.open, node), variables)
        return self._after()

    def throw(self, node: str, code: str, **variables: Any) -> Changes:
        self.live.throw_error(self.token(self.open, node), code, variables)
        return self._after()

    def fire(self, node: str) -> Changes:
        token = self.token(self.timers, node)
        self.house.at = max(self.house.at, self.due[token])
        self.live.fire_timer(token)
        return self._after()

    def deliver(self, node: str, name: str, **variables: Any) -> Changes:
        self.live.deliver(self.token(self.waits, node), name, variables)
        return self._after()

    def call(self, method: str, *arguments: Any) -> Changes:
        getattr(self.live, method)(*arguments)
        return self._after()

    # -- seeing

    @staticmethod
    def token(of: Mapping[int, str], node: str) -> int:
        return min(token for token, name in of.items() if name == node)

    @property
    def nodes(self) -> list[str]:
        return sorted(self.open.values())

    @property
    def ended(self) -> str | None:
        return self.changes.ended

    @property
    def data(self) -> Mapping[str, Any]:
        return self.live.variables()

    def visited(self, what: str = "entered") -> list[str]:
        return [node for node, did in self.path if did == what]

    def _after(self) -> Changes:
        changes = self.changes = self.live.drain()
        for gone in (*changes.closed, *changes.cancelled):
            del self.open[gone]
        for gone in changes.timers_cleared:
            del self.timers[gone]
        for gone in changes.waits_cleared:
            del self.waits[gone]
        for gone in changes.failures_cleared:
            del self.failures[gone]
        self.open |= {task.token: task.node for task in changes.opened}
        self.timers |= {timer.token: timer.node for timer in changes.timers_set}
        self.due |= {timer.token: timer.due_at for timer in changes.timers_set}
        self.waits |= {wait.token: wait.node for wait in changes.waits_set}
        self.failures |= {failure.token: failure.cause for failure in changes.failures}
        self.thrown += [(one.kind, one.name) for one in changes.thrown]
        self.path += changes.path
        if changes.ended:
            assert not self.open, "an ended instance has no open task"
            assert not self.timers, "an ended instance has no timer"
            assert not self.waits, "an ended instance waits for nothing"
        if self.reload:
            self.live = workflow.load(self.process, self.live.dump(), self.house)
        return changes
