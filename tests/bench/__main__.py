"""`make bench`: every figure of the engine with its reference beside it, and the bound it should hold."""

from __future__ import annotations

import argparse
import platform
import sys

from sqlalchemy import Engine

from engine.db import Sessions
from tests import servers
from tests.bench import crowd, growth, house, lists, races, steps


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: does it run?")
    chosen = parser.parse_args()
    names = tuple(chosen.database or ("sqlite", "postgresql"))
    scale = 10 if chosen.quick else 1
    house.declare()
    say(f"Python {platform.python_version()} on {platform.machine()}; durable commits; medians of interleaved rounds.")
    with house.databases(names) as urls:
        for name, url in urls.items():
            with house.opened(url) as engine:
                say(f"\n== {name}")
                report_steps(engine, name, scale)
                report_growth(scale)
                report_races(scale)
                report_crowds()
                report_lists(engine)
                Sessions.remove()
        if "postgresql" in urls:
            report_together(scale)
    return 0


def report_steps(engine: Engine, name: str, scale: int) -> None:
    found = steps.measure(engine, instances=max(60 // scale, 6), rounds=max(5 // scale, 1))
    speed = {(figure.flow, figure.design): figure.per_second for figure in found}
    needed = {"postgresql": 4, "sqlite": 3}[name]
    say(f"steps a second (bounds: >= 0.35 of hand-coded; >= {needed} x plain SpiffWorkflow; both with the cache)")
    say(
        f"{'flow':6}{'hand-coded':>12}{'plain Spiff':>12}{'cached':>10}{'uncached':>10}"
        f"{'/hand':>8}{'/Spiff':>8}{'unc/hand':>10}"
    )
    for flow in "ABCD":
        hand, spiff, cached, uncached = (speed[flow, design] for design in steps.DESIGNS)
        mark = "" if cached / hand >= 0.35 and cached / spiff >= needed else "   below its bound"
        say(
            f"{flow:6}{hand:12.0f}{spiff:12.0f}{cached:10.0f}{uncached:10.0f}"
            f"{cached / hand:8.2f}{cached / spiff:8.1f}{uncached / hand:10.2f}{mark}"
        )


def report_growth(scale: int) -> None:
    rounds = max(2000 // scale, 60)
    early, late, bytes_then, bytes_now = growth.ratio(rounds)
    say(
        f"a step at reject round 10: {early:.2f} ms, at {rounds}: {late:.2f} ms, "
        f"ratio {late / early:.2f} (bound 1.30); state {bytes_then} -> {bytes_now} bytes; uncached"
    )


def report_races(scale: int) -> None:
    times = 1000 // scale
    say(f"two people at once: exactly one winner in {races.two_at_once(times)} of {times}")


def report_crowds() -> None:
    opened, median, p95 = crowd.thousand()
    say(
        f"a countersign of {crowd.SIGNERS:,}: opens in {opened:.0f} ms (bound 1,000); "
        f"an approval of it: median {median:.1f} ms, p95 {p95:.1f} ms (bound 30)"
    )
    say(f"{crowd.STAGES} parallel stages, one behind the other, start in {crowd.stages():.1f} ms (bound 50)")


def report_together(scale: int) -> None:
    rounds = max(30 // scale, 3)
    with servers.postgres() as url:
        found = crowd.together(url, rounds)
    say(
        f"\n{crowd.CROWD} people at once on one countersign, {crowd.WEB_PROCESSES} web processes, PostgreSQL, "
        f"{rounds} rounds: whole in {found['whole']} of {rounds}; told {found['told']} {found['words'] or ''}; "
        f"a press takes {found['median']:.0f} ms, the slowest {found['slowest']:.0f} ms"
    )


def report_lists(engine: Engine) -> None:
    lists.fill(engine)
    ours, naive = lists.inbox(), lists.naive_inbox(engine)
    say(
        f"inbox page + counts at {lists.ITEMS:,} items: median {ours.median:.2f} ms, p95 {ours.p95:.2f} ms (bound 5); "
        f"the indexed naive query: median {naive.median:.1f} ms, p95 {naive.p95:.1f} ms"
    )
    lists.fill_timers(engine)
    poll = lists.timer_poll()
    say(f"poll of {lists.TIMERS:,} waiting timers: median {poll.median:.2f} ms, p95 {poll.p95:.2f} ms (bound 1)")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
