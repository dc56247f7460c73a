"""Several people sign one step: any one, all, in order, by vote; what one says is counted, the rest end with it."""

from __future__ import annotations

import pytest

from engine import work_items
from engine.errors import Conflict
from tests.engine.approvals import play
from tests.engine.approvals.play import CHEN, LI, WANG, ZHAO
from tests.engine.site import Site

THREE = "person(2+3+4)"


def test_any_one_of_several_with_an_item_each_decides(site: Site) -> None:
    started = play.one(THREE, sign="or", claim="each")
    assert play.waits_with(started) == {2, 3, 4}
    assert play.act(started, CHEN) == "completed"
    assert play.states(started) == [
        ("approve", 2, "cancelled", "none"),
        ("approve", 3, "done", "approve"),
        ("approve", 4, "cancelled", "none"),
    ]
    assert play.row(play.item_of(started, WANG, "cancelled")).cause == "decided"
    play.sound(started)


def test_all_must_agree(site: Site) -> None:
    started = play.one(THREE, sign="all")
    assert play.act(started, CHEN) == "running"
    assert play.waits_with(started) == {2, 4}
    assert play.act(started, WANG) == "running"
    play.sound(started)
    assert play.act(started, ZHAO) == "completed"
    tally = play.lines(started, "approve")[-1].detail["tally"]
    assert tally == {"approved": 3, "rejected": 0, "abstained": 0, "open": 0}
    play.sound(started)


def test_the_first_refusal_of_all_decides(site: Site) -> None:
    started = play.one(THREE, sign="all")
    play.act(started, CHEN)
    assert play.act(started, WANG, "reject") == "rejected"
    assert [state for _n, _p, state, _o in play.states(started)] == ["done", "done", "cancelled"]
    assert play.waits_with(started) == set()
    play.sound(started)


def test_in_order_each_waits_for_the_one_before(site: Site) -> None:
    started = play.one(THREE, sign="sequential")
    assert play.waits_with(started) == {2}
    play.act(started, WANG)
    assert play.waits_with(started) == {3}
    play.sound(started)
    play.act(started, CHEN)
    assert play.waits_with(started) == {4}
    assert play.act(started, ZHAO) == "completed"


def test_a_vote_ends_as_soon_as_it_is_certain(site: Site) -> None:
    started = play.one("person(2+3+4+5+6)", sign="vote", vote_pass="60%")
    for person in (WANG, CHEN):
        assert play.act(started, person) == "running"
    assert play.act(started, ZHAO) == "completed"
    assert [state for _n, _p, state, _o in play.states(started)].count("cancelled") == 2


def test_a_vote_fails_as_soon_as_it_cannot_pass(site: Site) -> None:
    started = play.one("person(2+3+4+5+6)", sign="vote", vote_pass="60%")
    for person in (WANG, CHEN):
        assert play.act(started, person, "reject") == "running"
    assert play.act(started, ZHAO, "reject") == "rejected"


def test_who_abstains_is_not_counted(site: Site) -> None:
    started = play.one(THREE, sign="vote", vote_pass="100%")
    assert play.act(started, WANG, "abstain") == "running"
    assert play.act(started, CHEN) == "running"
    assert play.act(started, ZHAO) == "completed"


def test_when_everybody_abstains_nobody_has_agreed(site: Site) -> None:
    started = play.one("person(2+3)", sign="vote")
    play.act(started, WANG, "abstain")
    assert play.act(started, CHEN, "abstain") == "rejected"


def test_votes_weigh_and_a_number_of_refusals_may_decide(site: Site) -> None:
    started = play.one(THREE, sign="vote", vote_pass="4", weights="2:3")
    assert play.act(started, WANG) == "running"
    assert play.act(started, CHEN) == "completed"
    refused = play.one(THREE, sign="vote", vote_reject="1", vote_pass="50%")
    assert play.act(refused, ZHAO, "reject") == "rejected"


def test_nobody_decides_twice_or_late(site: Site) -> None:
    started = play.one(THREE, sign="all")
    mine = play.item_of(started, CHEN)
    play.act(started, CHEN)
    with pytest.raises(Conflict):
        play.do(lambda s: work_items.act(s, CHEN, mine, "approve"))
    left = play.item_of(started, WANG)
    play.act(started, ZHAO, "reject")
    with pytest.raises(Conflict):
        play.do(lambda s: work_items.act(s, WANG, left, "approve"))


def test_the_starter_among_the_signers_is_left_out(site: Site) -> None:
    started = play.one("person(1+2+3)", sign="all")
    assert play.waits_with(started) == {2, 3}


def test_the_starter_among_the_signers_is_passed_where_the_diagram_says_so(site: Site) -> None:
    started = play.one("person(1+2)", sign="all", self="skip")
    assert play.states(started) == [("approve", 1, "auto", "approve"), ("approve", 2, "open", "none")]
    assert play.lines(started, "auto")[0].detail["rule"] == "approval.self"
    assert play.act(started, WANG) == "completed"
    alone = play.one("person(1)", self="skip")
    assert play.states(alone) == [("approve", 1, "auto", "approve")]


def test_the_starter_decides_himself_where_he_may(site: Site) -> None:
    started = play.one("person(1)", self="allow")
    assert play.act(started, LI) == "completed"


def test_who_has_agreed_before_is_not_asked_again_in_a_countersign(site: Site) -> None:
    started = play.chain(
        ("first", "person(2)"), ("second", "person(3)"), ("third", "person(2+4)", {"sign": "all", "dedupe": "all"})
    )
    play.act(started, WANG)
    play.act(started, CHEN)
    assert play.waits_with(started) == {4}
    line = play.lines(started, "auto")[0]
    assert (line.detail["rule"], line.detail["after"]) == ("approval.dedupe", "first")
    assert play.act(started, ZHAO) == "completed"


@pytest.mark.parametrize(("empty", "state"), [("approve", "completed"), ("reject", "rejected"), ("hold", "running")])
def test_nobody_found(site: Site, empty: str, state: str) -> None:
    d = play.Drawing("alone")
    d.start()
    play.approval(d, "approve", "nobody()", empty=empty)
    d.end()
    d.chain("start", "approve", "end")
    started = play.house.start(play.deploy(d))
    assert play.house.state(started) == state
    assert play.waits_with(started) == set()
    play.sound(started)


def test_nobody_found_goes_to_who_is_named_or_takes_what_is_left(site: Site) -> None:
    for empty, person in (("user:5", 5), ("admin", 9)):
        d = play.Drawing("alone")
        d.start()
        play.approval(d, "approve", "nobody()", empty=empty)
        d.end()
        d.chain("start", "approve", "end")
        assert play.waits_with(play.house.start(play.deploy(d))) == {person}
