"""What administers: suspend, resume, jump, reopen, void, later people, decisions on paper; copies and followers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import events, jobs, runtime, work_items
from engine.actor import Actor
from engine.assignment import Candidates, Request, assignment
from engine.clock import now
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.i18n import _
from engine.models import Copy, Instance, WorkItem
from engine.runtime import StepResult
from engine.work_items import instances, rights
from engine.work_items.instances import NEVER, VOIDED_EVENT
from tests.conftest import TestClock
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, LI, SUN, WANG, ZHAO
from tests.engine.site import Site
from tests.engine.workflow.drawing import Drawing


def timed() -> int:
    """An approval with a reminder after two hours."""
    d = Drawing("timed")
    d.start()
    play.approval(d, "first", "person(2)")
    d.add(
        "boundaryEvent",
        "late",
        "<timerEventDefinition><timeDuration>PT2H</timeDuration></timerEventDefinition>",
        attachedToRef="first",
        cancelActivity="false",
    )
    d.service("remind", "site.first")
    d.end()
    d.end("reminded")
    d.chain("start", "first", "end")
    d.chain("late", "remind", "reminded")
    return play.house.start(play.deploy(d))


def test_a_suspended_process_stands_still_and_goes_on_where_it_was(site: Site, clock: TestClock) -> None:
    started = timed()
    item = play.item_of(started, WANG)
    due = play.timers(started)[0].due_at
    was = play.row(item).due_at
    play.do(lambda s: work_items.suspend(s, BOSS, started, "审计"))
    assert play.timers(started)[0].due_at == NEVER
    with pytest.raises(Forbidden, match="Suspended"):
        play.do(lambda s: work_items.act(s, WANG, item, "approve"))
    clock.advance(hours=5)
    jobs.fire_timers()
    assert site.calls == []
    play.do(lambda s: work_items.resume(s, BOSS, started))
    assert play.timers(started)[0].due_at == due + timedelta(hours=5)
    assert play.row(item).due_at == was + timedelta(hours=5)
    jobs.fire_timers()
    assert site.calls == []
    clock.advance(hours=2)
    jobs.fire_timers()
    assert site.calls == ["site.first"]
    assert play.act(started, WANG) == "completed"
    play.sound(started)


def test_suspended_twice_or_resumed_awake_is_refused(site: Site) -> None:
    started = timed()
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.resume(s, BOSS, started))
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.suspend(s, LI, started, "x"))
    with pytest.raises(InvalidForm):
        play.do(lambda s: work_items.suspend(s, BOSS, started, " "))
    play.do(lambda s: work_items.suspend(s, BOSS, started, "审计"))
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.suspend(s, BOSS, started, "审计"))
    play.do(lambda s: work_items.terminate(s, BOSS, started, "停"))
    assert play.timers(started) == []
    play.sound(started)


# ------------------------------------------------------------------------------------------------- jump


def long() -> int:
    return play.chain(("first", "person(2)"), ("second", "person(3)"), ("third", "person(4+5)", {"sign": "all"}))


def test_a_jump_to_the_start_goes_to_the_starter(site: Site) -> None:
    started = play.chain(("first", "person(2)"), ("second", "person(3)"))
    play.act(started, WANG)
    token = play.row(play.item_of(started, CHEN)).token
    seen = play.do(
        lambda s: [one.principals for one in work_items.preview_jump(s, BOSS, started, token, "start").opening]
    )
    assert seen == [(LI.person_id,)]
    play.do(lambda s: work_items.jump(s, BOSS, started, token, "start", reason="重填"))
    assert play.waits_with(started) == {LI.person_id}


def test_a_jump_is_foreseen_and_done(site: Site) -> None:
    started = long()
    item = play.item_of(started, WANG)
    token = play.row(item).token
    seen = play.do(lambda s: _plain(work_items.preview_jump(s, BOSS, started, token, "third")))
    assert seen == (["first"], [("third", ("person 4", "person 5"))])
    assert play.waits_with(started) == {2}
    with pytest.raises(InvalidForm):
        play.do(lambda s: work_items.jump(s, BOSS, started, token, "third", reason=""))
    play.do(lambda s: work_items.jump(s, BOSS, started, token, "third", reason="特批"))
    assert play.waits_with(started) == {4, 5}
    assert play.row(item).cause == "jumped"
    line = play.lines(started, "jump")[0].detail
    assert (line["to"], line["ends"], line["reason"]) == ("third", [item], "特批")
    play.act(started, ZHAO)
    assert play.act(started, SUN) == "completed"
    play.sound(started)


def _plain(seen: work_items.instances.JumpPreview) -> tuple[list[str], list[tuple[str, tuple[str, ...]]]]:
    return [item.node for item in seen.ending], [(one.node, one.people) for one in seen.opening]


def test_a_jump_to_a_named_person(site: Site) -> None:
    started = long()
    token = play.row(play.item_of(started, WANG)).token
    play.do(lambda s: work_items.jump(s, BOSS, started, token, "second", reason="急", people=[6]))
    assert play.waits_with(started) == {6}


def test_only_who_administers_jumps_and_only_to_steps(site: Site) -> None:
    started = long()
    token = play.row(play.item_of(started, WANG)).token
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.jump(s, LI, started, token, "second", reason="急"))
    with pytest.raises(NotFound):
        play.do(lambda s: work_items.jump(s, SUN, started, token, "second", reason="急"))
    with pytest.raises(RuleViolation):
        play.do(lambda s: work_items.jump(s, BOSS, started, token, "nowhere", reason="急"))
    with pytest.raises((RuleViolation, Conflict)):
        play.do(lambda s: work_items.jump(s, BOSS, started, 99, "second", reason="急"))


# ------------------------------------------------------------------------------------------------- after the end


def test_an_ended_process_wakes_at_a_step_with_who_did_it(site: Site) -> None:
    started = long()
    play.act(started, WANG)
    play.act(started, CHEN, "reject")
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.reopen(s, LI, started, "second", "再议"))
    play.do(lambda s: work_items.reopen(s, BOSS, started, "second", "再议"))
    assert play.house.state(started) == "running"
    assert play.waits_with(started) == {3}
    play.sound(started)
    play.act(started, CHEN)
    for person in (ZHAO, SUN):
        play.act(started, person)
    assert play.house.state(started) == "completed"
    assert play.house.actions(started).count("end") == 2
    play.sound(started)


def test_what_is_finished_can_be_voided_and_whoever_set_something_going_hears_of_it(site: Site) -> None:
    started = play.one("person(2)")
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.void(s, BOSS, started, "错"))
    play.act(started, WANG)
    heard: list[object] = []
    events.subscribe(VOIDED_EVENT)(lambda _session, **facts: heard.append(facts["instance_id"]))
    try:
        play.do(lambda s: work_items.void(s, BOSS, started, "合同作废"))
    finally:
        events._SUBSCRIBERS[VOIDED_EVENT].pop()
    assert play.house.state(started) == "void"
    assert heard == [started]
    assert play.lines(started, "void")[0].detail == {"reason": "合同作废", "was": "completed"}
    play.sound(started)


# ------------------------------------------------------------------------------------------------- people, paper


def test_later_people_are_named_for_this_instance_alone(site: Site) -> None:
    started, other = long(), long()
    play.do(lambda s: work_items.change_people(s, LI, started, {"second": [6]}))
    for instance, people in ((started, {6}), (other, {3})):
        play.act(instance, WANG)
        assert play.waits_with(instance) == people
    with pytest.raises(RuleViolation, match="own request"):
        play.do(lambda s: work_items.change_people(s, LI, started, {"third": [1]}))
    with pytest.raises(NotFound):
        play.do(lambda s: work_items.change_people(s, SUN, started, {"third": [6]}))
    with pytest.raises(RuleViolation):
        play.do(lambda s: work_items.change_people(s, LI, started, {"end": [6]}))
    play.do(lambda s: work_items.change_people(s, LI, started, {"second": []}))
    assert [line.detail["after"] for line in play.lines(started, "change_people")] == [{"second": [6]}, {}]


def test_a_decision_on_paper_keeps_both_times(site: Site, clock: TestClock) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    clock.advance(hours=30)
    signed = now() - timedelta(hours=20)
    with pytest.raises(Forbidden):
        play.do(lambda s: work_items.back_date(s, LI, item, "approve", at=signed, reason="纸质"))
    for impossible in (now() + timedelta(hours=1), now() - timedelta(days=9)):
        with pytest.raises(RuleViolation):
            play.do(lambda s, at=impossible: work_items.back_date(s, BOSS, item, "approve", at=at, reason="纸质"))
    play.do(lambda s: work_items.back_date(s, BOSS, item, "approve", at=signed, reason="纸质"))
    assert play.house.state(started) == "completed"
    assert (play.row(item).business_at, play.row(item).done_at) == (signed, now())
    line = play.lines(started, "approve")[0]
    assert (line.actor_id, line.on_behalf_of, line.detail["business_at"]) == (9, 2, signed.isoformat())


def test_who_may_enter_paper_enters_it_only_where_he_may_read(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    clerk = Actor(person_id=7, name="胡静", permissions=frozenset({rights.BACK_DATE}))

    def enter(s: Session) -> StepResult:
        return work_items.back_date(s, clerk, item, "approve", at=now(), reason="纸质")

    with pytest.raises(NotFound):
        play.do(enter)
    assert play.house.state(started) == "running"
    play.do(lambda s: work_items.send_copies(s, BOSS, started, [clerk.person_id]))
    play.do(enter)
    assert play.house.state(started) == "completed"


def test_paper_decides_what_was_asked_and_nobody_enters_his_own(site: Site) -> None:
    started = play.one("person(2)", signature="required")
    item = play.item_of(started, WANG)
    (asked,) = play.do(lambda s: work_items.consult(s, WANG, item, [4], question="可以吗"))
    own = Actor(person_id=LI.person_id, name=LI.name, permissions=frozenset({rights.BACK_DATE}))
    for who, what in ((BOSS, asked), (own, item)):
        with pytest.raises(Forbidden):
            play.do(lambda s, w=who, i=what: work_items.back_date(s, w, i, "approve", at=now(), reason="纸质"))
    play.do(lambda s: work_items.back_date(s, BOSS, item, "approve", at=now(), reason="纸质"))
    assert (play.house.state(started), play.row(item).signature) == ("completed", "")


def test_a_jump_gives_nobody_his_own_request(site: Site) -> None:
    started = play.chain(("first", "person(2)"), ("second", "person(3)"))
    token = play.row(play.item_of(started, WANG)).token
    with pytest.raises(InvalidForm) as refused:
        play.do(lambda s: work_items.jump(s, BOSS, started, token, "second", reason="特送", people=[LI.person_id]))
    assert [problem.rule for problem in refused.value.problems] == ["own_request"]
    assert play.waits_with(started) == {2}


def test_who_is_named_for_nobody_is_not_the_starter(site: Site) -> None:
    """Nobody could decide it: it is held for who administers."""
    started = play.one("nobody()", empty="user:1")
    assert play.waits_with(started) == set()
    held = play.house.read(lambda s: s.scalar(select(WorkItem.id).where(WorkItem.instance_id == started)))
    play.do(lambda s: work_items.assign(s, BOSS, held, WANG.person_id, reason="无人"))
    assert play.act(started, WANG) == "completed"


def test_the_starter_withdraws_what_lies_with_him_again(site: Site, clock: TestClock) -> None:
    """The one with the later item decided first, then the earlier one sent it back."""
    started = play.one("person(2+3)", sign="all")
    play.act(started, CHEN)
    clock.advance(minutes=5)
    play.act(started, WANG, "return")
    play.do(lambda s: work_items.withdraw(s, LI, started, "不办了"))
    assert play.house.state(started) == "withdrawn"


def test_an_answer_to_a_question_decides_nothing(site: Site) -> None:
    assignment("handled", _("Who handled an earlier step"), argument="node")(handled)
    started = play.chain(("first", "person(2)"), ("second", "handled(first)", {"self": "allow"}))
    item = play.item_of(started, WANG)
    (asked,) = play.do(lambda s: work_items.consult(s, WANG, item, [4], question="可以吗"))
    play.do(lambda s: work_items.resolve(s, ZHAO, asked, opinion="可以"))
    assert {r.action for r in play.house.read(lambda s: instance_rights(s, started)) if r.granted} >= {"withdraw"}
    play.act(started, WANG)
    assert play.waits_with(started) == {2}
    second = play.chain(("first", "person(2)"), ("between", "person(3)"), ("third", "handled(first)"))
    asked_of = play.item_of(second, WANG)
    (asked,) = play.do(lambda s: work_items.consult(s, WANG, asked_of, [4], question="可以吗"))
    play.do(lambda s: work_items.resolve(s, ZHAO, asked, opinion="可以"))
    play.act(second, WANG)
    play.act(second, CHEN)
    assert play.waits_with(second) == {2}


def handled(_session: Session, request: Request, argument: str | None) -> Candidates:
    return Candidates((request.handlers[argument or ""],))


def instance_rights(session: Session, started: int) -> tuple[work_items.Right, ...]:
    decided = instances.decided(session, started)
    return work_items.instance_actions(session.get_one(Instance, started), LI, decided=decided)


def test_the_starter_may_be_named_wherever_he_may_decide(site: Site) -> None:
    """One rule on every road: passed on to, added, named for later."""
    started = play.chain(("first", "person(2)"), ("second", "person(3)", {"self": "skip"}))
    assert play.do(lambda s: work_items.change_people(s, BOSS, started, {"second": [LI.person_id]})) == {"second": [1]}
    with pytest.raises(RuleViolation, match="own request"):
        play.do(lambda s: work_items.change_people(s, BOSS, started, {"first": [LI.person_id]}))
    lent = play.one("person(2)", self="skip")
    item = play.item_of(lent, WANG)
    play.do(lambda s: work_items.transfer(s, WANG, item, LI.person_id))
    play.do(lambda s: work_items.act(s, LI, item, "approve"))
    assert play.house.state(lent) == "completed"


# ------------------------------------------------------------------------------------------------- copies


def test_what_circulates_is_acknowledged_once(site: Site) -> None:
    started = play.one("person(2)")
    assert play.do(lambda s: work_items.send_copies(s, LI, started, [3, 4, 3])) == 2
    assert play.do(lambda s: work_items.send_copies(s, LI, started, [3, 4])) == 0
    assert play.do(lambda s: work_items.send_copies(s, LI, started, [4, 5], kind="circulate")) == 2
    wanted = select(Copy.person_id, Copy.kind).order_by(Copy.person_id)
    assert play.house.read(lambda s: s.execute(wanted).all()) == [(3, "cc"), (4, "circulate"), (5, "circulate")]
    copy = play.house.read(lambda s: s.scalar(select(Copy.id).where(Copy.person_id == 4)))
    with pytest.raises(NotFound):
        play.do(lambda s: work_items.acknowledge(s, SUN, copy))
    for _twice in range(2):
        play.do(lambda s: work_items.acknowledge(s, ZHAO, copy))
    assert len(play.lines(started, "acknowledge")) == 1


def test_followers_are_readers(site: Site) -> None:
    started = play.one("person(2)")
    with pytest.raises(NotFound):
        play.do(lambda s: work_items.follow(s, SUN, started))
    for _twice in range(2):
        assert play.do(lambda s: work_items.follow(s, LI, started)) is True
    assert play.do(lambda s: work_items.followers(s, started)) == [1]
    assert play.do(lambda s: work_items.follow(s, LI, started, on=False)) is False


# ------------------------------------------------------------------------------------------------- picked people


def test_an_approver_names_who_comes_next_where_the_diagram_leaves_it_to_him(site: Site) -> None:
    started = play.chain(("first", "person(2)"), ("second", "person(3)", {"pick": "approver"}))
    with pytest.raises(InvalidForm) as refused:
        play.act(started, WANG)
    assert [problem.where for problem in refused.value.problems] == ["people.second"]
    with pytest.raises(Forbidden):
        play.act(started, WANG, people={"first": [4]})
    with pytest.raises(InvalidForm):
        play.act(started, WANG, people={"second": [1]})
    play.act(started, WANG, people={"second": [4, 5]})
    assert play.waits_with(started) == {4, 5}
    play.sound(started)


def test_a_rejection_needs_no_names(site: Site) -> None:
    started = play.chain(("first", "person(2)"), ("second", "person(3)", {"pick": "approver"}))
    assert play.act(started, WANG, "reject") == "rejected"


def test_a_starter_names_the_people_of_the_steps_he_will_reach(site: Site) -> None:
    d = Drawing("named")
    d.start()
    play.approval(d, "first", "person(2)", pick="starter")
    play.approval(d, "second", "person(3)")
    d.end()
    d.chain("start", "first", "second", "end")
    key = play.deploy(d)
    with pytest.raises(InvalidForm):
        play.do(lambda s: runtime.start(s, LI, key))
    with pytest.raises(Forbidden):
        play.do(lambda s: runtime.start(s, LI, key, people={"second": [4]}))
    begun = play.do(lambda s: runtime.start(s, LI, key, people={"first": [6]})).instance_id
    assert play.waits_with(begun) == {6}
