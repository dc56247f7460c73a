"""Circulating that blocks a node: what was circulated is acknowledged before the step can be approved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import select

from engine import work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import AppError, Conflict, Forbidden, NotFound
from engine.models import Copy
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, LI, SUN, WANG, ZHAO
from tests.engine.site import Site


def waiting(candidates: str = "person(2)", **policies: str) -> int:
    return play.one(candidates, circulate="wait", **policies)


def circulate(instance: int, *readers: Actor, by: Actor = WANG, node: str | None = None) -> int:
    item = play.item_of(instance, by, node=node)
    people = [reader.person_id for reader in readers]
    return play.do(lambda s: work_items.send_from_item(s, by, item, people, kind="circulate"))


def acknowledge(instance: int, reader: Actor) -> None:
    wanted = select(Copy.id).where(Copy.instance_id == instance, Copy.person_id == reader.person_id)
    copy = play.house.read(lambda s: s.scalar(wanted))
    play.do(lambda s: work_items.acknowledge(s, reader, copy))


def recall(instance: int, by: Actor, *readers: Actor, holder: Actor = WANG) -> list[int]:
    item = play.item_of(instance, holder)
    return play.do(lambda s: work_items.recall(s, by, item, [reader.person_id for reader in readers]))


def refused(instance: int, person: Actor) -> AppError:
    with pytest.raises(AppError) as refusal:
        play.act(instance, person)
    assert refusal.value.code == "not_acknowledged"
    play.sound(instance)
    return refusal.value


def test_the_step_waits_for_those_who_have_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CATALOG.directory, "names", lambda _s, ids: {one: play.PEOPLE[one].name for one in ids})
    started = waiting()
    assert circulate(started, ZHAO, SUN) == 2
    assert f"{ZHAO.name}, {SUN.name}" in str(refused(started, WANG))
    acknowledge(started, ZHAO)
    said = refused(started, WANG)
    assert SUN.name in str(said)
    assert ZHAO.name not in str(said)
    assert said.remedy
    acknowledge(started, SUN)
    assert play.act(started, WANG) == "completed"
    assert [line.detail.get("free") for line in play.lines(started, "acknowledge")] == [None, WANG.person_id]


@pytest.mark.parametrize("action", ["reject", "return"])
def test_rejecting_and_returning_stay_possible(site: Site, action: str) -> None:
    started = waiting()
    circulate(started, ZHAO)
    assert play.act(started, WANG, action) == {"reject": "rejected", "return": "running"}[action]
    play.sound(started)


def test_a_step_without_the_policy_waits_for_nobody(site: Site) -> None:
    started = play.one("person(2)")
    circulate(started, ZHAO)
    assert play.act(started, WANG) == "completed"


def test_copies_and_other_senders_keep_nobody(site: Site) -> None:
    started = waiting()
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.send_from_item(s, WANG, item, [ZHAO.person_id]))
    play.do(lambda s: work_items.send_copies(s, LI, started, [SUN.person_id], kind="circulate"))
    assert play.act(started, WANG) == "completed"


def test_of_several_signers_only_the_one_who_completes_the_step_waits(site: Site) -> None:
    started = waiting("person(2), person(3)", sign="all")
    circulate(started, ZHAO)
    assert play.act(started, WANG) == "running"
    refused(started, CHEN)
    acknowledge(started, ZHAO)
    assert play.act(started, CHEN) == "completed"


def test_taking_the_last_open_signer_away_does_not_get_round_it(site: Site) -> None:
    started = waiting("person(2), person(3)", sign="all")
    circulate(started, ZHAO)
    play.act(started, WANG)
    rest = play.item_of(started, CHEN)
    play.do(lambda s: work_items.add_signers(s, CHEN, rest, [SUN.person_id], order="parallel"))
    play.act(started, CHEN)
    added = play.item_of(started, SUN)
    with pytest.raises(AppError):
        play.do(lambda s: work_items.remove_signer(s, BOSS, added))
    play.sound(started)


def test_the_circulation_is_withdrawn_by_the_holder_or_a_supervisor(site: Site) -> None:
    started = waiting()
    circulate(started, ZHAO, SUN)
    with pytest.raises((Forbidden, NotFound)):
        recall(started, LI, ZHAO)
    with pytest.raises((Forbidden, NotFound)):
        recall(started, ZHAO, ZHAO)
    assert recall(started, WANG, ZHAO, CHEN) == [ZHAO.person_id]
    assert recall(started, WANG, ZHAO) == []
    refused(started, WANG)
    assert recall(started, BOSS, SUN) == [SUN.person_id]
    wanted = select(Copy.person_id, Copy.kind, Copy.token).order_by(Copy.person_id)
    assert play.house.read(lambda s: s.execute(wanted).all()) == [(4, "cc", None), (5, "cc", None)]
    assert play.house.read(lambda s: work_items.may_read_instance(s, ZHAO, started))
    assert [line.detail["to"] for line in play.lines(started, "recall")] == [[4], [5]]
    assert play.act(started, WANG) == "completed"


def test_who_has_left_the_company_keeps_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    started = waiting()
    circulate(started, ZHAO, SUN)

    def still_here(_session: Any, persons: Iterable[int]) -> tuple[int, ...]:
        return tuple(one for one in persons if one != ZHAO.person_id)

    monkeypatch.setattr(CATALOG.directory, "active", still_here)
    refused(started, WANG)
    acknowledge(started, SUN)
    assert play.lines(started, "acknowledge")[0].detail["free"] == WANG.person_id
    assert play.act(started, WANG) == "completed"


def test_a_later_step_waits_for_its_own_readers(site: Site) -> None:
    wait = {"circulate": "wait"}
    started = play.chain(("first", "person(2)", wait), ("second", "person(3)", wait))
    circulate(started, ZHAO)
    acknowledge(started, ZHAO)
    play.act(started, WANG)
    assert circulate(started, ZHAO, by=CHEN) == 0  # has read it
    assert circulate(started, SUN, by=CHEN) == 1
    refused(started, CHEN)
    acknowledge(started, SUN)
    assert play.act(started, CHEN) == "completed"


def test_who_was_asked_before_a_return_is_asked_anew(site: Site) -> None:
    started = waiting()
    circulate(started, ZHAO)
    play.act(started, WANG, "return")
    play.do(lambda s: work_items.act(s, LI, play.item_of(started, LI), "submit"))
    assert circulate(started, ZHAO) == 1
    refused(started, WANG)
    acknowledge(started, ZHAO)
    assert play.act(started, WANG) == "completed"


def test_the_clock_does_not_approve_what_readers_hold_up(site: Site) -> None:
    started = waiting()
    circulate(started, ZHAO)
    item = play.item_of(started, WANG)
    with pytest.raises(AppError) as refusal:
        play.do(lambda s: work_items.decide_when_due(s, item, "approve"))
    assert refusal.value.code == "not_acknowledged"


def test_the_action_is_offered_where_a_step_can_wait(site: Site) -> None:
    plain, waits = play.one("person(2)"), waiting()
    with pytest.raises((Forbidden, Conflict)):
        recall(plain, WANG, ZHAO)
    assert recall(waits, WANG, ZHAO) == []
