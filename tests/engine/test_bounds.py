"""What is too long, too late, too far or not printable is refused with a sentence, on both databases alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from engine import repository, runtime, work_items
from engine.actor import SYSTEM
from engine.db import Sessions
from engine.errors import Conflict, DeploymentRefused, InvalidForm, RuleViolation
from engine.expressions import ExpressionError
from engine.models import Instance
from engine.runtime.cache import LIVE
from engine.workflow import timers, values
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import BOSS, CHEN, LI, WANG, Site
from tests.engine.workflow.drawing import Drawing


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def line(*parts: Callable[[Drawing], str], id: str = "line") -> Drawing:
    d = Drawing(id)
    d.start()
    names = [part(d) for part in parts]
    d.end()
    d.chain("start", *names, "end")
    return d


def user(id: str, person: int = 2, **attributes: str) -> Callable[[Drawing], str]:
    return lambda d: d.user(id, camunda_assignee=f"person({person})", **attributes)


# ------------------------------------------------------------------------------------------------- words and keys

UNPRINTABLE = ["a\x00b", "a\ud800b", "\x1b[31m"]


@pytest.mark.parametrize("text", UNPRINTABLE)
def test_what_cannot_be_printed_enters_no_log(site: Site, text: str) -> None:
    started = house.start(house.deploy(line(user("work"))))
    for attempt in (
        lambda s: work_items.act(s, WANG, house.items(started)["work"], "submit", opinion=text),
        lambda s: work_items.withdraw(s, LI, started, text),
        lambda s: work_items.terminate(s, BOSS, started, text),
        lambda s: runtime.skip_incident(s, BOSS, 1, None, text),
    ):
        with pytest.raises(InvalidForm):
            runtime.perform(attempt)
        Sessions.remove()
    assert list(house.items(started)) == ["work"]


def test_an_opinion_keeps_its_lines_and_its_signs(site: Site) -> None:
    started = house.start(house.deploy(line(user("work"))))
    assert house.act(WANG, house.items(started)["work"], opinion="同意\r\n\t😀" * 300) == "completed"


@pytest.mark.parametrize("key", ["k" * 121, *UNPRINTABLE])
def test_a_key_fits_its_column(site: Site, key: str) -> None:
    name = house.deploy(line(user("work")))
    with pytest.raises(RuleViolation):
        runtime.perform(lambda s: runtime.start(s, LI, name, business_key=key))
    for given in ({"business_key": key}, {"name": key}, {"message_id": key}):
        with pytest.raises(RuleViolation):
            runtime.perform(lambda s, g=given: runtime.publish(s, **{"name": "paid", "message_id": "1", **g}))
    Sessions.remove()


def test_names_fit_their_columns(site: Site) -> None:
    d = line(
        user("work", name="名" * 201),
        lambda d: d.add("intermediateCatchEvent", "paid", '<messageEventDefinition messageRef="m"/>'),
    )
    xml = d.xml(head=f'<message id="m" name="{"x" * 121}"/>').replace('name="line"', f'name="{"名" * 201}"')
    with pytest.raises(DeploymentRefused) as refusal:
        runtime.perform(lambda s: repository.deploy(s, SYSTEM, {f"{'f' * 200}.bpmn": xml}))
    Sessions.remove()
    found = {problem.where for problem in refusal.value.problems if problem.rule == "long_name"}
    assert found == {"line", "work", "paid", f"{'f' * 50}…"}


def test_the_longest_names_run(site: Site) -> None:
    long = "步" * 100
    d = line(user(long, name="名" * 200), id="程" * 100)
    started = house.start(house.deploy(d), LI)
    assert house.act(WANG, house.items(started)[long]) == "completed"


# ------------------------------------------------------------------------------------------------- values and sizes


def test_odd_values_travel_with_the_token(site: Site) -> None:
    odd = {
        "huge": Decimal("1e50"),
        "long": 10**40,
        "text": "字" * 500_000,
        "deep": [[[[{"k": None}]]]],
        "nan": float("nan"),
        "date": datetime(1, 1, 1, tzinfo=UTC),
    }
    started = house.start(house.deploy(line(user("first"), user("second", 3))), LI, **odd)
    LIVE.clear()
    house.act(WANG, house.items(started)["first"], values={"more": 1e308})
    assert house.act(CHEN, house.items(started)["second"]) == "completed"


def test_a_long_diagram_runs(site: Site) -> None:
    d = line(*((lambda d, n=n: d.add("task", f"t{n}")) for n in range(1_900)))
    assert house.state(house.start(house.deploy(d))) == "completed"


@pytest.mark.parametrize("due", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "9999-12-31"])
def test_a_date_at_the_end_of_the_calendar_is_refused(site: Site, due: str) -> None:
    with pytest.raises(DeploymentRefused):
        house.deploy(line(user("work", camunda_dueDate=due)))
    Sessions.remove()
    started = house.start(house.deploy(line(user("work", camunda_dueDate="${due}"))), LI, due=due)
    assert [incident.cause for incident in house.incidents(started)] == ["expression"]


def test_what_a_cycle_missed_is_not_walked_through() -> None:
    before = datetime(2026, 11, 23, tzinfo=UTC)
    now = before + timedelta(days=3650, seconds=0.5)
    began = time.thread_time()
    assert timers.following(before, "PT1S", now, catch_up=False) == before + timedelta(days=3650, seconds=1)
    assert timers.following(before, "P1M", now, catch_up=False) == datetime(2036, 11, 23, tzinfo=UTC)
    assert timers.following(before, "PT1S", now, catch_up=True) == before + timedelta(seconds=1)
    assert time.thread_time() - began < 1
    with pytest.raises(ExpressionError):
        timers.following(datetime(9998, 1, 1, tzinfo=UTC), "P9999Y", now, catch_up=False)


# ------------------------------------------------------------------------------------------------- another version


def test_a_state_another_version_wrote_is_named(site: Site) -> None:
    started = house.start(house.deploy(line(user("work"))))
    item = house.items(started)["work"]
    newer: dict[str, Any] = {"snapshot": values.encode([99]), "snapshot_format": 99, "rev": Instance.rev + 1}

    def write(session: Session) -> None:
        session.execute(update(Instance).where(Instance.id == started).values(newer))

    runtime.perform(write)
    Sessions.remove()
    with pytest.raises(Conflict, match=r"another version.*99"):
        house.act(WANG, item)
    assert list(house.items(started)) == ["work"]
