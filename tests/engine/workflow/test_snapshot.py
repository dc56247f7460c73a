"""State to bytes and back: every value, every waiting place, and the fixtures of released formats."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine import workflow
from engine.workflow import snapshot, values
from tests.engine.workflow.drawing import MESSAGES, Drawing, event, timer
from tests.engine.workflow.kit import House, Play, compiled
from tests.engine.workflow.test_events import inside, with_sub

FIXTURES = Path(__file__).parent / "snapshots"

plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.times()
    | st.timedeltas(min_value=timedelta(days=-999), max_value=timedelta(days=999)).map(
        lambda span: timedelta(seconds=int(span.total_seconds()))
    )
)
storable = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(storable)
def test_every_value_survives(value: Any) -> None:
    copy = values.clean(value)
    back = values.decode(values.encode(copy))
    assert back == value
    assert type(back) is type(value)


def test_exact_types_survive_a_step() -> None:
    d = Drawing()
    d.start()
    d.user("a")
    d.end()
    d.chain("start", "a", "end")
    given_values = {
        "money": Decimal("1200.50"),
        "day": date(2026, 11, 23),
        "at": datetime(2026, 11, 23, 1, tzinfo=UTC),
        "clock": time(9, 30),
        "nested": {"lines": [{"amount": Decimal("0.10")}]},
        "large": 10**30,
    }
    play = Play(compiled(d), given_values)
    assert dict(play.data) == given_values
    assert isinstance(play.data["nested"]["lines"][0]["amount"], Decimal)


@pytest.mark.parametrize("value", [object(), {"a": object()}, [b"bytes"], {(1, 2): 3}])
def test_what_cannot_be_kept_is_refused_at_once(value: Any) -> None:
    with pytest.raises(values.NotStorable):
        values.clean(value)


def test_endless_nesting_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(values.NotStorable):
        values.clean(value)


def test_what_is_handed_over_is_copied() -> None:
    d = Drawing()
    d.start()
    d.user("a")
    d.end()
    d.chain("start", "a", "end")
    mine = {"lines": [1]}
    play = Play(compiled(d), mine, reload=False)
    mine["lines"].append(2)
    assert play.data["lines"] == [1]


def test_a_branch_does_not_see_what_another_sets_inside_a_structure() -> None:
    d = Drawing()
    d.start()
    d.add("parallelGateway", "fork")
    d.script("change", "limits.days = 9")
    d.user("a")
    d.user("b")
    d.chain("start", "fork", "change", "a")
    d.chain("fork", "b")
    play = Play(compiled(d), {"limits": {"days": 1}}, reload=False)
    seen = {task.node: task.data["limits"]["days"] for task in play.changes.opened}
    assert seen == {"a": 9, "b": 1}


# ---------------------------------------------------------------------------------------------------- format 1


def everything() -> Drawing:
    """Every place a token can stand in: open, timer, message, race, join, sub-process, countersign, border, failed."""
    d = Drawing("everything")
    d.start()
    d.add("parallelGateway", "fork")
    d.user("approve")
    d.add("boundaryEvent", "remind", timer("R5/PT8H", "timeCycle"), attachedToRef="approve", cancelActivity="false")
    d.end("reminded")
    d.chain("remind", "reminded")
    d.add("intermediateCatchEvent", "paid", event("message", "m"))
    d.add("eventBasedGateway", "race")
    d.add("intermediateCatchEvent", "late", timer("P2D"))
    d.add("intermediateCatchEvent", "stopped", event("signal", "s"))
    with_sub(d, "box", inside)
    d.user("sign", '<multiInstanceLoopCharacteristics camunda:collection="people" camunda:elementVariable="one"/>')
    d.script("broken", "x = missing + 1")
    d.add("inclusiveGateway", "join")
    d.end()
    d.flow("start", "fork")
    for id in ("approve", "paid", "box", "sign", "broken"):
        d.chain("fork", id, "join")
    d.chain("fork", "race", "late", "join")
    d.chain("race", "stopped", "join")
    d.flow("fork", "join")
    d.flow("join", "end")
    return d


def begin() -> Play:
    return Play(
        compiled(everything(), head=MESSAGES),
        {"people": ["a", "b"], "amount": Decimal("12.30"), "on": date(2026, 1, 2)},
    )


def finish(play: Play) -> None:
    """From every place to the end."""
    play.fire("remind")
    play.complete("approve", outcome="approve")
    play.deliver("paid", "paid")
    play.fire("late")
    play.complete("work")
    play.complete("sign")
    play.complete("sign")
    assert play.ended is None
    play.call("skip", next(iter(play.failures)), {"x": 1})
    assert play.ended == "completed"
    assert play.visited().count("join") == 1
    assert play.data["amount"] == Decimal("12.30")
    assert play.data["on"] == date(2026, 1, 2)


def test_every_place_survives() -> None:
    finish(begin())


@pytest.mark.parametrize("number", range(1, workflow.SNAPSHOT_FORMAT + 1))
def test_snapshots_of_released_formats_are_read(number: int) -> None:
    """Made once by `python -m tests.engine.workflow.test_snapshot` and never again."""
    play = begin()
    raw = (FIXTURES / f"format-{number}.bin").read_bytes()
    play.live = workflow.load(play.process, raw, play.house)
    finish(play)


def test_a_format_of_the_future_is_refused() -> None:
    play = begin()
    with pytest.raises(snapshot.UnknownFormat):
        workflow.load(play.process, values.encode([snapshot.FORMAT + 1]), House())


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    target = FIXTURES / f"format-{workflow.SNAPSHOT_FORMAT}.bin"
    if not target.exists():
        target.write_bytes(begin().live.dump())
