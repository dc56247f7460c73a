"""退回, 重新提交, 拿回: back to the starter, the step before or any step, and how it comes back."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, runtime, work_items
from engine.actor import SYSTEM
from engine.db import Sessions
from engine.errors import Conflict, Forbidden, InvalidForm, RuleViolation
from engine.models import Instance, WorkItem
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, LI, SUN, WANG, ZHAO, ZHOU
from tests.engine.site import Site
from tests.engine.workflow.drawing import Drawing


def possible(instance: int, person: play.Actor) -> list[str]:
    mine = play.item_of(instance, person)

    def find(session: Session) -> list[str]:
        row = session.get_one(Instance, instance)
        item = session.get_one(WorkItem, mine)
        loaded = repository.get(session, row.definition_id)
        return [one.node.id for one in work_items.targets(session, person, row, loaded, item)]

    return play.house.read(find)


def three(**of_last: str) -> int:
    return play.chain(("first", "person(2)"), ("second", "person(3)"), ("third", "person(4)", of_last))


def to_third(instance: int) -> int:
    play.act(instance, WANG)
    play.act(instance, CHEN)
    return instance


def test_the_steps_visited_are_offered_the_latest_first_the_start_last(site: Site) -> None:
    started = to_third(three())
    assert possible(started, ZHAO) == ["second", "first", "start"]


def test_back_to_the_starter_who_mends_it_and_sends_it_through_all_again(site: Site) -> None:
    started = to_third(three())
    assert play.act(started, ZHAO, "return") == "running"
    assert play.waits_with(started) == {1}
    again = play.row(play.item_of(started, LI))
    assert (again.node, again.reason["rule"], again.reason["by_name"]) == ("start", "returned", "赵敏")
    play.sound(started)
    assert play.act(started, LI, "submit") == "running"
    assert play.waits_with(started) == {2}


def test_back_to_the_step_before_goes_to_the_same_person(site: Site) -> None:
    started = play.chain(("first", "person(2+3)"), ("second", "person(4)"))
    pool = next(iter(play.house.items(started).values()))
    play.do(lambda s: work_items.act(s, CHEN, pool, "approve"))
    play.act(started, ZHAO, "return", to_step="previous")
    assert play.waits_with(started) == {3}
    assert play.act(started, CHEN) == "running"
    assert play.waits_with(started) == {4}


def test_back_to_any_step(site: Site) -> None:
    started = to_third(three())
    play.act(started, ZHAO, "return", to_step="first")
    assert play.waits_with(started) == {2}
    line = play.lines(started, "return")[0].detail
    assert (line["to"], line["round"]) == ("first", 1)
    play.act(started, WANG)
    play.act(started, CHEN)
    play.act(started, ZHAO, "return", to_step="second")
    assert play.lines(started, "return")[1].detail["round"] == 2
    play.act(started, CHEN)
    assert play.act(started, ZHAO) == "completed"
    play.sound(started)


def test_a_step_never_reached_is_refused_with_those_that_can_be(site: Site) -> None:
    started = three()
    play.act(started, WANG)
    with pytest.raises(RuleViolation) as refused:
        play.act(started, CHEN, "return", to_step="third")
    assert "first" in str(refused.value.remedy)
    with pytest.raises(InvalidForm):
        play.act(started, CHEN, "return", opinion=" ")


def test_it_comes_straight_back_past_the_steps_between(site: Site) -> None:
    started = to_third(three(after_return="straight_back"))
    play.act(started, ZHAO, "return", to_step="first")
    assert play.act(started, WANG) == "running"
    assert play.waits_with(started) == {4}
    assert play.lines(started, "approve")[-1].detail["strategy"] == "straight_back"
    assert play.act(started, ZHAO) == "completed"
    play.sound(started)


def test_one_of_several_signers_sends_it_back_and_the_others_approvals_stay(site: Site) -> None:
    started = play.chain(
        ("first", "person(2)"), ("signed", "person(3+4+5)", {"sign": "all", "after_return": "straight_back"})
    )
    play.act(started, WANG)
    play.act(started, CHEN)
    play.act(started, ZHAO, "return", to_step="first")
    assert play.waits_with(started) == {2}
    assert play.row(play.item_of(started, SUN, "cancelled")).cause == "returned"
    play.act(started, WANG)
    assert play.waits_with(started) == {4, 5}
    play.act(started, ZHAO)
    assert play.act(started, SUN) == "completed"
    play.sound(started)


def test_a_rejection_may_lead_back_where_the_diagram_says_so(site: Site) -> None:
    for rule, people in (("starter", {1}), ("previous", {3}), ("node:first", {2})):
        started = to_third(three(reject=rule))
        assert play.act(started, ZHAO, "reject") == "running"
        assert play.waits_with(started) == people
        play.sound(started)


def test_a_rejection_may_ask_where_to(site: Site) -> None:
    started = to_third(three(reject="ask"))
    with pytest.raises(RuleViolation):
        play.act(started, ZHAO, "reject")
    play.act(started, ZHAO, "reject", to_step="second")
    assert play.waits_with(started) == {3}
    play.act(started, CHEN)
    assert play.act(started, ZHAO, "reject", to_step="end") == "rejected"


def parallel(**policies: str) -> int:
    """first, then left (two steps) beside right, joined before the last."""
    d = Drawing("parallel")
    d.start()
    play.approval(d, "first", "person(2)")
    d.add("parallelGateway", "split")
    play.approval(d, "left", "person(3)")
    play.approval(d, "left_again", "person(4)", **policies)
    play.approval(d, "right", "person(5)")
    d.add("parallelGateway", "join")
    play.approval(d, "last", "person(6)")
    d.end()
    d.chain("start", "first", "split", "left", "left_again", "join", "last", "end")
    d.chain("split", "right", "join")
    return play.house.start(play.deploy(d))


def test_inside_a_branch_the_others_stay(site: Site) -> None:
    started = parallel()
    play.act(started, WANG)
    play.act(started, CHEN)
    play.act(started, SUN)
    play.act(started, ZHAO, "return", to_step="left")
    assert play.waits_with(started) == {3}
    play.act(started, CHEN)
    assert play.act(started, ZHAO) == "running"
    assert play.waits_with(started) == {6}
    play.sound(started)


def test_before_the_fork_all_branches_end(site: Site) -> None:
    started = parallel()
    play.act(started, WANG)
    play.act(started, CHEN)
    play.act(started, ZHAO, "return", to_step="first")
    assert play.waits_with(started) == {2}
    assert play.row(play.item_of(started, SUN, "cancelled")).cause == "returned"
    assert play.lines(started, "return")[0].detail["ended"] == ["right"]
    play.act(started, WANG)
    assert play.waits_with(started) == {3, 5}
    play.sound(started)


def test_from_behind_a_join_no_branch_alone_is_offered(site: Site) -> None:
    started = parallel()
    for person in (WANG, CHEN, ZHAO, SUN):
        play.act(started, person)
    assert possible(started, ZHOU) == ["first", "start"]


# ------------------------------------------------------------------------------------------------- reclaim


def reclaim(instance: int, person: play.Actor, node: str, state: str = "done") -> None:
    item = play.item_of(instance, person, state, node)
    play.do(lambda s: work_items.reclaim(s, person, item, reason="看错了"))


def test_a_decision_is_taken_back_while_nothing_has_come_of_it(site: Site) -> None:
    started = three()
    first = play.item_of(started, WANG)
    play.act(started, WANG)
    lost = play.item_of(started, CHEN)
    reclaim(started, WANG, "first")
    assert play.waits_with(started) == {2}
    assert play.item_of(started, WANG) == first
    assert (play.row(lost).state, play.row(lost).cause) == ("cancelled", "reclaimed")
    assert play.lines(started, "reclaim")[0].detail["was"] == "approve"
    play.sound(started)
    play.act(started, WANG)
    assert play.waits_with(started) == {3}


def test_not_once_the_next_has_touched_it(site: Site) -> None:
    started = three()
    play.act(started, WANG)
    item = play.item_of(started, CHEN)
    play.do(lambda s: work_items.transfer(s, CHEN, item, 5))
    with pytest.raises(Forbidden, match="touched"):
        reclaim(started, WANG, "first")
    play.act(started, SUN)
    with pytest.raises(Forbidden):
        reclaim(started, WANG, "first")


def test_not_once_the_process_has_done_something(site: Site) -> None:
    d = Drawing("acts")
    d.start()
    play.approval(d, "first", "person(2)")
    d.service("book", "site.first")
    play.approval(d, "second", "person(3)")
    d.end()
    d.chain("start", "first", "book", "second", "end")
    started = play.house.start(play.deploy(d))
    play.act(started, WANG)
    with pytest.raises(Forbidden, match="carried out"):
        reclaim(started, WANG, "first")


def test_one_signer_takes_his_own_back(site: Site) -> None:
    started = play.one("person(2+3+4)", sign="all")
    play.act(started, WANG)
    reclaim(started, WANG, "approve")
    assert play.waits_with(started) == {2, 3, 4}
    play.act(started, WANG)
    play.act(started, CHEN)
    with pytest.raises(Forbidden, match="陈静"):
        reclaim(started, WANG, "approve")
    play.sound(started)


def test_in_order_the_next_steps_back(site: Site) -> None:
    started = play.one("person(2+3+4)", sign="sequential")
    play.act(started, WANG)
    reclaim(started, WANG, "approve")
    assert play.waits_with(started) == {2}
    play.act(started, WANG)
    assert play.waits_with(started) == {3}
    play.sound(started)


def test_the_deciding_signer_opens_the_node_again(site: Site) -> None:
    started = play.chain(("signed", "person(2+3+4)", {"sign": "vote", "vote_pass": "2"}), ("last", "person(5)"))
    play.act(started, WANG)
    play.act(started, CHEN)
    reclaim(started, CHEN, "signed")
    assert play.waits_with(started) == {3, 4}
    play.sound(started)
    play.act(started, ZHAO)
    assert play.waits_with(started) == {5}


def test_nobody_takes_back_anothers_decision(site: Site) -> None:
    started = three()
    play.act(started, WANG)
    item = play.item_of(started, WANG, "done")
    for stranger in (LI, BOSS):
        with pytest.raises(Forbidden):
            play.do(lambda s, who=stranger: work_items.reclaim(s, who, item))


def test_two_at_once_the_reclaim_or_the_next_decision_wins(site: Site) -> None:
    started = three()
    play.act(started, WANG)
    item = play.item_of(started, WANG, "done")
    following = play.item_of(started, CHEN)
    play.do(lambda s: work_items.reclaim(s, WANG, item))
    with pytest.raises(Conflict):
        play.do(lambda s: work_items.act(s, CHEN, following, "approve"))
    play.sound(started)


def test_a_form_that_steers_forces_the_long_way(site: Site) -> None:
    form = """{"title": {"zh_CN": "表", "en": "R"}, "fields": [
      {"id": "amount", "type": "number", "label": {"zh_CN": "金额", "en": "Amount"}, "route": true},
      {"id": "why", "type": "text", "label": {"zh_CN": "为何", "en": "Why"}}]}"""
    d = Drawing("forms")
    d.add("startEvent", "start", camunda_formKey="forms")
    play.approval(d, "first", "person(2)")
    play.approval(d, "second", "person(3)", after_return="straight_back")
    d.end()
    d.chain("start", "first", "second", "end")
    files = {"main.bpmn": d.xml(), "forms.form.json": form}
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, files))
    Sessions.remove()
    for values, back in (({"amount": "1", "why": "b"}, {3}), ({"amount": "2", "why": "a"}, {2})):
        started = play.do(lambda s: runtime.start(s, LI, "forms", values={"amount": "1", "why": "a"})).instance_id
        play.act(started, WANG)
        play.act(started, CHEN, "return")
        play.act(started, LI, "submit", values=values)
        assert play.waits_with(started) == back
        line = play.lines(started, "submit")[-1].detail
        assert line["strategy"] == ("straight_back" if back == {3} else "walk")
    wanted = select(WorkItem.state).where(WorkItem.instance_id == started)
    assert "open" in play.house.read(lambda s: list(s.scalars(wanted)))
