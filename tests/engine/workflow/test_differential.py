"""Our engine ends where plain SpiffWorkflow ends: data, completion, how often each element was done."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from engine import workflow
from tests.engine.workflow import flows
from tests.engine.workflow.kit import KNOWN, Play
from tests.engine.workflow.plain import PlainPlay

PLAYS = 40
COMPILED = {name: workflow.compile_definition({"m.bpmn": flows.flow(name)}, known=KNOWN, key=name) for name in "ABCD"}


def script(name: str, seed: int) -> tuple[random.Random, set[int], set[int]]:
    """A random play: at which steps somebody rejects, at which the timers fire."""
    chance = random.Random(f"{name}{seed}")
    rejects = {chance.randrange(6) for _ in range(chance.randrange(4))} if name in "AB" else set[int]()
    fires = {chance.randrange(5) for _ in range(chance.randrange(3))} if name == "B" else set[int]()
    return chance, rejects, fires


def ours(name: str, seed: int, *, reload: bool) -> tuple[bool, dict[str, Any], Counter[str], int]:
    chance, rejects, fires = script(name, seed)
    play = Play(COMPILED[name], flows.payload(), reload=reload)
    steps = 0
    while play.open:
        if steps in fires:
            fires.discard(steps)
            for node in sorted(set(play.timers.values())):
                play.fire(node)
            continue
        node = chance.choice(sorted(set(play.nodes)))
        play.complete(node, **flows.answer(node, steps, "reject" if steps in rejects else "approve"))
        steps += 1
    counts = Counter(play.visited("left"))
    data = {name: value for name, value in play.data.items() if name != "boundary"}  # ours alone
    return play.ended == "completed", data, counts, steps


def plain(name: str, seed: int) -> tuple[bool, dict[str, Any], Counter[str], int]:
    chance, rejects, fires = script(name, seed)
    play = PlainPlay(name, flows.payload())
    steps = 0
    while play.nodes:
        if steps in fires:
            fires.discard(steps)
            play.fire_all()
            continue
        node = chance.choice(sorted(set(play.nodes)))
        play.complete(node, **flows.answer(node, steps, "reject" if steps in rejects else "approve"))
        steps += 1
    elements = set(COMPILED[name].nodes)
    return *play.end(elements), steps


@pytest.mark.parametrize("name", list("ABCD"))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_play_ends_as_on_plain_spiffworkflow(name: str) -> None:
    for seed in range(PLAYS):
        done, data, counts, steps = plain(name, seed)
        for reload in (True, False):
            got = ours(name, seed, reload=reload)
            assert got[0] == done
            assert got[3] == steps
            assert got[1] == data
            assert got[2] == counts
