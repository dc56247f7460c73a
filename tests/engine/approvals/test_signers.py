"""加签 and 减签 before, after and beside a signer."""

from __future__ import annotations

import pytest

from engine import history, work_items
from engine.errors import Forbidden, InvalidForm, NotFound, RuleViolation
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, SUN, WANG, ZHAO, ZHOU
from tests.engine.site import Site, read


def add(instance: int, who: play.Actor, to: list[int], order: str) -> list[int]:
    item = play.item_of(instance, who)
    return play.do(lambda s: work_items.add_signers(s, who, item, to, order=order, reason="请会签"))


def test_before_me_they_speak_first(site: Site) -> None:
    started = play.one("person(2)")
    add(started, WANG, [3, 4], "before")
    assert play.waits_with(started) == {3, 4}
    play.sound(started)
    assert play.act(started, CHEN) == "running"
    assert play.waits_with(started) == {4}
    assert play.act(started, ZHAO) == "running"
    assert play.waits_with(started) == {2}
    assert play.act(started, WANG) == "completed"
    play.sound(started)


def test_a_no_before_me_is_mine_too(site: Site) -> None:
    started = play.one("person(2)")
    add(started, WANG, [3, 4], "before")
    assert play.act(started, CHEN, "reject") == "rejected"
    assert ("approve", 2, "done", "reject") in play.states(started)
    play.sound(started)


def test_after_me_they_speak_when_i_have_agreed(site: Site) -> None:
    started = play.one("person(2)")
    add(started, WANG, [3, 4], "after")
    assert play.states(started)[0] == ("approve", 2, "approving", "approve")
    assert play.waits_with(started) == {3, 4}
    assert play.act(started, ZHAO) == "running"
    assert play.act(started, CHEN) == "completed"
    assert play.states(started)[0] == ("approve", 2, "done", "approve")
    play.sound(started)


def test_beside_me_all_of_us_count(site: Site) -> None:
    started = play.one("person(2)")
    add(started, WANG, [3], "parallel")
    assert play.act(started, WANG) == "running"
    assert play.act(started, CHEN) == "completed"
    play.sound(started)


def test_beside_one_of_several_the_denominator_grows(site: Site) -> None:
    started = play.one("person(2+3)", sign="vote", vote_pass="100%")
    add(started, WANG, [4], "parallel")
    for person in (WANG, CHEN):
        assert play.act(started, person) == "running"
    assert play.act(started, ZHAO) == "completed"


def test_in_order_a_new_one_waits_for_his_turn(site: Site) -> None:
    started = play.one("person(2+3)", sign="sequential")
    add(started, WANG, [4], "parallel")
    for person, following in ((WANG, {3}), (CHEN, {4})):
        assert play.act(started, person) == "running"
        assert play.waits_with(started) == following
    assert play.act(started, ZHAO) == "completed"


def test_who_was_added_adds_further_people(site: Site) -> None:
    started = play.one("person(2+6)", sign="all")
    add(started, WANG, [3], "before")
    add(started, CHEN, [4], "after")
    assert play.waits_with(started) == {4, 6}
    assert play.act(started, ZHAO) == "running"
    assert play.waits_with(started) == {2, 6}
    assert play.act(started, ZHOU) == "running"
    assert play.act(started, WANG) == "completed"
    play.sound(started)


def test_who_was_added_stands_behind_whoever_added_him(site: Site) -> None:
    started = play.one("person(2+6)", sign="all")
    add(started, WANG, [3], "before")
    add(started, CHEN, [4], "after")
    add(started, ZHOU, [5], "parallel")
    item = play.row(play.item_of(started, ZHOU))
    assert [one.assignee_id for one in read(lambda s: history.signers_of(s, item))] == [2, 3, 4, 6, 5]


@pytest.mark.parametrize("order", ["before", "after", "parallel"])
def test_nobody_sits_twice_and_nobody_judges_himself(site: Site, order: str) -> None:
    started = play.one("person(2+3)", sign="all")
    with pytest.raises(InvalidForm) as refused:
        add(started, WANG, [3], order)
    assert refused.value.problems[0].rule == "signs_already"
    with pytest.raises(InvalidForm) as refused:
        add(started, WANG, [1], order)
    assert refused.value.problems[0].rule == "own_request"
    with pytest.raises(InvalidForm):
        add(started, WANG, [], order)


