"""Whoever watches the wires, and however many watch at once: each change for good is announced once."""

from __future__ import annotations

import threading

import pytest

from engine import health
from engine.db import Sessions, transaction
from tests.conftest import TestClock
from tests.databases import Database


def report(state: str, reason: str = "") -> None:
    with transaction() as session:
        health.report(session, {"sms": lambda: (state, reason)})
    Sessions.remove()


def watch(found: list[health.Change], meet: threading.Barrier | None = None) -> None:
    if meet is not None:
        meet.wait(10)
    with transaction() as session:
        found += health.changes(session)
    Sessions.remove()


def watch_four_times_at_once() -> list[health.Change]:
    found: list[health.Change] = []
    meet = threading.Barrier(4)
    watchers = [threading.Thread(target=watch, args=(found, meet)) for _each in range(4)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join(20)
        assert not watcher.is_alive()
    return found


def test_many_who_watch_at_once_announce_each_change_once(database: Database, clock: TestClock) -> None:
    down_at = clock.at
    report("down", "modem_lost")
    assert watch_four_times_at_once() == []
    clock.advance(seconds=61)
    report("down", "modem_absent")  # another process, or a nearer reason: still the same trouble
    assert watch_four_times_at_once() == [health.Change("sms", True, "modem_absent", down_at)]
    back_at = clock.advance(minutes=1)
    report("up")
    assert watch_four_times_at_once() == [health.Change("sms", False, "", back_at)]
    assert watch_four_times_at_once() == []


@pytest.mark.parametrize(("state", "seconds", "told"), [("degraded", 3600, 0), ("down", 59, 0), ("down", 60, 1)])
def test_what_is_an_alarm(database: Database, clock: TestClock, state: str, seconds: int, told: int) -> None:
    report(state, "no_signal")
    clock.advance(seconds=seconds)
    report(state, "no_signal")
    found: list[health.Change] = []
    watch(found)
    assert len(found) == told
