"""How long steps took lately, and the preview that tells people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine import clock as engine_clock, history, runtime
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import CHEN, LI, WANG, Site
from tests.engine.test_runtime import two_steps


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def usual() -> dict[str, timedelta]:
    return dict(house.read(lambda s: history.usual_spans(s, "two")))


def play(definition: int, clock: TestClock, *hours: float) -> None:
    """One instance whose steps take that many hours; it stays open where they end."""
    started = house.start(definition)
    for actor, node, took in zip((WANG, CHEN), ("first", "second"), hours, strict=False):
        clock.advance(hours=took)
        house.act(actor, house.items(started)[node])


def test_the_median_of_what_was_done(site: Site, clock: TestClock) -> None:
    definition = house.deploy(two_steps())
    for hours in ((1, 10), (3, 10), (50,)):
        play(definition, clock, *hours)
    assert usual() == {"first": timedelta(hours=3)}, "two items say nothing about the next one"
    play(definition, clock, 4, 20)
    assert usual() == {"first": timedelta(hours=3.5), "second": timedelta(hours=10)}


def test_old_instances_are_forgotten(site: Site, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history.spans, "RECENT_INSTANCES", 3)
    definition = house.deploy(two_steps())
    for hours in (100, 100, 100, 2, 2, 2):
        play(definition, clock, hours)
    assert usual() == {"first": timedelta(hours=2)}


def test_a_preview_reckons_with_it(site: Site, clock: TestClock) -> None:
    definition = house.deploy(two_steps())
    for _round in range(3):
        play(definition, clock, 2, 5)
    route = house.read(lambda s: runtime.preview(s, LI, "two", {}))
    now = engine_clock.now()
    assert [step.expected_at for step in route.steps] == [now + timedelta(hours=2), now + timedelta(hours=7)]
    assert {step.expected_from for step in route.steps} == {"history"}
    assert (route.ends, site.calls.count("site.first")) == (True, 3)
