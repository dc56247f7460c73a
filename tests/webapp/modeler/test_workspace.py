"""Two designers at the same moment, on both databases: one saves, the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask

from engine import repository
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import Conflict
from engine.repository import DEPLOY
from engine.runtime import perform
from tests.databases import Database
from webapp.modeler import workspace
from webapp.modeler.workspace import Stale

KEY = "small"
DRAWING = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="small" isExecutable="true">'
    '<startEvent id="s"/><task id="t" name="{name}"/><endEvent id="e"/>'
    '<sequenceFlow id="x" sourceRef="s" targetRef="t"/><sequenceFlow id="y" sourceRef="t" targetRef="e"/>'
    "</process></definitions>"
)
DESIGNERS = [Actor(person_id=number, name=f"designer {number}", permissions=frozenset({DEPLOY})) for number in (1, 2)]


@pytest.fixture
def deployed(database: Database) -> None:
    perform(lambda session: repository.deploy(session, DESIGNERS[0], {"small.bpmn": DRAWING.format(name="first")}))


def at_once(*works: Callable[[], object]) -> list[str]:
    """Run them together; what became of each, sorted."""
    barrier, outcomes = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        with Flask(__name__).app_context():
            barrier.wait()
            try:
                work()
                outcomes.append("done")
            except (Stale, Conflict):
                outcomes.append("refused")
            finally:
                Sessions.remove()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def save(actor: Actor, token: str = "1.0") -> Callable[[], object]:
    drawn = {"small.bpmn": DRAWING.format(name=actor.name)}
    return lambda: perform(lambda session: workspace.save(session, actor, KEY, token, drawn))


def deploy(actor: Actor, token: str = "1.0") -> Callable[[], object]:
    drawn = {"small.bpmn": DRAWING.format(name=actor.name)}
    return lambda: perform(lambda session: workspace.deploy(session, actor, KEY, token, drawn))


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("second", [save, deploy])
@pytest.mark.parametrize("first", [save, deploy])
def test_of_two_at_the_same_moment_one_wins(
    first: Callable[[Actor], Callable[[], object]], second: Callable[[Actor], Callable[[], object]]
) -> None:
    assert at_once(first(DESIGNERS[0]), second(DESIGNERS[1])) == ["done", "refused"]


@pytest.mark.usefixtures("deployed")
def test_over_a_draft_one_wins_too() -> None:
    save(DESIGNERS[0])()
    assert at_once(save(DESIGNERS[0], "1.1"), deploy(DESIGNERS[1], "1.1")) == ["done", "refused"]


@pytest.mark.usefixtures("database")
def test_of_two_who_begin_the_same_process_one_wins() -> None:
    def begin(actor: Actor) -> Callable[[], object]:
        files = {"small.bpmn": DRAWING.format(name="x")}
        return lambda: perform(lambda session: workspace.create(session, actor, KEY, "Small", files))

    assert at_once(*map(begin, DESIGNERS)) == ["done", "refused"]
