"""Random nests of blocks for property tests: drawn, and understood well enough to say which markings are sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

from hypothesis import strategies as st

from engine.workflow.live import LiveInstance
from engine.workflow.tree import Scope, Token
from tests.engine.workflow.drawing import Drawing, event, timer

PEOPLE = ["u", "v"]
GATEWAYS = {"and": "parallelGateway", "or": "inclusiveGateway", "xor": "exclusiveGateway"}

Nest = tuple[Any, ...]
"""("and", [nest, nest]), ("task",) …: what is to be drawn"""


def nests() -> st.SearchStrategy[Nest]:
    leaves = st.sampled_from([("task",), ("task",), ("wait",), ("call",), ("vote", False), ("vote", True), ("remind",)])

    def wider(inner: st.SearchStrategy[Nest]) -> st.SearchStrategy[Nest]:
        some = st.lists(inner, min_size=2, max_size=3)
        around = st.one_of(inner, st.tuples(st.just("and"), some))
        return st.one_of(
            st.tuples(st.just("seq"), some),
            st.tuples(st.just("and"), some),
            st.tuples(st.just("or"), some),
            st.tuples(st.just("xor"), some),
            st.tuples(st.just("race"), some),
            st.tuples(st.just("loop"), inner),
            st.tuples(st.just("loop"), st.tuples(st.just("seq"), st.lists(around, min_size=1, max_size=2))),
            st.tuples(st.just("loop"), inner, around),
            st.tuples(st.just("sub"), inner),
            st.tuples(st.just("many"), st.booleans(), inner),
            st.tuples(st.just("late"), inner),
            st.tuples(st.just("watched"), st.booleans(), inner, inner),
        )

    return st.tuples(st.just("seq"), st.lists(st.recursive(leaves, wider, max_leaves=8), min_size=2, max_size=3))


@dataclass(slots=True)
class Block:
    """A drawn block: where one enters and leaves it, and how many of its tokens may be about."""

    first: str
    last: str
    kind: str
    inner: list[Block] = field(default_factory=list)
    elements: tuple[str, ...] = ()
    """its own ones: the task, the gateways, the events of a race"""
    beside: tuple[str, ...] = ()
    """elements on a path of its own, begun by an event that leaves the host alone"""
    handler: Block | None = None
    """an event sub-process of the scope drawn in `inner`"""

    def everything(self) -> Iterator[str]:
        yield from (self.first, self.last, *self.elements, *self.beside)
        for block in (*self.inner, *([self.handler] if self.handler else [])):
            yield from block.everything()

    def blocks(self) -> Iterator[Block]:
        yield self
        for block in (*self.inner, *([self.handler] if self.handler else [])):
            yield from block.blocks()


class Drawer:
    def __init__(self) -> None:
        self.numbers = count(1)

    def process(self, nest: Nest) -> tuple[Drawing, Block]:
        d = Drawing("whole")
        return d, self.scope(d, nest, 0)

    def scope(self, d: Drawing, nest: Nest, n: int) -> Block:
        block = self.block(d, nest)
        d.start(f"start{n}")
        d.end(f"end{n}")
        d.flow(f"start{n}", block.first)
        d.flow(block.last, f"end{n}")
        return block

    def block(self, d: Drawing, nest: Nest) -> Block:
        n = next(self.numbers)
        draw: Callable[..., Block] = getattr(self, f"_{nest[0]}")
        return draw(d, n, *nest[1:])

    # -- leaves

    def _task(self, d: Drawing, n: int) -> Block:
        id = d.user(f"t{n}")
        return Block(id, id, "task", elements=(id,))

    def _wait(self, d: Drawing, n: int) -> Block:
        id = d.add("intermediateCatchEvent", f"w{n}", event("message", "m") if n % 2 else timer("P1D"))
        return Block(id, id, "task", elements=(id,))

    def _call(self, d: Drawing, n: int) -> Block:
        id = d.add("callActivity", f"c{n}", calledElement="called")
        return Block(id, id, "call", elements=(id,))

    def _vote(self, d: Drawing, n: int, sequential: bool) -> Block:
        id = d.user(f"v{n}", many(sequential))
        return Block(id, id, "vote", elements=(id,))

    def _remind(self, d: Drawing, n: int) -> Block:
        host, border = d.user(f"t{n}"), f"remind{n}"
        d.add("boundaryEvent", border, timer("R2/PT1H", "timeCycle"), attachedToRef=host, cancelActivity="false")
        beside = (d.user(f"a{n}"), d.user(f"b{n}"), d.end(f"reminded{n}"))
        d.chain(border, *beside)
        return Block(host, host, "task", elements=(host,), beside=beside)

    # -- what holds others

    def _seq(self, d: Drawing, n: int, nests: list[Nest]) -> Block:
        inner = [self.block(d, nest) for nest in nests]
        for one, following in pairwise(inner):
            d.flow(one.last, following.first)
        return Block(inner[0].first, inner[-1].last, "one", inner)

    def _split(self, d: Drawing, n: int, kind: str, nests: list[Nest]) -> Block:
        fork, join = f"fork{n}", f"join{n}"
        inner = [self.block(d, nest) for nest in nests]
        d.add(GATEWAYS[kind], fork, **({} if kind == "and" else {"default": f"{fork}_{inner[0].first}"}))
        d.add(GATEWAYS[kind], join)
        for number, one in enumerate(inner):
            condition = "" if kind == "and" or number == 0 else f"(coalesce(x, 0) + {n}) % 3 < {number}"
            d.flow(fork, one.first, condition)
            d.flow(one.last, join)
        return Block(fork, join, "one" if kind == "xor" else kind, inner, (fork, join))

    def _and(self, d: Drawing, n: int, nests: list[Nest]) -> Block:
        return self._split(d, n, "and", nests)

    def _or(self, d: Drawing, n: int, nests: list[Nest]) -> Block:
        return self._split(d, n, "or", nests)

    def _xor(self, d: Drawing, n: int, nests: list[Nest]) -> Block:
        return self._split(d, n, "xor", nests)

    def _race(self, d: Drawing, n: int, nests: list[Nest]) -> Block:
        inner = [self.block(d, nest) for nest in nests]
        d.add("eventBasedGateway", f"race{n}")
        d.add("task", f"won{n}")
        events = []
        for number, one in enumerate(inner):
            what = timer("PT9H") if number == 0 else event("message", "m")
            events.append(d.add("intermediateCatchEvent", f"e{n}_{number}", what))
            d.chain(f"race{n}", events[-1], one.first)
            d.flow(one.last, f"won{n}")
        return Block(f"race{n}", f"won{n}", "race", inner, tuple(events))

    def _loop(self, d: Drawing, n: int, nest: Nest, mend: Nest | None = None) -> Block:
        """`mend`: what is done on the way back."""
        d.add("exclusiveGateway", f"into{n}")
        d.add("exclusiveGateway", f"again{n}", default=f"out{n}")
        d.add("task", f"done{n}")
        d.script(f"round{n}", f"n{n} = coalesce(n{n}, 0) + 1")
        inner = self.block(d, nest)
        d.chain(f"into{n}", inner.first)
        d.chain(inner.last, f"round{n}", f"again{n}")
        blocks = [inner]
        if mend is None:
            d.flow(f"again{n}", f"into{n}", f"n{n} % 3 != 0")
        else:
            blocks.append(self.block(d, mend))
            d.flow(f"again{n}", blocks[1].first, f"n{n} % 3 != 0")
            d.flow(blocks[1].last, f"into{n}")
        d.flow(f"again{n}", f"done{n}", id=f"out{n}")
        return Block(f"into{n}", f"done{n}", "one", blocks, (f"round{n}",))

    def _sub(self, d: Drawing, n: int, nest: Nest) -> Block:
        inner = Drawing("inner")
        block = self.scope(inner, nest, n)
        return self._nested(d, n, block, inner.body())

    def _many(self, d: Drawing, n: int, sequential: bool, nest: Nest) -> Block:
        inner = Drawing("inner")
        block = self.scope(inner, nest, n)
        return self._nested(d, n, block, many(sequential) + inner.body())

    def _watched(self, d: Drawing, n: int, interrupting: bool, nest: Nest, help: Nest) -> Block:
        """A sub-process with an event sub-process beside."""
        inner, beside = Drawing("inner"), Drawing("beside")
        block = self.scope(inner, nest, n)
        handler = self.block(beside, help)
        beside.add("startEvent", f"call{n}", event("message", "m"), isInterrupting=str(interrupting).lower())
        beside.chain(f"call{n}", handler.first)
        beside.chain(handler.last, beside.end(f"helped{n}"))
        box = f'<subProcess id="h{n}" triggeredByEvent="true">{beside.body()}</subProcess>'
        whole = self._nested(d, n, block, inner.body() + box)
        whole.handler = Block(f"h{n}", f"h{n}", "sub", [handler], (f"h{n}",))
        return whole

    def _nested(self, d: Drawing, n: int, block: Block, body: str) -> Block:
        id = f"s{n}"
        d.parts.append(f'<subProcess id="{id}">@{id}@{body}</subProcess>')
        return Block(id, id, "sub", [block], (id,))

    def _late(self, d: Drawing, n: int, nest: Nest) -> Block:
        """A task that a timer may end; both ways come together behind."""
        host = d.user(f"t{n}")
        path = self.block(d, nest)
        d.add("boundaryEvent", f"late{n}", timer("PT2H"), attachedToRef=host)
        d.add("task", f"after{n}")
        d.chain(f"late{n}", path.first)
        d.flow(path.last, f"after{n}")
        d.flow(host, f"after{n}")
        own = Block(host, host, "task", elements=(host,))
        return Block(host, f"after{n}", "one", [own, path])


def many(sequential: bool) -> str:
    loop = f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"'
    return f'{loop} camunda:collection="people" camunda:elementVariable="one"/>'


def called() -> Drawing:
    d = Drawing("called")
    d.start("begun")
    d.add("parallelGateway", "split")
    d.add("parallelGateway", "meet")
    d.user("look")
    d.user("judge")
    d.end("answered")
    d.chain("begun", "split", "look", "meet", "answered")
    d.chain("split", "judge", "meet")
    return d


_CALLED = Block(
    "split",
    "meet",
    "and",
    [Block("look", "look", "task", elements=("look",)), Block("judge", "judge", "task", elements=("judge",))],
    ("split", "meet"),
)


class Marking:
    """Whether the live tokens of an instance could have come about by playing alone, whatever was jumped.

    Each scope has one thread at most: one token where things come one after the other, and of a parallel block one in
    every branch, waiting at the join or before it, but never all waiting. Beside it reminders and event sub-processes.
    """

    def __init__(self, live: LiveInstance, whole: Block) -> None:
        self.top = live.top
        self.check(self.top, whole)

    def check(self, scope: Scope, block: Block, handler: Block | None = None) -> None:
        at: dict[str, list[Token]] = defaultdict(list)
        waiting: dict[str, list[Token]] = defaultdict(list)
        loose = 0
        for token in scope.live.values():
            internal = token.internal_data
            if "listens" in internal:
                continue
            assert "failed" not in internal, internal["failed"]
            loose += 1
            if "via" in internal:
                waiting[internal["via"]].append(token)
            elif token._parent not in scope.live:
                at[token.task_spec.key].append(token)
        assert loose, "a scope without a token ought to have ended"
        threads = self.threads(scope, block, at, waiting)
        threads += len(at.pop("start0", ()))  # open for the starter
        assert threads <= 1
        aside = sum(len(at.pop(id, ())) for one in _same_scope(block) for id in one.beside)
        for owner in at.pop(handler.first, ()) if handler else ():
            self.check(self.top.subprocesses[owner.id], handler.inner[0])  # type: ignore[union-attr]
            aside += 1
        assert threads or aside, "the thread is lost"
        assert not at, "tokens where none can be"
        assert not waiting

    def threads(self, scope: Scope, block: Block, at: dict[str, list[Token]], waiting: dict[str, list[Token]]) -> int:
        inner = [] if block.kind == "sub" else [self.threads(scope, one, at, waiting) for one in block.inner]
        if block.kind in {"and", "or"}:
            return self._gathered(block, inner, waiting)
        if block.kind == "race":
            return self._raced(block, inner, at)
        if block.kind == "one":
            assert sum(inner) <= 1
            return sum(inner)
        (element,) = block.elements
        here = at.pop(element, [])
        assert len(here) <= 1
        for token in here:
            self._whole(block, token)
        return len(here)

    def _gathered(self, block: Block, inner: list[int], waiting: dict[str, list[Token]]) -> int:
        parked = [len(waiting.pop(f"{one.last}_{block.last}", ())) for one in block.inner]
        branches = [one + there for one, there in zip(inner, parked, strict=True)]
        assert max(branches) <= 1, "two tokens in one branch"
        if not any(branches):
            return 0
        assert block.kind == "or" or all(branches), "a branch has lost its token"
        assert any(inner), "all have come: the join should have fired"
        return 1

    def _raced(self, block: Block, inner: list[int], at: dict[str, list[Token]]) -> int:
        events = [at.pop(id, []) for id in block.elements]
        racing = [one for some in events for one in some if "race" in one.internal_data]
        alone = [one for some in events for one in some if "race" not in one.internal_data]
        assert not alone
        if racing:
            assert len(racing) == len(block.elements)
            assert len({one.internal_data["race"] for one in racing}) == 1
        total = sum(inner) + bool(racing)
        assert total <= 1
        return total

    def _whole(self, block: Block, token: Token) -> None:
        """What is within: the scope of a sub-process or a call, the instances of a multi-instance element."""
        owners = [token.workflow.tasks[child] for child in token._children]
        assert len(owners) <= len(PEOPLE)
        if block.kind == "vote":
            assert owners
            assert all("open" in one.internal_data for one in owners)
        elif block.kind in {"sub", "call"}:
            inside = _CALLED if block.kind == "call" else block.inner[0]
            for owner in owners or [token]:
                self.check(self.top.subprocesses[owner.id], inside, block.handler)
        else:
            assert not owners
            assert "open" in token.internal_data or "waits" in token.internal_data


def _same_scope(block: Block) -> Iterator[Block]:
    yield block
    if block.kind != "sub":
        for one in block.inner:
            yield from _same_scope(one)
