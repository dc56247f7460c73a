"""Instances through the database: started, stepped, refused, repaired; the same on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import history, jobs, journal, runtime, work_items
from engine.db import Sessions
from engine.errors import AppError, BpmnError, Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.i18n import _
from engine.models import InboxEntry, Instance, Timer, WorkItem
from engine.runtime import StepResult
from engine.runtime.cache import LIVE
from engine.service_tasks import StepFacts
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import BOSS, CHEN, LI, WANG, Site
from tests.engine.workflow.drawing import Drawing


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def approval(drawing: Drawing, id: str, person: str = "2", **properties: str) -> str:
    named = {"approval.allow": "approve,reject,return", **{k.replace("_", "."): v for k, v in properties.items()}}
    inner = "".join(f'<camunda:property name="{name}" value="{value}"/>' for name, value in named.items())
    extension = f"<extensionElements><camunda:properties>{inner}</camunda:properties></extensionElements>"
    return drawing.user(id, extension, camunda_assignee=f"person({person})" if person.isdigit() else person)


def two_steps() -> Drawing:
    d = Drawing("two")
    d.start()
    d.user("first", camunda_assignee="person(2)")
    d.service("between", "site.first", camunda_resultVariable="answer")
    d.user("second", camunda_assignee="person(3)")
    d.end()
    d.chain("start", "first", "between", "second", "end")
    return d


def boundary(drawing: Drawing, id: str, host: str, inner: str, *, interrupting: bool = True) -> str:
    return drawing.add("boundaryEvent", id, inner, attachedToRef=host, cancelActivity=str(interrupting).lower())


TIMER = "<timerEventDefinition><timeDuration>{}</timeDuration></timerEventDefinition>"


# ------------------------------------------------------------------------------------------------- the plain way


def test_a_process_runs_to_its_end(site: Site) -> None:
    started = house.start(house.deploy(two_steps()))
    assert house.state(started) == "running"
    assert list(house.items(started)) == ["first"]
    house.act(WANG, house.items(started)["first"])
    assert site.calls == ["site.first"]
    assert list(house.items(started)) == ["second"]
    assert house.act(CHEN, house.items(started)["second"]) == "completed"
    assert house.actions(started) == ["start", "submit", "submit", "end"]
    assert house.read(lambda s: s.scalar(select(func.count()).select_from(InboxEntry))) == 0


def test_the_log_of_an_instance_holds(site: Site) -> None:
    started = house.start(house.deploy(two_steps()))
    house.act(WANG, house.items(started)["first"])
    instance = house.read(lambda s: s.get_one(Instance, started))
    broken = house.read(lambda s: list(journal.verify_instance(s, started, instance.log_seq, instance.log_hash)))
    assert broken == []


@pytest.mark.parametrize("cached", [True, False])
def test_a_step_needs_no_memory(site: Site, cached: bool) -> None:
    LIVE.resize(1000 if cached else 0)
    try:
        started = house.start(house.deploy(two_steps()))
        house.act(WANG, house.items(started)["first"])
        assert house.act(CHEN, house.items(started)["second"]) == "completed"
    finally:
        LIVE.resize(1000)


def test_the_trail_says_where_tokens_are_and_were(site: Site) -> None:
    started = house.start(house.deploy(two_steps()))
    house.act(WANG, house.items(started)["first"])
    trail = house.read(lambda s: history.trail(s, started))
    assert trail.active == {"second"}
    assert {"start", "first", "between"} <= trail.done
    assert {"start_first", "first_between", "between_second"} <= trail.flows


def test_the_inbox_shows_what_lies_with_me_and_counts_it(site: Site) -> None:
    key = house.deploy(two_steps())
    made = [house.start(key) for _number in range(5)]
    page = house.read(lambda s: history.inbox(s, WANG, "open", size=3))
    assert [line.instance_id for line in page.lines] == made[:1:-1]
    assert page.has_more
    rest = house.read(lambda s: history.inbox(s, WANG, "open", size=3, before=page.lines[-1].item_id))
    assert [line.instance_id for line in rest.lines] == made[1::-1]
    assert house.read(lambda s: history.counts(s, WANG)) == {"open": 5, "cc": 0}
    assert house.read(lambda s: history.counts(s, CHEN)) == {"open": 0, "cc": 0}
    house.act(WANG, house.items(made[0])["first"])
    assert [line.instance_id for line in house.read(lambda s: history.inbox(s, WANG, "done")).lines] == [made[0]]
    started = house.read(lambda s: history.inbox(s, LI, "started")).lines
    assert (started[0].instance_id, started[0].node_title) == (made[-1], "first")


# ------------------------------------------------------------------------------------------------- who may


def test_only_its_holder_may_act_on_an_item(site: Site) -> None:
    started = house.start(house.deploy(two_steps()))
    item = house.items(started)["first"]
    with pytest.raises(NotFound):
        house.act(CHEN, item)
    with pytest.raises(Forbidden):
        house.act(LI, item)
    assert house.items(started) == {"first": item}


def test_an_item_cannot_be_done_twice_and_says_who_did_it(site: Site) -> None:
    started = house.start(house.deploy(two_steps()))
    item = house.items(started)["first"]
    house.act(WANG, item, version=1)
    with pytest.raises(Conflict, match="王伟"):
        house.act(WANG, item, version=1)


def test_nobody_approves_his_own_request(site: Site) -> None:
    d = Drawing("own")
    d.start()
    approval(d, "approve", "1")
    d.end()
    d.chain("start", "approve", "end")
    started = house.start(house.deploy(d), LI)
    item = house.items(started)["approve"]
    assert house.read(lambda s: s.get_one(WorkItem, item).assignee_id) == 9, "the fallback takes it"
    with pytest.raises(Forbidden):
        house.act(LI, item, "approve")
    assert house.act(BOSS, item, "approve") == "completed"


def test_a_pool_is_claimed_by_one_and_released_again(site: Site) -> None:
    d = Drawing("pool")
    d.start()
    d.user("work", camunda_assignee="person(2+3)")
    d.end()
    d.chain("start", "work", "end")
    started = house.start(house.deploy(d))
    item = house.items(started)["work"]
    runtime.perform(lambda s: work_items.claim(s, WANG, item, version=1))
    assert house.read(lambda s: history.counts(s, CHEN))["open"] == 0
    with pytest.raises(Forbidden):
        house.act(CHEN, item)
    runtime.perform(lambda s: work_items.release(s, WANG, item))
    assert house.act(CHEN, item) == "completed"
    assert house.actions(started) == ["start", "claim", "release", "submit", "end"]


def test_nobody_found_goes_to_the_fallback(site: Site) -> None:
    d = Drawing("lost")
    d.start()
    d.user("work", camunda_assignee="nobody")
    d.end()
    d.chain("start", "work", "end")
    started = house.start(house.deploy(d))
    item = house.read(lambda s: s.get_one(WorkItem, house.items(started)["work"]))
    assert (item.assignee_id, item.reason["rule"]) == (9, "fallback")


def test_an_approval_never_falls_back_to_the_starter(site: Site) -> None:
    """It would lie with the one person who may not decide it."""
    d = Drawing("lost")
    d.start()
    approval(d, "approve", "nobody")
    d.end()
    d.chain("start", "approve", "end")
    key = house.deploy(d)
    with pytest.raises(RuleViolation, match="Nobody but the starter"):
        house.start(key, BOSS)
    Sessions.remove()
    assert house.items(house.start(key, LI)).keys() == {"approve"}


# ------------------------------------------------------------------------------------------------- refusing


def refusable(**properties: str) -> Drawing:
    d = Drawing("refusable")
    d.start()
    approval(d, "approve", "2", **properties)
    boundary(d, "sent_back", "approve", '<errorEventDefinition errorRef="returned_error"/>')
    d.user("revise", camunda_assignee="person(1)")
    d.end()
    d.chain("start", "approve", "end")
    d.chain("sent_back", "revise", "approve")
    return d


def deploy_refusable() -> str:
    from engine import repository
    from engine.actor import SYSTEM

    head = '<error id="returned_error" errorCode="returned"/>'
    key = runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": refusable().xml(head=head)}).key)
    Sessions.remove()
    return key


def test_a_return_goes_where_it_is_drawn_and_comes_back(site: Site) -> None:
    started = house.start(deploy_refusable())
    with pytest.raises(InvalidForm):
        house.act(WANG, house.items(started)["approve"], "return")
    house.act(WANG, house.items(started)["approve"], "return", opinion="缺发票")
    assert list(house.items(started)) == ["revise"]
    house.act(LI, house.items(started)["revise"])
    assert house.act(WANG, house.items(started)["approve"], "approve") == "completed"
    assert house.actions(started) == ["start", "return", "submit", "approve", "end"]


def test_a_rejection_nobody_catches_ends_the_instance(site: Site) -> None:
    started = house.start(deploy_refusable())
    assert house.act(WANG, house.items(started)["approve"], "reject", opinion="不必要") == "rejected"
    assert house.state(started) == "rejected"
    assert house.items(started) == {}


def test_the_starter_withdraws_until_somebody_has_decided(site: Site) -> None:
    key = house.deploy(two_steps())
    early, late = house.start(key), house.start(key)
    house.act(WANG, house.items(late)["first"])
    with pytest.raises(NotFound):
        runtime.perform(lambda s: work_items.withdraw(s, CHEN, early, "x"))
    with pytest.raises(InvalidForm):
        runtime.perform(lambda s: work_items.withdraw(s, LI, early, " "))
    with pytest.raises(Forbidden):
        runtime.perform(lambda s: work_items.withdraw(s, LI, late, "改主意"))
    runtime.perform(lambda s: work_items.withdraw(s, LI, early, "改主意"))
    assert house.state(early) == "withdrawn"
    assert house.items(early) == {}
    runtime.perform(lambda s: work_items.terminate(s, BOSS, late, "重复"))
    assert house.state(late) == "terminated"


# ------------------------------------------------------------------------------------------------- services that fail


def test_a_broken_rule_refuses_the_whole_step(site: Site) -> None:
    def refuse(_session: object, _facts: object) -> None:
        raise RuleViolation(_("The budget has 5.00 left."))

    site.answers["site.first"] = refuse
    started = house.start(house.deploy(two_steps()))
    with pytest.raises(RuleViolation):
        house.act(WANG, house.items(started)["first"])
    assert list(house.items(started)) == ["first"], "nothing is half done"
    assert house.actions(started) == ["start"]
    del site.answers["site.first"]
    house.act(WANG, house.items(started)["first"])
    assert list(house.items(started)) == ["second"]


def test_a_defect_becomes_an_incident_and_is_repaired(site: Site) -> None:
    def break_down(session: object, _facts: object) -> None:
        raise ZeroDivisionError("boom")

    site.answers["site.first"] = break_down
    started = house.start(house.deploy(two_steps()))
    house.act(WANG, house.items(started)["first"])
    (incident,) = house.incidents(started)
    assert (incident.node, incident.state) == ("between", "open")
    assert "boom" in incident.cause
    assert house.state(started) == "running"
    runtime.perform(lambda s: runtime.retry_incident(s, BOSS, incident.id, interactive=False))
    assert house.incidents(started)[0].attempts == 2
    del site.answers["site.first"]
    runtime.perform(lambda s: runtime.retry_incident(s, BOSS, incident.id))
    assert house.incidents(started)[0].state == "resolved"
    assert list(house.items(started)) == ["second"]


def test_what_may_pass_by_itself_is_tried_again(site: Site, clock: TestClock) -> None:
    def break_down(_session: object, _facts: object) -> None:
        raise ConnectionError("not now")

    site.answers["site.first"] = break_down
    started = house.start(house.deploy(two_steps()))
    house.act(WANG, house.items(started)["first"])
    assert house.incidents(started)[0].state == "retrying"
    assert jobs.retry_incidents() == 0, "not before its time"
    clock.advance(seconds=11)
    assert jobs.retry_incidents() == 1
    assert house.incidents(started)[0].attempts == 2
    del site.answers["site.first"]
    clock.advance(minutes=5)
    assert jobs.retry_incidents() == 1
    assert list(house.items(started)) == ["second"]


def test_a_deadlock_in_an_operation_is_no_incident_but_another_try(site: Site) -> None:
    tries: list[int] = []

    def caught_in_a_circle(_session: Session, _facts: StepFacts) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("UPDATE budget", {}, Exception("deadlock detected"))
        return "done"

    site.answers["site.first"] = caught_in_a_circle
    started = house.start(house.deploy(two_steps()))
    house.act(WANG, house.items(started)["first"])
    assert (len(tries), house.incidents(started)) == (2, [])
    assert list(house.items(started)) == ["second"]


def test_a_failed_node_is_skipped_with_a_value_and_a_reason(site: Site) -> None:
    def break_down(_session: object, _facts: object) -> None:
        raise ZeroDivisionError

    site.answers["site.first"] = break_down
    started = house.start(house.deploy(two_steps()))
    house.act(WANG, house.items(started)["first"])
    (incident,) = house.incidents(started)
    runtime.perform(lambda s: runtime.skip_incident(s, BOSS, incident.id, {"said": "by hand"}, "供应商已确认"))
    assert list(house.items(started)) == ["second"]
    assert "skip" in house.actions(started)


def test_a_foreseen_error_goes_where_it_is_drawn(site: Site) -> None:
    from engine import repository
    from engine.actor import SYSTEM

    def fail(_session: object, _facts: object) -> None:
        raise BpmnError("no_stock")

    site.answers["site.first"] = fail
    d = Drawing("foreseen")
    d.start()
    d.service("order", "site.first")
    boundary(d, "missing", "order", '<errorEventDefinition errorRef="e"/>')
    d.user("buy", camunda_assignee="person(2)")
    d.end()
    d.end("end2")
    d.chain("start", "order", "end")
    d.chain("missing", "buy", "end2")
    xml = d.xml(head='<error id="e" errorCode="no_stock"/>')
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": xml}))
    Sessions.remove()
    started = house.start("foreseen")
    assert list(house.items(started)) == ["buy"]


# ------------------------------------------------------------------------------------------------- time


def reminding(*, interrupting: bool) -> Drawing:
    d = Drawing("reminding")
    d.start()
    d.user("work", camunda_assignee="person(2)")
    boundary(d, "late", "work", TIMER.format("PT8H"), interrupting=interrupting)
    d.service("remind", "site.first")
    d.end()
    d.end("end2")
    d.chain("start", "work", "end")
    d.chain("late", "remind", "end2")
    return d


def test_a_reminder_fires_once_when_due_and_the_task_goes_on(site: Site, clock: TestClock) -> None:
    started = house.start(house.deploy(reminding(interrupting=False)))
    item = house.read(lambda s: s.get_one(WorkItem, house.items(started)["work"]))
    assert item.due_at == clock() + timedelta(hours=8)
    assert jobs.fire_timers() == 0
    clock.advance(hours=20)
    assert jobs.fire_timers() == 1
    assert jobs.fire_timers() == 0
    assert site.calls == ["site.first"]
    assert house.act(WANG, item.id) == "completed"


def test_a_finished_task_takes_its_timer_along(site: Site, clock: TestClock) -> None:
    started = house.start(house.deploy(reminding(interrupting=False)))
    house.act(WANG, house.items(started)["work"])
    assert house.read(lambda s: s.scalar(select(func.count(Timer.id)))) == 0
    clock.advance(hours=20)
    assert jobs.fire_timers() == 0
    assert site.calls == []


def test_an_interrupting_timer_takes_the_task_away(site: Site, clock: TestClock) -> None:
    started = house.start(house.deploy(reminding(interrupting=True)))
    item = house.items(started)["work"]
    clock.advance(hours=8)
    assert jobs.fire_timers() == 1
    assert house.state(started) == "completed"
    with pytest.raises(AppError):
        house.act(WANG, item)
    assert house.read(lambda s: s.get_one(WorkItem, item).state) == "cancelled"


def test_a_timer_whose_service_breaks_leaves_an_incident_and_the_task(site: Site, clock: TestClock) -> None:
    def refuse(_session: object, _facts: object) -> None:
        raise RuleViolation(_("No telephone number."))

    site.answers["site.first"] = refuse
    started = house.start(house.deploy(reminding(interrupting=False)))
    clock.advance(hours=8)
    assert jobs.fire_timers() == 1
    assert [i.node for i in house.incidents(started)] == ["remind"]
    assert list(house.items(started)) == ["work"]


def test_workers_that_fire_at_once_fire_each_timer_once(site: Site, clock: TestClock) -> None:
    key = house.deploy(reminding(interrupting=False))
    started = [house.start(key) for _number in range(20)]

    clock.advance(days=1)
    workers = [threading.Thread(target=jobs.fire_timers) for _each in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(site.calls) >= 20
    for instance in started:
        assert Counter(house.actions(instance))["timer"] == 1


@pytest.mark.databases("postgresql")
def test_a_timer_and_a_person_never_wait_for_each_other(
    site: Site, clock: TestClock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person acts while the timer is being fired: whoever comes second waits for the first, not in a circle."""
    started = house.start(house.deploy(reminding(interrupting=False)))
    item = house.items(started)["work"]
    clock.advance(hours=8)
    errors: list[object] = []
    event.listen(database.engine, "handle_error", lambda context: errors.append(context.original_exception))
    fire, pressing = runtime.fire_timer, []

    def fire_while_somebody_acts(*given: Any) -> StepResult:
        pressing.append(threading.Thread(target=house.act, args=(WANG, item)))
        pressing[0].start()
        time.sleep(0.3)
        return fire(*given)

    monkeypatch.setattr(runtime, "fire_timer", fire_while_somebody_acts)
    assert jobs.fire_timers() == 1
    pressing[0].join()
    assert errors == []
    assert Counter(house.actions(started)) == {"start": 1, "timer": 1, "submit": 1, "end": 1}


