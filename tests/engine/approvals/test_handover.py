"""Many at once: a leaver's work goes to another; approvals of one form are decided alike."""

from __future__ import annotations

import pytest

from engine import runtime, work_items
from engine.errors import Forbidden, InvalidForm, RuleViolation
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, LI, SUN, WANG
from tests.engine.site import Site
from tests.engine.workflow.drawing import Drawing


def test_everything_of_a_leaver_goes_to_another_once(site: Site) -> None:
    own = play.one("person(2)")
    pool = play.chain(("shared", "person(2+3)"))
    ordered = play.one("person(3+2)", sign="sequential")
    named = play.chain(("first", "person(4)"), ("second", "person(3)"))
    play.do(lambda s: work_items.change_people(s, LI, named, {"second": [2]}))
    found = play.do(lambda s: work_items.estate(s, BOSS, 2))
    assert (len(found.items), len(found.pools), found.later) == (2, 1, [named])
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.estate(s, LI, 2))
    done = work_items.hand_over(BOSS, 2, 5, reason="离职")
    assert [one.refusal for one in done] == [None] * 4
    assert [one.kind for one in done] == ["items", "items", "pools", "later"]
    assert play.waits_with(own) == {5}
    assert play.waits_with(pool) == {5, 3}
    play.act(ordered, CHEN)
    assert play.waits_with(ordered) == {5}
    assert play.lines(own, "hand_over")[0].detail["reason"] == "离职"
    assert work_items.hand_over(BOSS, 2, 5, reason="离职") == []
    for instance in (own, pool, ordered, named):
        play.sound(instance)


def test_processes_whose_diagrams_name_somebody_are_listed(site: Site) -> None:
    play.one("person(2)")
    assert play.do(lambda s: work_items.estate(s, BOSS, 2)).named_in == ["chain"]
    assert play.do(lambda s: work_items.estate(s, BOSS, 5)).named_in == []


def test_what_cannot_be_handed_over_says_why_and_stays(site: Site) -> None:
    started = play.one("person(2)")
    done = work_items.hand_over(BOSS, 2, LI.person_id, reason="离职")
    assert [one.code for one in done] == ["own_request"]
    assert play.waits_with(started) == {2}
    with pytest.raises(RuleViolation):
        work_items.hand_over(BOSS, 2, 2, reason="离职")


def test_what_somebody_took_meanwhile_is_not_taken_from_him(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    own, pool = play.one("person(2)"), play.chain(("shared", "person(2+3)"))
    seen = play.do(lambda s: work_items.estate(s, BOSS, 2))
    play.do(lambda s: work_items.transfer(s, WANG, play.item_of(own, WANG), 4))
    play.do(lambda s: work_items.claim(s, CHEN, seen.pools[0]))
    monkeypatch.setattr("engine.work_items.handover.estate", lambda *_args: seen)  # looked before they were faster
    done = work_items.hand_over(BOSS, 2, 5, reason="离职")
    assert [one.code for one in done] == ["conflict", "conflict"]
    assert (play.waits_with(own), play.waits_with(pool)) == ({4}, {3})


def test_a_defect_in_one_piece_stops_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = play.one("person(2)"), play.one("person(2)")
    broken = play.item_of(first, WANG)
    move = work_items.handover.move

    def breaks(session: object, actor: object, item: object, *rest: object) -> object:
        if item.id == broken:  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return move(session, actor, item, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.work_items.handover.move", breaks)
    done = work_items.hand_over(BOSS, 2, 5, reason="离职")
    assert [one.code for one in done] == ["failed", ""]
    assert (play.waits_with(first), play.waits_with(second)) == ({2}, {5})


def test_drafts_go_along(site: Site) -> None:
    d = Drawing("plain")
    d.start()
    d.user("work", camunda_assignee="person(3)")
    d.end()
    d.chain("start", "work", "end")
    key = play.deploy(d)
    draft = play.do(lambda s: runtime.save_draft(s, WANG, key, {}).id)
    work_items.hand_over(BOSS, WANG.person_id, SUN.person_id, reason="离职")
    play.do(lambda s: runtime.start(s, SUN, key, draft_id=draft))
    assert play.house.state(draft) == "running"


def test_many_of_one_form_are_decided_alike_each_for_itself(site: Site) -> None:
    first = play.one("person(2)")
    key = "chain"
    second = play.house.start(key)
    items = [(play.item_of(one, WANG), 1) for one in (first, second)]
    play.do(lambda s: work_items.transfer(s, WANG, items[1][0], 3))
    done = work_items.decide_many(WANG, [*items, items[0]], "approve")
    assert [(one.id, one.code) for one in done] == [(items[0][0], ""), (items[1][0], "conflict")]
    assert play.house.state(first) == "completed"
    assert play.waits_with(second) == {3}


def test_different_forms_are_not_decided_together(site: Site) -> None:
    first = play.one("person(2)")
    d = Drawing("other")
    d.start()
    play.approval(d, "work", "person(2)")
    d.end()
    d.chain("start", "work", "end")
    other = play.house.start(play.deploy(d))
    items = [(play.item_of(one, WANG), 1) for one in (first, other)]
    with pytest.raises(RuleViolation):
        work_items.decide_many(WANG, items, "approve")
    assert play.house.state(first) == "running"


def test_what_would_come_back_to_a_leaver_comes_back_to_his_heir(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.delegate(s, WANG, item, CHEN.person_id))
    assert play.house.read(lambda s: work_items.estate(s, BOSS, WANG.person_id)).items == [item]
    work_items.hand_over(BOSS, WANG.person_id, SUN.person_id, reason="离职")
    assert play.waits_with(started) == {3}
    play.do(lambda s: work_items.resolve(s, CHEN, item, opinion="可以"))
    assert play.waits_with(started) == {5}
    assert play.act(started, SUN) == "completed"
    play.sound(started)


def test_a_refusal_of_many_without_its_reason_is_refused_before_anything_is_done(site: Site) -> None:
    items = [(play.item_of(play.one("person(2)"), WANG), 1) for _ in range(2)]
    with pytest.raises(InvalidForm):
        work_items.decide_many(WANG, items, "reject", opinion=" ")
    assert {play.row(item).state for item, _version in items} == {"open"}
    done = work_items.decide_many(WANG, items, "reject", opinion="不批")
    assert {one.state for one in done} == {"rejected"}


def test_more_than_can_be_decided_at_once_are_refused(site: Site) -> None:
    with pytest.raises(RuleViolation) as refused:
        work_items.decide_many(WANG, [(number, 1) for number in range(work_items.MOST + 1)], "approve")
    assert refused.value.code == "too_many"


def test_what_lies_with_others_does_not_keep_ones_own_from_being_decided(site: Site) -> None:
    mine, foreign = play.one("person(2)"), play.chain(("other", "person(3)"))
    items = [(play.item_of(mine, WANG), 1), (play.item_of(foreign, CHEN), 1)]
    done = work_items.decide_many(WANG, items, "approve")
    assert [one.code for one in done] == ["", "not_found"]


def test_a_refused_one_says_what_is_missing(site: Site) -> None:
    item = play.item_of(play.one("person(2)", opinion="required"), WANG)
    (done,) = work_items.decide_many(WANG, [(item, 1)], "approve")
    assert (done.code, done.reason) == ("invalid_form", "Please give a reason.")
