"""Whatever people do to a process, and in whatever order: its tokens stand where playing alone could have put them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from engine import workflow
from engine.errors import Conflict
from engine.workflow.contract import CompiledProcess
from engine.workflow.live import LiveInstance
from tests.engine.workflow.drawing import MESSAGES
from tests.engine.workflow.kit import Play, compiled
from tests.engine.workflow.nests import PEOPLE, Block, Drawer, Marking, Nest, called, nests

EXAMPLES = 350
LENGTH = 80
AT_LEAST = 20_000

Call = tuple[str, tuple[Any, ...]]
"""a method of Live and its arguments"""


class Walk:
    """Plays one instance by numbers: each chooses among what can be done just now."""

    def __init__(self, process: CompiledProcess, whole: Block) -> None:
        self.process = process
        self.whole = whole
        self.play = Play(process, {"people": PEOPLE}, reload=False)
        self.calls: list[Call] = []
        self.targets = [id for id, node in process.nodes.items() if "ateway" not in node.kind]
        self.pairs = {(one.first, one.last): set(one.everything()) for one in whole.blocks() if one.kind == "and"}
        self.sent_in: Counter[str] = Counter()
        self.refused = 0

    @property
    def live(self) -> LiveInstance:
        return cast("LiveInstance", self.play.live)

    def step(self, number: int) -> None:
        kind, number = number % 32, number // 32
        call = self._reopening(number) if self.play.ended else self._call(kind, number)
        if call is None:
            self.refused += 1
            return
        self.calls.append(call)
        self._do(call)
        self.see()

    def _call(self, kind: int, number: int) -> Call | None:
        if kind == 31 and number % 4 == 0:
            return ("cancel_all", ())
        if kind >= 29:
            return ("reload", ())
        if kind < 14 and self.play.open:
            return ("complete", (_pick(sorted(self.play.open), number), {"x": number % 7}))
        if kind < 17 and self.play.timers:
            return ("fire_timer", (_pick(sorted(self.play.timers), number),))
        if kind < 19 and self.play.waits:
            return ("deliver", (_pick(sorted(self.play.waits), number), "", {"x": number % 5}))
        visited = sorted({id for id in self.play.visited() if id in self.targets})
        return self._jump(visited if kind < 25 else self.targets, number)

    def _jump(self, targets: list[str], number: int) -> Call | None:
        tokens = [
            at.token for at in self.live.tokens() if at.state in {"open", "waiting"} and not self._at_join(at.token)
        ]
        token, target = _pick(tokens, number), _pick(targets, number // 64)
        if self.live.foresee_jump(token, target).refusal is not None:
            return None
        return ("jump", (token, target, {"x": number % 7}))

    def _reopening(self, number: int) -> Call | None:
        target = _pick(self.targets, number)
        before = self.live.dump()
        try:
            self.live.reopen(target, {})
        except Conflict:
            assert self.live.dump() == before
            return None
        finally:
            self.play.live = workflow.load(self.process, before, self.play.house)
        return ("reopen", (target, {"x": number % 7}))

    def _at_join(self, token: int) -> bool:
        found = self.live.top.find(token)
        return found is not None and "via" in found.internal_data

    def _do(self, call: Call) -> None:
        method, arguments = call
        if method == "reload":
            self.reload()
            return
        if method == "fire_timer":
            self.play.house.at = max(self.play.house.at, self.play.due[arguments[0]])
        if method in {"jump", "reopen"}:
            self.sent_in[arguments[-2]] += 1
        if method == "jump":
            self._apart(*arguments[:2])
        self.play.call(method, *arguments)

    def _apart(self, token: int, target: str) -> None:
        """A return within a reminder's path is none of its task's business."""
        foreseen = self.live.foresee_jump(token, target)
        (node,) = [at.node for at in self.live.tokens() if at.token == token]
        for block in self.whole.blocks():
            if {node, target} <= set(block.beside):
                assert {at.node for at in foreseen.dying} <= set(block.beside)

    def reload(self) -> None:
        before = state(self.live)
        self.play.live = workflow.load(self.process, self.live.dump(), self.play.house)
        assert state(self.live) == before

    # -- what must hold

    def see(self) -> None:
        assert not self.play.failures
        stand = self.live.tokens()
        if self.play.ended:
            assert stand == []
            return
        Marking(self.live, self.whole)
        assert self.play.open == {at.token: at.node for at in stand if at.state == "open"}
        assert self.play.timers == dict(self._waiting("due"))
        assert self.play.waits == dict(self._waiting(None))
        visits = Counter(self.play.visited())
        for (fork, join), within in self.pairs.items():
            assert visits[join] <= visits[fork] + sum(self.sent_in[id] for id in within)

    def _waiting(self, mark: str | None) -> Iterator[tuple[int, str]]:
        for scope in self.live.top.scopes():
            for token in scope.live.values():
                internal = token.internal_data
                if "listens" in internal or "waits" in internal:
                    timed = "due" in internal
                    if timed == (mark == "due"):
                        yield token.id, token.task_spec.key

    def result(self) -> tuple[Any, ...]:
        return (state(self.live), self.play.path, self.play.due, self.play.ended)


def state(live: LiveInstance) -> list[Any]:
    """All there is of an instance, by value."""
    top = live.top
    found: list[Any] = [top.last_id, top.tick, top.ended, top.error_code]
    for scope in top.scopes():
        found.append((scope.parent_task_id, scope.variables, scope.stamps, scope.business_key, scope.listening))
        for token in scope.live.values():
            parent = token._parent if token._parent in scope.live else 0
            found.append((token.id, parent, token.task_spec.name, token._state, token.internal_data))
            found.append((token.data, token.stamps))
    return found


def _pick(of: list[Any], number: int) -> Any:
    return of[number % len(of)]


@pytest.mark.timeout(600)  # passes in half a minute; a failure takes its time to become small
def test_no_token_is_lost_and_no_join_waits_or_fires_twice() -> None:
    done: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(nests(), st.lists(st.integers(0, 1 << 24), min_size=LENGTH, max_size=LENGTH))
    def walk(nest: Nest, numbers: list[int]) -> None:
        drawing, whole = Drawer().process(nest)
        process = compiled(drawing, called(), head=MESSAGES)
        one = Walk(process, whole)
        one.see()
        for number in numbers:
            one.step(number)
        done.update(method for method, _arguments in one.calls)
        done["refused"] += one.refused
        again = Walk(process, whole)
        for call in one.calls:
            if call[0] != "reload":
                again._do(call)
        assert again.result() == one.result()

    walk()
    assert done.total() - done["refused"] >= AT_LEAST, dict(done)
