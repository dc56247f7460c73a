"""`make bench`: every figure of the engine with its reference beside it, and the bound it should hold."""

from __future__ import annotations

import argparse
import platform
import sys

from sqlalchemy import Engine

from engine.db import Sessions
from tests import servers
from tests.bench import alike, crowd, growth, house, lists, outbox, pages, races, search, steps, telephony, unlocking

PARTS = ("engine", "mails", "calls", "customers", "search", "pages")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: does it run?")
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    chosen = parser.parse_args()
    names = tuple(chosen.database or ("sqlite", "postgresql"))
    scale = 10 if chosen.quick else 1
    house.declare()
    say(f"Python {platform.python_version()} on {platform.machine()}; durable commits; medians of interleaved rounds.")
    with house.databases(names) as urls:
        for name, url in urls.items():
            with house.opened(url) as engine:
                say(f"\n== {name}")
                if chosen.only in (None, "engine"):
                    report_engine(engine, name, scale)
                if chosen.only in (None, "mails"):
                    report_outbox(engine, scale)
                if chosen.only in (None, "calls"):
                    report_calls(scale)
                if chosen.only in (None, "customers"):
                    report_alike(engine, scale)  # first: it counts its ids from 1
                    report_night(engine, scale)
                if chosen.only in (None, "search"):
                    report_search(engine, scale)
                Sessions.remove()
        if "postgresql" in urls and chosen.only in (None, "engine"):
            report_together(scale)
    if chosen.only in (None, "calls"):
        report_pops(scale)
    if "postgresql" in names and chosen.only in (None, "pages"):
        report_pages(scale)
    return 0


def report_engine(engine: Engine, name: str, scale: int) -> None:
    report_steps(engine, name, scale)
    report_growth(scale)
    report_races(scale)
    report_crowds()
    report_lists(engine)


def report_outbox(engine: Engine, scale: int) -> None:
    mails = outbox.MAILS // scale
    bare, ours = outbox.bare(engine, mails), outbox.ours(mails)
    needed = "(bound 1,000)" if engine.dialect.name == "postgresql" else ""
    say(f"mails a second through a null transport: {ours:.0f} {needed}; bare SQL {bare:.0f}, ratio {ours / bare:.2f}")


def report_search(engine: Engine, scale: int) -> None:
    customers = search.SIZE // scale
    search.fill(engine, customers)
    ours, bare = search.ours(), search.bare(engine)
    say(
        f"finding one of {customers:,} customers: median {ours.median:.1f} ms, p95 {ours.p95:.1f} ms (bound 150); "
        f"bare SQL without pinyin: p95 {bare.p95:.1f} ms, ratio {ours.p95 / bare.p95:.2f}"
    )


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


def report_calls(scale: int) -> None:
    kept, folded = telephony.throughput(max(200 // scale, 20))
    mark = "" if kept >= 200 else "   below its bound"
    say(f"events of a telephone exchange: {kept:,.0f} a second folded and kept (bound 200), {folded:,.0f} folded{mark}")


def report_night(engine: Engine, scale: int) -> None:
    unlocking.fill(unlocking.CUSTOMERS // scale, unlocking.GOING // scale)
    night = unlocking.measure(engine)
    mark = "" if night.seconds <= 60 else "   above its bound"
    say(
        f"a night of unlocking: {night.examined:,} examined, {night.unlocked:,} released in {night.seconds:.1f} s "
        f"(bound 60); one statement finds them in {night.bare:.2f} s, ratio {night.seconds / night.bare:.0f}{mark}"
    )


def report_alike(engine: Engine, scale: int) -> None:
    alike.fill(engine, alike.CUSTOMERS // scale)
    ours, bare = alike.ours(), alike.bare(engine)
    mark = "" if ours.p95 <= 50 else "   above its bound"
    say(
        f"duplicate check: median {ours.median:.1f} ms, p95 {ours.p95:.1f} ms (bound 50); exact roads in bare SQL: "
        f"median {bare.median:.1f} ms, p95 {bare.p95:.1f} ms, ratio {ours.median / bare.median:.1f}{mark}"
    )


def report_pops(scale: int) -> None:
    rounds = max(100 // scale, 20)
    for with_redis, bound in ((False, 1200), (True, 100)):
        try:
            found = telephony.to_browser(rounds, with_redis=with_redis)
        except servers.CannotStart as missing:
            say(f"a call on an agent's page, with Redis: not measured, {missing}")
            continue
        road = "with Redis" if with_redis else "embedded"
        mark = "" if found.p95 <= bound else "   above its bound"
        say(
            f"a call on an agent's page, {road}: median {found.median:.0f} ms, "
            f"p95 {found.p95:.0f} ms (bound {bound:,}){mark}"
        )


def report_pages(scale: int) -> None:
    for page in pages.measure(scale):
        mark = "" if page.ours.p95 <= page.bound else "   above its bound"
        say(
            f"{page.name} over HTTP: median {page.ours.median:.0f} ms, p95 {page.ours.p95:.0f} ms "
            f"(bound {page.bound}); "
            f"bare SQL: median {page.bare.median:.1f} ms, p95 {page.bare.p95:.1f} ms, "
            f"ratio {page.ours.median / page.bare.median:.1f}{mark}"
        )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