def test_removing_all_before_me_gives_the_item_back_and_decides_nothing(site: Site) -> None:
    started = play.one("person(2)")
    born = add(started, WANG, [3, 4], "before")
    for item in born:
        play.do(lambda s, item=item: work_items.remove_signer(s, WANG, item))
    assert play.house.state(started) == "running"
    assert play.waits_with(started) == {2}
    play.sound(started)
    assert play.act(started, WANG) == "completed"


def test_removing_the_last_after_me_lets_my_yes_count(site: Site) -> None:
    started = play.one("person(2)")
    born = add(started, WANG, [3, 4], "after")
    assert play.act(started, CHEN) == "running"
    play.do(lambda s: work_items.remove_signer(s, WANG, born[1], reason="不需要"))
    assert play.house.state(started) == "completed"
    play.sound(started)


def test_removing_may_complete_a_countersign(site: Site) -> None:
    started = play.one("person(2+3)", sign="all")
    play.act(started, WANG)
    add(started, CHEN, [4], "parallel")
    play.act(started, CHEN)
    with pytest.raises(RuleViolation, match="left to decide"):
        play.do(lambda s: work_items.remove_signer(s, CHEN, play.item_of(started, ZHAO)))
    other = play.one("person(2+3+4)", sign="all")
    play.act(other, WANG)
    item = play.item_of(other, ZHAO)
    play.do(lambda s: work_items.remove_signer(s, BOSS, item, reason="离职"))
    assert play.act(other, CHEN) == "completed"


def test_removed_with_whom_he_added(site: Site) -> None:
    started = play.one("person(2)")
    born = add(started, WANG, [3], "before")
    add(started, CHEN, [4, 5], "before")
    play.do(lambda s: work_items.remove_signer(s, WANG, born[0]))
    assert play.waits_with(started) == {2}
    assert [state for _n, _p, state, _o in play.states(started)] == ["open", "cancelled", "cancelled", "cancelled"]
    play.sound(started)


def test_only_who_added_him_or_administers_removes_somebody(site: Site) -> None:
    started = play.one("person(2+5)", sign="all")
    born = add(started, WANG, [3], "parallel")
    for stranger, refusal in ((SUN, Forbidden), (ZHOU, NotFound), (CHEN, Forbidden)):
        with pytest.raises(refusal):
            play.do(lambda s, who=stranger: work_items.remove_signer(s, who, born[0]))
    play.do(lambda s: work_items.remove_signer(s, BOSS, born[0]))
    assert play.waits_with(started) == {2, 5}


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_no_of_who_was_added_is_one_no_in_a_vote(site: Site, order: str) -> None:
    """Not the end of it: the others may still carry it. And nobody's own words are changed."""
    started = play.one("person(2+3+4)", sign="vote", vote_pass="2")
    add(started, WANG, [5], order)
    assert play.act(started, SUN, "reject") == "running"
    said = "reject" if order == "before" else "approve"
    assert ("approve", 2, "done", said) in play.states(started)
    assert play.act(started, CHEN) == "running"
    assert play.act(started, ZHAO) == "completed"
    play.sound(started)


def test_two_asked_before_and_the_first_no_lets_the_second_go(site: Site) -> None:
    started = play.one("person(2+3+4)", sign="vote", vote_pass="2")
    add(started, WANG, [5, 6], "before")
    assert play.act(started, SUN, "reject") == "running"
    assert play.waits_with(started) == {3, 4}
    play.sound(started)


def test_removing_goes_back_where_a_no_would_have_gone(site: Site) -> None:
    started = play.one("person(2+3+4)", sign="vote", vote_pass="2", reject="starter")
    play.act(started, WANG, "reject")
    item = play.item_of(started, ZHAO)
    play.do(lambda s: work_items.remove_signer(s, BOSS, item, reason="离职"))
    assert play.house.state(started) == "running"
    assert play.waits_with(started) == {1}
    play.sound(started)


def test_the_last_who_abstains_sends_back_what_the_vote_has_refused(site: Site) -> None:
    started = play.one("person(2+3+4)", sign="vote", vote_pass="60%", reject="starter")
    play.act(started, WANG, "reject")
    play.act(started, CHEN, "abstain")
    assert play.waits_with(started) == {1}
    line = play.lines(started, "abstain")[0]
    assert line.detail["tally"] == {"approved": 0, "rejected": 1, "abstained": 1, "open": 1}
    assert line.detail["to"] == "start"
    play.sound(started)
