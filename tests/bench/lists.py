"""The inbox at a million work items, and the poll of a hundred thousand timers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text

from engine import clock, history, jobs
from engine.actor import Actor
from engine.db import Sessions, transaction
from tests.bench import house

ITEMS, OPEN_SHARE, PEOPLE, GROUPS, TIMERS = 1_000_000, 5, 5_000, 300, 100_000
GROUP = -1_000_000_000_000
FIRST = 10_000_000
"""ids begin here: below it lie the rows of the other figures"""


@dataclass(frozen=True, slots=True)
class Timing:
    median: float
    p95: float
    """both in milliseconds"""


def time_calls(call: Callable[[int], Any], times: int = 200) -> Timing:
    call(0)
    taken = []
    for number in range(times):
        before = time.perf_counter()
        call(number)
        taken.append((time.perf_counter() - before) * 1000)
    return Timing(statistics.median(taken), statistics.quantiles(taken, n=20)[-1])


def fill(engine: Engine) -> None:
    """1,000,000 items in 200,000 instances, every fifth open; each tenth open one in one of 300 pools."""
    series = (
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {size}) "
        if engine.dialect.name == "sqlite"
        else "WITH s(n) AS (SELECT generate_series(1, {size})) "
    )
    at = "'2026-11-20 01:00:00.000000'" if engine.dialect.name == "sqlite" else "timestamptz '2026-11-20 01:00:00+00'"
    with engine.begin() as connection:
        definition = connection.execute(text("SELECT min(id) FROM process_definition")).scalar_one()
        run = _runner(connection, series)
        run(
            ITEMS // 5,
            "INSERT INTO process_instance (id, definition_id, definition_key, rev, state, title, starter_id, "
            "starter_name, summary, snapshot_format, log_seq, log_hash, started_at, changed_at) "
            f"SELECT {FIRST} + n, {definition}, 'bench_a', 1, 'running', '费用申请', "
            f"n % {PEOPLE} + 1, '李娜', '{{}}', 1, 0, '', {at}, {at} FROM s",
        )
        run(
            ITEMS,
            "INSERT INTO work_item (id, instance_id, token, sequence, node, title, state, outcome, assignee_id, "
            "candidates, reason, version, created_at, done_at, done_by, done_by_name, opinion) "
            f"SELECT {FIRST} + n, {FIRST} + (n - 1) / 5 + 1, n % 5, 0, 'lead', '上级审批', "
            f"CASE WHEN n % {OPEN_SHARE} = 0 THEN 'open' ELSE 'done' END, 'none', "
            f"n % {PEOPLE} + 1, '[]', '{{}}', 1, {at}, "
            f"CASE WHEN n % {OPEN_SHARE} = 0 THEN NULL ELSE {at} END, "
            f"CASE WHEN n % {OPEN_SHARE} = 0 THEN NULL ELSE n % {PEOPLE} + 1 END, '', '' FROM s",
        )
        run(
            ITEMS,
            "INSERT INTO inbox (principal, item_id) SELECT CASE WHEN n % 50 = 0 "
            f"THEN {GROUP} - (n / 50) % {GROUPS} ELSE n % {PEOPLE} + 1 END, {FIRST} + n FROM s "
            f"WHERE n % {OPEN_SHARE} = 0",
        )
    house.settle()


def _runner(connection: Connection, series: str) -> Callable[[int, str], None]:
    def run(size: int, statement: str) -> None:
        # An INSERT comes before its WITH on neither database in the same place; both accept it in front.
        connection.execute(text(series.format(size=size) + statement))

    return run


def people() -> list[Actor]:
    """Readers with two delegators' worth of extra principals and some pools each, as row 9 will give them."""
    return [
        Actor(
            person_id=person * 10,
            name="",
            groups=frozenset(
                {GROUP - person % GROUPS, GROUP - (person + 7) % GROUPS, person * 10 + 5, person * 10 + 10}
            ),
        )
        for person in range(1, 101)
    ]


def inbox() -> Timing:
    """Page and counts together, as the inbox page asks them."""
    actors = people()

    def call(number: int) -> None:
        with transaction() as session:
            actor = actors[number % len(actors)]
            page = history.inbox(session, actor, "open", size=20)
            counted = history.counts(session, actor)
        if not page.lines or not counted["open"]:
            raise RuntimeError("the inbox is empty: the bench measures nothing")
        Sessions.remove()

    return time_calls(call)


def naive_inbox(engine: Engine) -> Timing:
    """The indexed query everybody writes first: assignee or pool, newest first, and a count."""
    page = text(
        "SELECT w.id, w.title, i.title FROM work_item w JOIN process_instance i ON i.id = w.instance_id "
        "WHERE w.state = 'open' AND (w.assignee_id = :me OR EXISTS (SELECT 1 FROM inbox b WHERE b.item_id = w.id "
        "AND b.principal IN (:one, :two))) ORDER BY w.id DESC LIMIT 20"
    )
    count = text("SELECT count(*) FROM work_item w WHERE w.state = 'open' AND w.assignee_id = :me")
    actors = people()

    def call(number: int) -> None:
        actor = actors[number % len(actors)]
        one, two = sorted(g for g in actor.groups if g < 0)
        with engine.connect() as connection:
            connection.execute(page, {"me": actor.person_id, "one": one, "two": two}).all()
            connection.execute(count, {"me": actor.person_id}).all()

    return time_calls(call, times=20)


def fill_timers(engine: Engine) -> None:
    later = (
        "'2027-01-01 00:00:00.000000'" if engine.dialect.name == "sqlite" else "timestamptz '2027-01-01 00:00:00+00'"
    )
    series = (
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {size}) "
        if engine.dialect.name == "sqlite"
        else "WITH s(n) AS (SELECT generate_series(1, {size})) "
    )
    with engine.begin() as connection:
        _runner(connection, series)(
            TIMERS,
            "INSERT INTO timer (instance_id, token, node, due_at, catch_up) "
            f"SELECT {FIRST} + n, 1, 'lead_late', {later}, 'once' FROM s",
        )
    house.settle()


def timer_poll() -> Timing:
    """One look for due timers while a hundred thousand wait."""

    def call(_number: int) -> None:
        if jobs.due_timers():
            raise RuntimeError("no timer is due")
        Sessions.remove()

    assert clock.now().year < 2027
    return time_calls(call)
