"""Where an item lies: transfer, ask another, consult, stand in, take back, assign."""

from __future__ import annotations

import pytest

from engine import work_items
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import WorkItem
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, LI, SUN, WANG, ZHAO
from tests.engine.site import Site


def test_a_transferred_item_is_anothers(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.transfer(s, WANG, item, 3, reason="出差", version=1))
    assert play.waits_with(started) == {3}
    assert (play.row(item).owner_id, play.row(item).hops) == (2, 1)
    assert play.lines(started, "transfer")[0].detail == {"from": 2, "to": 3, "reason": "出差"}
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.act(s, WANG, item, "approve"))
    assert play.act(started, CHEN) == "completed"
    play.sound(started)


def test_nothing_is_passed_on_in_a_circle_or_for_ever(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.transfer(s, WANG, item, 3))
    play.do(lambda s: work_items.transfer(s, CHEN, item, 4))
    for back in (2, 3):
        with pytest.raises(RuleViolation, match="passed it on"):
            play.do(lambda s, back=back: work_items.transfer(s, ZHAO, item, back))
    play.do(lambda s: work_items.transfer(s, ZHAO, item, 5))
    play.do(lambda s: work_items.transfer(s, SUN, item, 6))
    play.do(lambda s: work_items.transfer(s, play.ZHOU, item, 7))
    seven = play.Actor(person_id=7, name="七")
    with pytest.raises(RuleViolation, match="5 times"):
        play.do(lambda s: work_items.transfer(s, seven, item, 8))


@pytest.mark.parametrize("move", ["transfer", "delegate"])
def test_nobody_gets_his_own_request(site: Site, move: str) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    with pytest.raises(RuleViolation, match="own request"):
        play.do(lambda s: getattr(work_items, move)(s, WANG, item, LI.person_id))
    with pytest.raises(RuleViolation, match="lies with this person"):
        play.do(lambda s: getattr(work_items, move)(s, WANG, item, WANG.person_id))


def test_only_who_holds_it_passes_it_on(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    with pytest.raises(NotFound):
        play.do(lambda s: work_items.transfer(s, CHEN, item, 4))
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.transfer(s, LI, item, 4))
    play.do(lambda s: work_items.transfer(s, BOSS, item, 4, reason="调岗"))
    assert play.waits_with(started) == {4}


def test_a_diagram_can_forbid_it(site: Site) -> None:
    started = play.one("person(2)", allow="approve,reject")
    item = play.item_of(started, WANG)
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.transfer(s, WANG, item, 3))


def test_a_stale_page_is_told_who_was_faster(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.transfer(s, WANG, item, 3, version=1))
    with pytest.raises(Conflict, match="王伟"):
        play.do(lambda s: work_items.act(s, CHEN, item, "approve", version=1))


def test_who_is_asked_gives_an_opinion_and_the_item_comes_back(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.delegate(s, WANG, item, 3, reason="请看技术部分"))
    assert play.waits_with(started) == {3}
    play.sound(started)
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.act(s, CHEN, item, "approve"))
    with pytest.raises(InvalidForm):
        play.do(lambda s: work_items.resolve(s, CHEN, item, opinion=" "))
    play.do(lambda s: work_items.resolve(s, CHEN, item, opinion="可行"))
    assert play.waits_with(started) == {2}
    assert play.row(item).state == "open"
    assert play.lines(started, "resolve")[0].detail["opinion"] == "可行"
    assert play.act(started, WANG) == "completed"


def test_who_asked_may_take_it_back_unanswered(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.delegate(s, WANG, item, 3))
    play.do(lambda s: work_items.take_back(s, WANG, item))
    assert play.waits_with(started) == {2}
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.take_back(s, WANG, item))


def test_a_side_question_blocks_nothing(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    born = play.do(lambda s: work_items.consult(s, WANG, item, [3, 4], question="预算够吗？"))
    assert play.waits_with(started) == {2, 3, 4}
    play.do(lambda s: work_items.resolve(s, CHEN, born[0], opinion="够"))
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.act(s, ZHAO, born[1], "approve"))
    play.sound(started)
    assert play.act(started, WANG) == "completed"
    assert play.row(born[1]).state == "cancelled"
    play.sound(started)


def test_who_stands_in_acts_in_the_others_name(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CATALOG, "proxies", lambda _s, persons, **_facts: {p: 4 for p in persons if p == 2})
    started = play.one("person(2)")
    assert play.waits_with(started) == {4}
    assert play.row(play.item_of(started, ZHAO)).on_behalf_of == 2
    assert play.act(started, ZHAO) == "completed"
    assert [line.on_behalf_of for line in play.lines(started, "approve")] == [2]


def test_who_is_away_takes_a_waiting_item_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CATALOG, "proxies", lambda _s, persons, **_facts: {p: 4 for p in persons if p == 2})
    started = play.one("person(2)")
    item = play.item_of(started, ZHAO)
    with pytest.raises(NotFound):
        play.do(lambda s: work_items.take_back(s, CHEN, item))
    play.do(lambda s: work_items.take_back(s, WANG, item))
    assert play.waits_with(started) == {2}
    assert play.row(item).on_behalf_of is None
    assert play.act(started, WANG) == "completed"


def test_an_absence_sweeps_what_waits_and_gives_it_back(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.hand_to_proxy(s, SYSTEM, s.get_one(WorkItem, item), 4))
    assert play.waits_with(started) == {4}
    play.do(lambda s: work_items.take_back(s, SYSTEM, item))
    assert play.waits_with(started) == {2}
    play.sound(started)


def test_in_a_countersign_both_speak(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A is away and B, who stands in, signs as well: two opinions, not one."""
    monkeypatch.setattr(CATALOG, "proxies", lambda _s, persons, **_facts: {p: 3 for p in persons if p == 2})
    started = play.one("person(2+3)", sign="all")
    assert play.states(started) == [
        ("approve", 3, "open", "none"),
        ("approve", 3, "open", "none"),
    ]
    assert play.act(started, CHEN) == "running"
    assert play.act(started, CHEN) == "completed"
    assert [line.on_behalf_of for line in play.lines(started, "approve")] == [None, 2]


def test_an_item_without_people_is_given_to_one(site: Site) -> None:
    started = play.one("nobody()", empty="hold")
    item = next(iter(play.house.items(started).values()))
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.assign(s, LI, item, 2, reason="无人"))
    with pytest.raises(InvalidForm):
        play.do(lambda s: work_items.assign(s, BOSS, item, 2, reason=" "))
    play.do(lambda s: work_items.assign(s, BOSS, item, 2, reason="无人"))
    assert play.act(started, WANG) == "completed"
