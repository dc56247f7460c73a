"""What a step did, net: a timer set and cleared within the same step never leaves it."""

from __future__ import annotations

from engine.workflow.contract import Changes, Failure, OpenedTask, Thrown, TimerSet, WaitSet


class Journal:
    def __init__(self) -> None:
        self.path: list[tuple[str, str]] = []
        self._opened: dict[int, OpenedTask] = {}
        self._closed: list[int] = []
        self._cancelled: list[int] = []
        self._timers: dict[int, TimerSet] = {}
        self._timers_moved: set[int] = set()
        self._timers_cleared: list[int] = []
        self._waits: dict[int, WaitSet] = {}
        self._waits_cleared: list[int] = []
        self._failures: dict[int, Failure] = {}
        self._failures_cleared: list[int] = []
        self._thrown: list[Thrown] = []

    def opened(self, task: OpenedTask) -> None:
        self._opened[task.token] = task

    def closed(self, token: int) -> None:
        if self._opened.pop(token, None) is None:
            self._closed.append(token)

    def cancelled(self, token: int) -> None:
        if self._opened.pop(token, None) is None:
            self._cancelled.append(token)

    def timer_set(self, timer: TimerSet, *, moved: bool = False) -> None:
        """`moved`: the token had a timer before this step."""
        self._timers[timer.token] = timer
        if moved:
            self._timers_moved.add(timer.token)

    def timer_cleared(self, token: int) -> None:
        if self._timers.pop(token, None) is None or token in self._timers_moved:
            self._timers_cleared.append(token)

    def wait_set(self, wait: WaitSet) -> None:
        self._waits[wait.token] = wait

    def wait_cleared(self, token: int) -> None:
        if self._waits.pop(token, None) is None:
            self._waits_cleared.append(token)

    def failed(self, failure: Failure) -> None:
        self._failures[failure.token] = failure

    def failure_cleared(self, token: int) -> None:
        if self._failures.pop(token, None) is None:
            self._failures_cleared.append(token)

    def thrown(self, thrown: Thrown) -> None:
        self._thrown.append(thrown)

    def take(self, ended: str | None, error_code: str) -> Changes:
        """Everything since the last call."""
        changes = Changes(
            opened=list(self._opened.values()),
            closed=self._closed,
            cancelled=self._cancelled,
            timers_set=list(self._timers.values()),
            timers_cleared=self._timers_cleared,
            waits_set=list(self._waits.values()),
            waits_cleared=self._waits_cleared,
            failures=list(self._failures.values()),
            failures_cleared=self._failures_cleared,
            thrown=self._thrown,
            path=self.path,
            ended=ended,
            error_code=error_code,
        )
        self.__init__()  # type: ignore[misc]
        return changes
