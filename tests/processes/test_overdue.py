"""What happens by itself while the time of a task passes, and urging by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import journal, repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import Instance, InstanceLog, OutboxMessage, WorkItem
from engine.runtime.cache import LIVE
from engine.work_items.rights import ADMINISTER, MONITOR
from processes.approval import operations
from processes.approval.jobs import remind_by_the_clock
from processes.approval.models import ItemReminder, ItemWatch
from processes.approval.operations import reminders
from processes.kernel.working_time import ZONE
from processes.notices.models import Notice
from processes.organization import operations as organization
from tests.conftest import TestClock
from tests.counting import statements
from tests.engine.workflow.drawing import Drawing, timer
from tests.processes.company import Company, actor_of
from webapp import bootstrap

DUE = "${working_hours(16)}"


@pytest.fixture
def house(company: Company) -> Iterator[Company]:
    bootstrap.join_parts()
    operations.on_due_of_house("escalate")
    LIVE.clear()
    repository.forget_all()
    yield company
    operations.on_due_of_house("escalate")
    LIVE.clear()


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def begin(
    company: Company, *, due: str = DUE, who: str = "", on_due: str = "", border: bool = False, **more: str
) -> int:
    """Li asks; Wang approves, then Chen. Answers the instance."""
    said = {"approval.allow": "approve,reject", **({"approval.on_due": on_due} if on_due else {})}
    said |= {f"approval.{name}": value for name, value in more.items()}
    inner = "".join(f'<camunda:property name="{name}" value="{value}"/>' for name, value in said.items())
    extension = f"<extensionElements><camunda:properties>{inner}</camunda:properties></extensionElements>"
    d = Drawing("wish")
    d.start()
    first = who or f"person({company.wang.id})"
    d.user("first", extension, camunda_candidateUsers=first, **({"camunda_dueDate": due} if due else {}))
    d.user("second", extension, camunda_candidateUsers=f"person({company.chen.id})")
    d.end()
    d.chain("start", "first", "second", "end")
    if border:
        d.add("boundaryEvent", "late", timer("PT1000H"), attachedToRef="first", cancelActivity="false")
        d.end("end_late")
        d.flow("late", "end_late")
    starter = actor_of(company.li)
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
    return runtime.perform(lambda session: runtime.start(session, starter, "wish")).instance_id


def item_of(instance: int) -> WorkItem:
    with transaction() as session:
        (item,) = work_items.open_items(session, instance)
        session.refresh(item)
        session.expunge(item)
    return item


def sent() -> list[tuple[str, str]]:
    """(template's occasion, whom) of every SMS so far, in order."""
    with transaction() as session:
        keys = session.scalars(select(OutboxMessage.key).order_by(OutboxMessage.id))
        return [(key.split(":")[1] + ":" + key.split(":")[-2], key.split(":")[-1]) for key in keys]


def noticed() -> list[tuple[str, int]]:
    """(the notice's occasion, whom) of every notice in the house so far."""
    with transaction() as session:
        found = session.execute(select(Notice.key, Notice.person_id).order_by(Notice.id))
        return [(f"{key.split(':')[0]}:{key.split(':')[-1]}", person) for key, person in found]


def log_of(instance: int, action: str) -> list[dict[str, Any]]:
    wanted = select(InstanceLog.detail).where(InstanceLog.instance_id == instance, InstanceLog.action == action)
    with transaction() as session:
        return list(session.scalars(wanted.order_by(InstanceLog.seq)))


def chain_holds(instance: int) -> bool:
    with transaction() as session:
        row = session.get_one(Instance, instance, populate_existing=True)
        return not list(journal.verify_instance(session, instance, row.log_seq, row.log_hash))


# ------------------------------------------------------------------------------------------------- by the clock


def test_half_time_due_and_half_as_much_again(house: Company, clock: TestClock) -> None:
    instance, wang, chen = begin(house), str(house.wang.id), str(house.chen.id)
    assert remind_by_the_clock() == 0
    clock.turn_to(shanghai("2026-11-23T17:59"))
    assert remind_by_the_clock() == 0
    clock.turn_to(shanghai("2026-11-23T18:00"))
    assert remind_by_the_clock() == 1
    assert noticed() == [("approval_half_time:50", house.wang.id)]
    assert sent() == [], "half-time is worth no SMS"
    assert remind_by_the_clock() == 0, "run twice is once"
    clock.turn_to(shanghai("2026-11-24T18:00"))
    assert remind_by_the_clock() == 1
    assert sent() == [("approval_reminder:100", wang)]
    clock.turn_to(shanghai("2026-11-25T18:00"))
    assert remind_by_the_clock() == 1
    assert sent()[1:] == [("approval_reminder:150", wang), ("approval_escalated:150", chen)]
    assert item_of(instance).candidates == [house.wang.id, house.chen.id]
    clock.advance(days=30)
    assert remind_by_the_clock() == 0
    assert [line["threshold"] for line in log_of(instance, "remind")] == [50, 100, 150]
    assert chain_holds(instance)
    with transaction() as session:
        did = session.execute(select(ItemReminder.threshold, ItemReminder.did).order_by(ItemReminder.threshold)).all()
        assert [tuple(row) for row in did] == [(50, "remind"), (100, "remind"), (150, "escalate")]
        (due,) = session.scalars(select(ItemReminder).where(ItemReminder.threshold == 100))
        assert session.get_one(OutboxMessage, due.told["outbox"][0]).record_id == house.wang.id
    assert noticed()[1:] == [
        ("approval_reminder:100", house.wang.id),
        ("approval_reminder:150", house.wang.id),
        ("approval_escalated:150", house.chen.id),
    ]


def test_the_superior_may_then_decide(house: Company, clock: TestClock) -> None:
    instance = begin(house)
    remind_by_the_clock()
    clock.turn_to(shanghai("2026-11-26T09:00"))
    remind_by_the_clock()
    chen, item = actor_of(house.chen), item_of(instance).id
    runtime.perform(lambda session: work_items.act(session, chen, item, "approve"))
    assert item_of(instance).node == "second"


def test_remind_alone_tells_the_superior_but_lets_him_not_decide(house: Company, clock: TestClock) -> None:
    instance = begin(house, on_due="remind")
    clock.turn_to(shanghai("2026-11-26T09:00"))
    assert remind_by_the_clock() == 1
    assert sent() == [("approval_reminder:150", str(house.wang.id)), ("approval_overdue:150", str(house.chen.id))]
    assert item_of(instance).candidates == [house.wang.id]


def test_after_a_long_silence_only_the_newest_goes_out(house: Company, clock: TestClock) -> None:
    instance = begin(house)
    clock.turn_to(shanghai("2026-11-25T09:00"))
    assert remind_by_the_clock() == 1
    assert [one for one, _whom in sent()] == ["approval_reminder:100"]
    assert remind_by_the_clock() == 0
    assert [line["threshold"] for line in log_of(instance, "remind")] == [100]


@pytest.mark.parametrize("how", ["drawn", "no due date", "house says nothing", "decided"])
def test_what_is_not_reminded_about(house: Company, clock: TestClock, how: str) -> None:
    operations.on_due_of_house("" if how == "house says nothing" else "escalate")
    instance = begin(house, border=how == "drawn", due="" if how == "no due date" else DUE)
    remind_by_the_clock()
    if how == "decided":
        wang, item = actor_of(house.wang), item_of(instance).id
        runtime.perform(lambda session: work_items.act(session, wang, item, "approve"))
    clock.advance(days=20)
    assert remind_by_the_clock() == 0
    assert sent() == []


def test_the_diagram_beats_the_house(house: Company, clock: TestClock) -> None:
    operations.on_due_of_house("")
    begin(house, on_due="remind")
    clock.turn_to(shanghai("2026-11-24T18:00"))
    assert remind_by_the_clock() == 1


def test_nothing_while_it_is_suspended_and_one_word_afterwards(house: Company, clock: TestClock) -> None:
    instance = begin(house)
    remind_by_the_clock()

    admin = actor_of(house.sun, ADMINISTER)
    runtime.perform(lambda session: work_items.suspend(session, admin, instance, "clarify"))
    clock.turn_to(shanghai("2026-11-24T09:00"))
    assert remind_by_the_clock() == 0
    runtime.perform(lambda session: work_items.resume(session, admin, instance))
    assert item_of(instance).due_at == shanghai("2026-11-25T18:00"), "due dates shift by the pause"
    clock.turn_to(shanghai("2026-11-25T18:00"))
    assert remind_by_the_clock() == 1
    assert [one for one, _whom in sent()] == ["approval_reminder:100"]


def test_a_due_date_that_moves_is_reckoned_anew_and_nothing_is_said_twice(house: Company, clock: TestClock) -> None:
    instance = begin(house)
    clock.turn_to(shanghai("2026-11-23T18:00"))
    assert remind_by_the_clock() == 1
    with transaction() as session:
        later = shanghai("2026-11-27T18:00")
        session.execute(update(WorkItem).where(WorkItem.instance_id == instance).values(due_at=later))
    clock.turn_to(shanghai("2026-11-26T18:00"))
    assert remind_by_the_clock() == 0, "half of it has been said"
    clock.turn_to(shanghai("2026-11-27T18:00"))
    assert remind_by_the_clock() == 1
    assert [one for one, _whom in noticed()] == ["approval_half_time:50", "approval_reminder:100"]


def test_a_pool_is_reminded_member_by_member_also_who_has_no_number(house: Company, clock: TestClock) -> None:
    instance = begin(house, who=f"person({house.wang.id}),person({house.zhao.id})")
    clock.turn_to(shanghai("2026-11-24T18:00"))
    remind_by_the_clock()
    (line,) = log_of(instance, "remind")
    assert (line["to"], len(line["outbox"])) == ([house.wang.id, house.zhao.id], 1)


def test_a_larger_pool_costs_no_more_questions(house: Company, clock: TestClock) -> None:
    """But for the SMS, which are rows of their own: nobody here has a number."""
    hired = [
        organization.create_employee(house.session, SYSTEM, values={"number": f"P{n}", "name": f"人{n}"})
        for n in range(12)
    ]
    for person in hired:
        person.superior_id = house.wang.id
    house.session.commit()
    small = begin(house, who=",".join(f"person({one.id})" for one in hired[:2]), on_due="remind")
    large = begin(house, who=",".join(f"person({one.id})" for one in hired), on_due="remind")
    clock.turn_to(shanghai("2026-11-26T18:00"))
    asked = []
    with transaction() as session:
        reminders.enrol(session)
    for instance, count in ((small, 2), (large, 12)):
        item_id = item_of(instance).id
        Sessions.remove()
        with transaction() as session, statements() as seen:
            assert reminders.remind(session, item_id)
        asked.append(len(seen))
        (line,) = log_of(instance, "remind")
        assert len(line["to"]) == count + 1  # and the superior
    assert asked[1] <= asked[0]


def test_watching_many_items_reads_the_calendar_once(house: Company, clock: TestClock) -> None:
    for _each in range(4):
        begin(house)
    with transaction() as session, statements() as seen:
        assert reminders.enrol(session) == 4
    assert sum("calendar_head" in one for one in seen) == 1


def test_many_workers_send_once(house: Company, clock: TestClock) -> None:
    for _each in range(4):
        begin(house)
    clock.turn_to(shanghai("2026-11-26T09:00"))
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        try:
            remind_by_the_clock()
        finally:
            Sessions.remove()

    hands = [threading.Thread(target=work) for _each in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len(sent()) == 8
    with transaction() as session:
        assert len(session.scalars(select(ItemReminder)).all()) == 4
        logs = session.scalars(select(InstanceLog.instance_id).where(InstanceLog.action == "remind")).all()
        assert len(logs) == len(set(logs)) == 4


def test_one_that_fails_waits_and_the_others_go_out(
    house: Company, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = begin(house), begin(house)
    bad = item_of(broken).id
    real = operations.remind
    monkeypatch.setattr(
        "processes.approval.jobs.remind",
        lambda session, item_id: 1 / 0 if item_id == bad else real(session, item_id),
    )
    clock.turn_to(shanghai("2026-11-24T18:00"))
    assert remind_by_the_clock() == 1
    assert log_of(whole, "remind")
    with transaction() as session:
        watch = session.get_one(ItemWatch, bad)
        assert watch.next_at is not None
        assert watch.next_at > clock.at


def test_the_companys_calendar_counts(house: Company, clock: TestClock) -> None:
    with transaction() as session:
        organization.create_calendar_day(session, SYSTEM, values={"day": "2026-11-24", "kind": "holiday"})
    begin(house)
    clock.turn_to(shanghai("2026-11-24T18:00"))
    assert remind_by_the_clock() == 1
    assert [one for one, _whom in noticed()] == ["approval_half_time:50"]


# ------------------------------------------------------------------------------------------------- by hand


def urge(actor: Actor, item: int, text: str = "") -> operations.Urged:
    return runtime.perform(lambda session: operations.urge(session, actor, item, text))


def test_urging_gets_louder_and_says_when_it_is_possible_again(house: Company, clock: TestClock) -> None:
    instance = begin(house)
    item, li = item_of(instance).id, actor_of(house.li)
    first = urge(li, item, "客户在等")
    assert (first.count, first.channel, first.told) == (1, "notice", (house.wang.id,))
    clock.advance(minutes=119)
    with pytest.raises(RuleViolation, match=r"urged at 09:00 already; it is possible again from 11:00 on") as refusal:
        urge(li, item)
    assert refusal.value.code == "urged_lately"
    clock.advance(minutes=1)
    second = urge(li, item)
    assert (second.count, second.channel) == (2, "sms")
    assert [(line["count"], line["channel"], line["reason"]) for line in log_of(instance, "urge")] == [
        (1, "notice", "客户在等"),
        (2, "sms", ""),
    ]
    with transaction() as session:
        told = session.scalars(select(Notice).order_by(Notice.id)).first()
        assert told is not None
        assert (told.person_id, told.text, told.record_id) == (house.wang.id, "客户在等", instance)
        message = session.get_one(OutboxMessage, second.outbox[0])
        assert "李娜 催办" in message.payload["text"]
        assert message.instance_id == instance
    assert first.outbox == ()
    assert item_of(instance).urges == 2
    assert chain_holds(instance)


def test_a_double_click_is_one_urging(house: Company, clock: TestClock) -> None:
    instance = begin(house)
    item, li = item_of(instance).id, actor_of(house.li)
    gate = threading.Barrier(2)
    counts: list[int] = []

    def press() -> None:
        gate.wait()
        try:
            counts.append(urge(li, item).count)
        finally:
            Sessions.remove()

    hands = [threading.Thread(target=press) for _each in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert counts == [1, 1]
    assert len(log_of(instance, "urge")) == len(noticed()) == 1


def test_two_people_at_once_are_one_urging(house: Company) -> None:
    item, monitor = item_of(begin(house)).id, actor_of(house.sun, MONITOR)
    urge(actor_of(house.li), item)
    with pytest.raises(RuleViolation, match="already"):
        urge(monitor, item)


def test_who_may(house: Company) -> None:
    item = item_of(begin(house)).id
    urge(actor_of(house.chen), item)  # decides next
    with pytest.raises(RuleViolation, match="already"):
        urge(actor_of(house.sun, MONITOR), item)
    with pytest.raises(NotFound):
        urge(actor_of(house.sun), item)
    with pytest.raises(Forbidden):
        urge(actor_of(house.wang), item)
    with pytest.raises(NotFound):
        urge(actor_of(house.li), 10**9)


def test_what_cannot_be_urged(house: Company) -> None:
    instance = begin(house)
    li, wang, item = actor_of(house.li), actor_of(house.wang), item_of(instance).id
    with pytest.raises(RuleViolation, match="At most 200"):
        urge(li, item, "x" * 201)
    with pytest.raises(InvalidForm):
        urge(li, item, "a\x00b")
    runtime.perform(lambda session: work_items.act(session, wang, item, "approve"))
    with pytest.raises(Conflict):
        urge(li, item)
    runtime.perform(lambda session: work_items.terminate(session, SYSTEM, instance, "over"))
    with pytest.raises(Conflict):
        runtime.perform(lambda session: operations.urge_instance(session, li, instance))


def test_the_holder_can_still_decide_on_the_page_he_had_open(house: Company) -> None:
    instance = begin(house)
    seen, wang = item_of(instance), actor_of(house.wang)
    urge(actor_of(house.li), seen.id)
    runtime.perform(lambda session: work_items.act(session, wang, seen.id, "approve", version=seen.version))
    assert item_of(instance).node == "second"
    assert chain_holds(instance)


def test_the_whole_request_and_its_button(house: Company, clock: TestClock) -> None:
    instance, li = begin(house), actor_of(house.li)

    def right(actor: Actor) -> Any:
        with transaction() as session:
            row = session.get_one(Instance, instance, populate_existing=True)
            return operations.urge_right(session, actor, row, work_items.open_items(session, instance))

    assert right(li).granted
    assert right(actor_of(house.wang)) is None, "nobody urges himself"
    assert right(actor_of(house.sun)) is None
    (done,) = runtime.perform(lambda session: operations.urge_instance(session, li, instance, "请看"))
    assert done.count == 1
    clock.advance(minutes=5)
    assert "11:00" in str(right(li).refusal)
    with pytest.raises(RuleViolation, match="already"):
        runtime.perform(lambda session: operations.urge_instance(session, li, instance))


# ------------------------------------------------------------------------------------------------- deciding by itself


@pytest.mark.parametrize("when", ["2026-11-24T18:00", "2026-11-30T09:00"])
def test_the_diagram_may_let_silence_agree(house: Company, clock: TestClock, when: str) -> None:
    instance = begin(house, on_due="approve")
    clock.turn_to(shanghai("2026-11-23T18:00"))
    assert remind_by_the_clock() == 1
    clock.turn_to(shanghai(when))
    assert remind_by_the_clock() == 1
    assert item_of(instance).node == "second"
    with transaction() as session:
        first = session.scalars(select(WorkItem).where(WorkItem.node == "first")).one()
        assert (first.outcome, first.done_by, first.done_by_name) == ("approve", 0, SYSTEM.name)
        assert "time allowed had passed" in first.opinion
    assert remind_by_the_clock() == 0
    assert chain_holds(instance)


def test_or_refuse(house: Company, clock: TestClock) -> None:
    instance = begin(house, on_due="reject")
    clock.turn_to(shanghai("2026-11-24T18:00"))
    assert remind_by_the_clock() == 1
    with transaction() as session:
        assert session.get_one(Instance, instance).state == "rejected"


def test_what_only_a_person_can_give_is_waited_for(house: Company, clock: TestClock) -> None:
    instance = begin(house, on_due="approve", signature="required")
    clock.turn_to(shanghai("2026-11-24T18:00"))
    assert remind_by_the_clock() == 1
    assert item_of(instance).node == "first"
    assert [one for one, _whom in sent()] == ["approval_reminder:100"]


def test_the_item_goes_to_the_superior_once(house: Company, clock: TestClock) -> None:
    instance = begin(house, on_due="leader")
    clock.turn_to(shanghai("2026-11-24T18:00"))
    assert remind_by_the_clock() == 1
    item = item_of(instance)
    assert (item.assignee_id, item.owner_id) == (house.chen.id, house.wang.id)
    assert sent() == [("approval_escalated:100", str(house.chen.id))]
    clock.turn_to(shanghai("2026-11-25T18:00"))
    assert remind_by_the_clock() == 1
    assert sent()[1:] == [("approval_reminder:150", str(house.chen.id))]
    assert item_of(instance).assignee_id == house.chen.id
    assert chain_holds(instance)


def test_whoever_only_gives_an_opinion_keeps_it_alone(house: Company, clock: TestClock) -> None:
    instance = begin(house, allow="approve,reject,delegate")
    wang, item = actor_of(house.wang), item_of(instance).id
    runtime.perform(lambda session: work_items.delegate(session, wang, item, house.sun.id))
    clock.turn_to(shanghai("2026-11-25T18:00"))
    assert remind_by_the_clock() == 1
    assert sent() == [("approval_reminder:150", str(house.sun.id)), ("approval_overdue:150", str(house.chen.id))]
    assert item_of(instance).assignee_id == house.sun.id
