"""Random nests played at random and taken over to small edits of themselves: no token is lost, each join fires once."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from engine import workflow
from tests.engine.workflow import test_snapshot as fixtures
from tests.engine.workflow.drawing import Drawing
from tests.engine.workflow.kit import Play, compiled
from tests.engine.workflow.test_moving import move
from tests.engine.workflow.test_random_graphs import Grower


def grown(seed: int) -> str:
    d = Drawing()
    grower = Grower(Random(seed))
    first, last = grower.block(d, 3)
    d.start()
    d.end()
    d.flow("start", first)
    d.flow(last, "end")
    return re.sub(r'<userTask id="(\w+)"', r'<userTask id="\1" name="task \1"', d.xml())


def edited(xml: str, chance: Random) -> tuple[str, dict[str, str]]:
    """The drawing with some tasks renamed and some tasks put behind others; what each task is called now."""
    names = {}
    for task in re.findall(r'<userTask id="(\w+)"', xml):
        names[task] = task
        if chance.random() < 0.4:
            names[task] = f"{task}_new"
            xml = re.sub(rf'(id|sourceRef|targetRef)="{task}"', rf'\1="{task}_new"', xml)
        if chance.random() < 0.3:
            xml = _put_behind(xml, names[task])
    return xml, names


def _put_behind(xml: str, task: str) -> str:
    """A note for people behind the task, on its first flow."""
    found = re.search(rf'<sequenceFlow id="(\w+)" sourceRef="{task}" targetRef="(\w+)">(.*?)</sequenceFlow>', xml)
    if found is None:
        return xml
    note = (
        f'<task id="{task}_note"/><sequenceFlow id="{task}_noted" sourceRef="{task}" targetRef="{task}_note"/>'
        f'<sequenceFlow id="{found[1]}" sourceRef="{task}_note" targetRef="{found[2]}">{found[3]}</sequenceFlow>'
    )
    return xml.replace(found[0], note)


@pytest.mark.parametrize("seed", range(60))
def test_any_instance_goes_over_and_on_to_the_end(seed: int) -> None:
    chance = Random(seed)
    xml = grown(seed)
    play = Play(compiled(xml))
    steps = 0
    while play.ended is None:
        assert play.nodes, "somebody always has something to do"
        if steps == seed % 5:
            before = Counter(play.nodes)
            other, names = edited(xml, chance)
            move(play, compiled(other))
            assert Counter(play.nodes) == Counter(names[task] for task in before.elements())
        play.complete(chance.choice(play.nodes), outcome="approve")
        steps += 1
        assert steps < 500
    left = Counter(node for node, did in play.path if did == "left")
    assert left["end"] == 1


@pytest.mark.parametrize("seed", range(20))
def test_over_and_back_at_every_step_changes_nothing(seed: int) -> None:
    """Against the same play that stays where it is."""
    xml, chance = grown(seed), Random(seed)
    other, _names = edited(xml, chance)
    one, both = Play(compiled(xml)), Play(compiled(xml))
    while one.ended is None:
        move(both, compiled(other))
        move(both, compiled(xml))
        assert both.nodes == one.nodes
        assert both.live.tokens() == one.live.tokens()
        task = chance.choice(one.nodes)
        one.complete(task, outcome="approve")
        both.complete(task, outcome="approve")
    assert both.ended == one.ended
    assert both.data == one.data


def test_a_snapshot_of_every_released_format_is_taken_over() -> None:
    for number in range(1, workflow.SNAPSHOT_FORMAT + 1):
        play = fixtures.begin()
        raw = (fixtures.FIXTURES / f"format-{number}.bin").read_bytes()
        play.live = workflow.load(play.process, raw, play.house)
        move(play, compiled(fixtures.everything(), head=fixtures.MESSAGES))
        fixtures.finish(play)