@pytest.mark.databases("postgresql")
def test_workers_that_retry_at_once_retry_each_incident_once(site: Site, clock: TestClock) -> None:
    def fail(_session: Session, _facts: StepFacts) -> None:
        raise ConnectionError("down")

    site.answers["site.first"] = fail
    key = house.deploy(two_steps())
    started = [house.start(key) for _number in range(10)]
    for instance in started:
        house.act(WANG, house.items(instance)["first"])
    clock.advance(seconds=15)
    workers = [threading.Thread(target=jobs.retry_incidents) for _each in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [house.incidents(instance)[0].attempts for instance in started] == [2] * 10


# ------------------------------------------------------------------------------------------------- at the same moment


def test_of_two_who_press_at_once_one_wins_and_the_other_is_told(site: Site) -> None:
    key = house.deploy(two_steps())
    for _round in range(15):
        started = house.start(key)
        item = house.items(started)["first"]
        results: Counter[str] = Counter()
        gate = threading.Barrier(2)

        def press(item: int = item, gate: threading.Barrier = gate, results: Counter[str] = results) -> None:
            gate.wait()
            try:
                house.act(WANG, item, version=1)
                results["won"] += 1
            except (Conflict, Forbidden):
                results["told"] += 1

        pressing = [threading.Thread(target=press) for _each in range(2)]
        for thread in pressing:
            thread.start()
        for thread in pressing:
            thread.join()
        assert results == {"won": 1, "told": 1}
        assert house.actions(started) == ["start", "submit"]


# ------------------------------------------------------------------------------------------------- starting by itself


def by_itself(event: str) -> Drawing:
    d = Drawing("by_itself")
    d.add("startEvent", "begin", event)
    d.user("look", camunda_assignee="person(2)")
    d.end()
    d.chain("begin", "look", "end")
    return d


def running(key: str = "by_itself") -> int:
    return house.read(lambda s: s.scalar(select(func.count(Instance.id)).where(Instance.definition_key == key)))


def test_a_process_starts_at_its_moments_and_misses_are_not_made_up(site: Site, clock: TestClock) -> None:
    house.deploy(by_itself("<timerEventDefinition><timeCycle>R2/PT24H</timeCycle></timerEventDefinition>"))
    assert jobs.start_due_processes() == 0
    clock.advance(hours=24)
    assert jobs.start_due_processes() == 1
    assert jobs.start_due_processes() == 0
    clock.advance(hours=24 * 5)
    assert jobs.start_due_processes() == 1
    clock.advance(hours=24 * 5)
    assert jobs.start_due_processes() == 0, "R2: twice and no more"
    assert running() == 2


def test_a_new_version_takes_over_the_start_timer(site: Site, clock: TestClock) -> None:
    cycle = "<timerEventDefinition><timeCycle>R/PT{}H</timeCycle></timerEventDefinition>"
    house.deploy(by_itself(cycle.format(1)))
    house.deploy(by_itself(cycle.format(24)))
    clock.advance(hours=2)
    assert jobs.start_due_processes() == 0
