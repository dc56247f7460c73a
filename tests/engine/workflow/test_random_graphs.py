"""Random nests of blocks, played at random, saved and loaded at every step: no token is lost, no join fires twice."""

from __future__ import annotations

from collections import Counter
from itertools import count
from random import Random

import pytest

from tests.engine.workflow.drawing import Drawing
from tests.engine.workflow.kit import Play, compiled
from tests.engine.workflow.test_events import with_sub

GATEWAYS = {"and": "parallelGateway", "or": "inclusiveGateway", "xor": "exclusiveGateway"}


class Grower:
    """Draws block-structured processes: whatever splits is joined by the same kind of gateway."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.numbers = count()
        self.pairs: list[tuple[str, str]] = []

    def block(self, d: Drawing, depth: int) -> tuple[str, str]:
        """Draw one block; its first and last element."""
        kinds = ["task"] if depth <= 0 else ["task", "sequence", "and", "or", "xor", "loop", "sub"]
        kind = self.chance.choice(kinds)
        n = next(self.numbers)
        if kind == "task":
            id = d.user(f"t{n}")
            return id, id
        if kind == "sequence":
            first, end = self.block(d, depth - 1)
            start, last = self.block(d, depth - 1)
            d.flow(end, start)
            return first, last
        if kind == "sub":
            with_sub(d, f"s{n}", lambda inner: self.process(inner, n, depth - 1))
            return f"s{n}", f"s{n}"
        if kind == "loop":
            return self.loop(d, n, depth)
        return self.split(d, kind, n, depth)

    def process(self, d: Drawing, n: int, depth: int) -> None:
        first, last = self.block(d, depth)
        d.start(f"start{n}")
        d.end(f"end{n}")
        d.flow(f"start{n}", first)
        d.flow(last, f"end{n}")

    def loop(self, d: Drawing, n: int, depth: int) -> tuple[str, str]:
        d.add("exclusiveGateway", f"into{n}")
        d.add("exclusiveGateway", f"again{n}", default=f"out{n}")
        d.add("task", f"done{n}")
        d.script(f"round{n}", f"n{n} = coalesce(n{n}, 0) + 1")
        first, last = self.block(d, depth - 1)
        d.chain(f"into{n}", first)
        d.chain(last, f"round{n}", f"again{n}")
        d.flow(f"again{n}", f"into{n}", f"n{n} % 3 != 0")
        d.flow(f"again{n}", f"done{n}", id=f"out{n}")
        return f"into{n}", f"done{n}"

    def split(self, d: Drawing, kind: str, n: int, depth: int) -> tuple[str, str]:
        tag = GATEWAYS[kind]
        fork, join = f"fork{n}", f"join{n}"
        branches = [self.block(d, depth - 1) for _n in range(self.chance.randint(2, 3))]
        default = {} if kind == "and" else {"default": f"{fork}_{branches[0][0]}"}
        d.add(tag, fork, **default)
        d.add(tag, join)
        for number, (first, last) in enumerate(branches):
            condition = "" if kind == "and" or number == 0 else f"(coalesce(x, 0) + {n}) % 3 < {number}"
            d.flow(fork, first, condition)
            d.flow(last, join)
        self.pairs.append((fork, join))
        return fork, join


@pytest.mark.parametrize("seed", range(120))
def test_every_token_arrives_and_every_join_fires_as_often_as_its_split(seed: int) -> None:
    chance = Random(seed)
    grower, d = Grower(chance), Drawing()
    grower.process(d, next(grower.numbers), 4)
    play = Play(compiled(d))
    opened = Counter(play.open.values())
    for step in range(3_000):
        if not play.open:
            break
        token = chance.choice(sorted(play.open))
        changes = play.call("complete", token, {"x": step})
        opened.update(task.node for task in changes.opened)
        assert not play.failures
    assert play.ended == "completed"
    visits = Counter(play.visited())
    for fork, join in grower.pairs:
        assert visits[fork] == visits[join]
    done = Counter(node for node in play.visited("left") if node.startswith("t"))
    assert done == opened
    assert play.live.tokens() == []
