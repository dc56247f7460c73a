"""The company's calendar in its tables: who changes it, how every process sees it, and what it moves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from engine import journal, repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, RuleViolation
from engine.models import Instance, InstanceLog, Participant, RecordAudit, Timer, WorkItem
from engine.runtime.cache import LIVE
from processes.kernel.working_time import STATUTORY, ZONE
from processes.organization import calendar, jobs, operations, permissions
from processes.organization.calendar import company_calendar, missing_years
from processes.organization.models import CalendarDay, DueShift, OfficeHours
from tests.conftest import TestClock
from tests.engine.workflow.drawing import Drawing, timer
from tests.processes.company import Company, actor_of
from webapp import bootstrap


def manager(company: Company) -> Actor:
    return actor_of(company.chen, permissions.MANAGE_CALENDAR)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def set_day(actor: Actor, day: str, kind: str, **more: Any) -> CalendarDay | None:
    with transaction() as session:
        return operations.set_day(session, actor, day=date.fromisoformat(day), kind=kind, **more)


# ------------------------------------------------------------------------------------------------- keeping it


def test_a_house_without_a_calendar_of_its_own_keeps_the_statutory_one(session: Session, company: Company) -> None:
    assert company_calendar(session) is STATUTORY


def test_days_and_hours_make_the_calendar(session: Session, company: Company) -> None:
    actor = manager(company)
    operations.create_office_hours(session, actor, values={"weekday": "6", "hours": "9:00-12:00"})
    operations.create_calendar_day(session, actor, values={"day": "2026-11-24", "kind": "holiday", "name": "司庆"})
    operations.create_calendar_day(session, actor, values={"day": "2026-11-22", "kind": "working"})
    operations.create_calendar_day(session, actor, values={"day": "2026-11-25", "kind": "short", "hours": "9:00-12:00"})
    session.commit()
    found = company_calendar(session)
    assert [str(len(found.hours_of(date(2026, 11, day)))) for day in range(21, 29)] == list("12201221")
    assert found.hours_of(date(2026, 11, 22)) == found.usual


@pytest.mark.parametrize(
    "deed",
    [
        lambda s, a: operations.create_office_hours(s, a, values={"weekday": "1", "hours": ""}),
        lambda s, a: operations.create_calendar_day(s, a, values={"day": "2026-11-24", "kind": "holiday"}),
        lambda s, a: operations.set_day(s, a, day=date(2026, 11, 24), kind="usual"),
        lambda s, a: operations.import_announcement(s, a, text="2027-01-01,holiday,元旦"),
        operations.ask_for_due_shift,
    ],
)
def test_only_whoever_keeps_the_calendar_changes_it(session: Session, company: Company, deed: Any) -> None:
    with pytest.raises(Forbidden):
        deed(session, actor_of(company.li))


def test_entries_are_judged(session: Session, company: Company) -> None:
    actor = manager(company)
    operations.create_calendar_day(session, actor, values={"day": "2026-11-24", "kind": "holiday"})
    operations.create_office_hours(session, actor, values={"weekday": "1", "hours": "9:00-12:00"})
    for values, code in (
        ({"day": "2026-11-24", "kind": "working"}, "day_taken"),
        ({"day": "1999-11-24", "kind": "working"}, "year_too_far"),
        ({"day": "2026-11-26", "kind": "short"}, "rule_violation"),
        ({"day": "2026-11-26", "kind": "holiday", "hours": "9:00-12:00"}, "rule_violation"),
    ):
        with pytest.raises(RuleViolation) as refusal:
            operations.create_calendar_day(session, actor, values=values)
        assert refusal.value.code == code
    for values in ({"day": "2026-02-30", "kind": "working"}, {"day": "2026-11-26", "kind": "feast"}, {"kind": "short"}):
        with pytest.raises(InvalidForm):
            operations.create_calendar_day(session, actor, values=values)
    with pytest.raises(RuleViolation, match="office hours of its own already"):
        operations.create_office_hours(session, actor, values={"weekday": "1", "hours": ""})
    with pytest.raises(InvalidForm):
        operations.create_office_hours(session, actor, values={"weekday": "8", "hours": ""})


def test_a_week_cannot_be_empty(session: Session, company: Company) -> None:
    actor = manager(company)
    saturday = operations.create_office_hours(session, actor, values={"weekday": "6", "hours": "9:00-12:00"})
    for weekday in "12345":
        operations.create_office_hours(session, actor, values={"weekday": weekday, "hours": ""})
    with pytest.raises(RuleViolation, match="At least one weekday"):
        operations.change_office_hours(session, actor, record_id=saturday.id, values={"hours": ""})
    with pytest.raises(RuleViolation, match="At least one weekday"):
        operations.remove_office_hours(session, actor, record_id=saturday.id)
    monday = session.scalars(select(OfficeHours).where(OfficeHours.weekday == "1")).one()
    operations.remove_office_hours(session, actor, record_id=monday.id)
    operations.remove_office_hours(session, actor, record_id=saturday.id)


def test_every_change_leaves_a_trace(session: Session, company: Company) -> None:
    actor = manager(company)
    made = operations.create_calendar_day(session, actor, values={"day": "2026-11-24", "kind": "holiday"})
    operations.set_day(session, actor, day=made.day, kind="short", hours="9:00-12:00", version=made.version)
    operations.set_day(session, actor, day=made.day, kind="usual")
    lines = session.scalars(select(RecordAudit).where(RecordAudit.record_type == "organization.calendar_day"))
    assert [(line.action, line.actor_name) for line in lines] == [
        ("created", "陈明"),
        ("changed", "陈明"),
        ("removed", "陈明"),
    ]
    assert list(journal.verify_records(session)) == []


def test_a_stale_page_changes_nothing(session: Session, company: Company) -> None:
    actor = manager(company)
    made = operations.create_calendar_day(session, actor, values={"day": "2026-11-24", "kind": "holiday"})
    operations.set_day(session, actor, day=made.day, kind="working", version=made.version)
    for kind in ("holiday", "usual"):
        with pytest.raises(Conflict):
            operations.set_day(session, actor, day=made.day, kind=kind, version=1)
    with pytest.raises(Conflict):
        operations.set_day(session, actor, day=made.day, kind="holiday", version=0)


def test_an_announcement_twice_is_once_and_overwrites_what_it_names(session: Session, company: Company) -> None:
    actor = manager(company)
    operations.create_calendar_day(session, actor, values={"day": "2027-01-02", "kind": "working", "name": "盘点"})
    text = "2027-01-01..2027-01-03,放假,元旦\n2027-01-04,上班,元旦"
    assert operations.import_announcement(session, actor, text=text) == {"added": 3, "changed": 1, "same": 0}
    assert operations.import_announcement(session, actor, text=text) == {"added": 0, "changed": 0, "same": 4}
    session.commit()
    assert 2027 in company_calendar(session).announced


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        (date(2026, 9, 30), ()),
        (date(2026, 10, 1), (2027,)),
        (date(2027, 3, 1), (2027,)),
        (date(2027, 12, 1), (2027, 2028)),
    ],
)
def test_which_years_are_missing(session: Session, company: Company, today: date, missing: tuple[int, ...]) -> None:
    assert missing_years(session, today) == missing
    operations.import_announcement(session, manager(company), text="2027-01-01,放假,元旦")
    session.commit()
    assert missing_years(session, today) == tuple(year for year in missing if year != 2027)


# ------------------------------------------------------------------------------------------------- seeing it


def test_it_is_read_once_and_again_after_a_change(session: Session, company: Company) -> None:
    actor = manager(company)
    set_day(actor, "2026-11-24", "holiday")
    asked: list[str] = []
    engine = session.get_bind()

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        first = company_calendar(session)
        asked.clear()
        assert company_calendar(session) is first
        assert len(asked) == 1
        assert "calendar_head" in asked[0]
    finally:
        event.remove(engine, "before_cursor_execute", note)
    session.commit()
    set_day(actor, "2026-11-25", "holiday")
    assert company_calendar(session).hours_of(date(2026, 11, 25)) == ()


def test_another_process_sees_it(session: Session, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two caches over one database: what one process changes the other meets with its next question."""
    actor = manager(company)
    set_day(actor, "2026-11-24", "holiday")
    other = (calendar._kept or ("", STATUTORY)) if company_calendar(session) else None
    session.commit()
    set_day(actor, "2026-11-24", "working")
    company_calendar(session)
    session.commit()
    monkeypatch.setattr(calendar, "_kept", other)  # the other process has not asked since
    assert company_calendar(session).hours_of(date(2026, 11, 24))


def test_a_change_taken_back_is_not_kept(session: Session, company: Company) -> None:
    actor = manager(company)
    set_day(actor, "2026-11-24", "holiday")
    before = company_calendar(session)
    session.commit()
    operations.set_day(session, actor, day=date(2026, 11, 25), kind="holiday")
    assert company_calendar(session).hours_of(date(2026, 11, 25)) == ()
    session.rollback()
    set_day(actor, "2026-11-26", "holiday")  # counted up, this revision would be the one that was taken back
    after = company_calendar(session)
    assert after.hours_of(date(2026, 11, 25)) == before.hours_of(date(2026, 11, 25)) != ()


def test_two_changes_at_once_both_hold(session: Session, company: Company) -> None:
    actor = manager(company)
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def change(day: str) -> None:
        gate.wait()
        try:
            set_day(actor, day, "holiday")
            outcomes.append("done")
        finally:
            Sessions.remove()

    session.commit()
    hands = [threading.Thread(target=change, args=(day,)) for day in ("2026-11-24", "2026-11-25")]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert outcomes == ["done", "done"]
    found = company_calendar(session)
    assert not found.hours_of(date(2026, 11, 24))
    assert not found.hours_of(date(2026, 11, 25))


# ------------------------------------------------------------------------------------------------- what it moves


@pytest.fixture
def house(company: Company) -> Iterator[Company]:
    bootstrap.join_parts()
    LIVE.clear()
    repository.forget_all()
    yield company
    LIVE.clear()


def process(company: Company, due: str = "${working_days(1)}", border: str = "${working_days(2)}") -> int:
    """A task with a due date, a timer on its border, and one that waits for the wall clock."""
    d = Drawing("errand")
    d.start()
    d.user("work", camunda_candidateUsers=f"person({company.wang.id})", camunda_dueDate=due)
    d.add("boundaryEvent", "late", timer(border), attachedToRef="work", cancelActivity="false")
    d.add("boundaryEvent", "much_later", timer("P9D"), attachedToRef="work", cancelActivity="false")
    for end in ("end", "end_late", "end_later"):
        d.end(end)
    d.chain("start", "work", "end")
    d.flow("late", "end_late")
    d.flow("much_later", "end_later")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
    starter = actor_of(company.li)
    return runtime.perform(lambda session: runtime.start(session, starter, "errand")).instance_id


def dues(instance: int) -> dict[str, datetime]:
    with transaction() as session:
        found = {t.node: t.due_at for t in session.scalars(select(Timer).where(Timer.instance_id == instance))}
        item = session.scalars(
            select(WorkItem).where(WorkItem.instance_id == instance).execution_options(populate_existing=True)
        ).one()
        assert item.due_at is not None
        return {**found, "work": item.due_at}


def test_timers_set_later_go_by_the_new_calendar(house: Company) -> None:
    set_day(manager(house), "2026-11-23", "holiday")
    assert dues(process(house))["work"] == shanghai("2026-11-24T18:00")


def test_a_change_moves_nothing_by_itself(house: Company) -> None:
    before = dues(instance := process(house))
    set_day(manager(house), "2026-11-23", "holiday")
    jobs.shift_dues()
    assert dues(instance) == before


@pytest.mark.parametrize("cached", [True, False])
def test_what_is_open_moves_when_asked_for(house: Company, clock: TestClock, *, cached: bool) -> None:
    before = dues(instance := process(house))
    assert before["work"] == shanghai("2026-11-23T18:00")
    actor = manager(house)
    clock.advance(hours=2)
    set_day(actor, "2026-11-23", "holiday")
    with transaction() as session:
        operations.ask_for_due_shift(session, actor)
    if not cached:
        LIVE.clear()
    assert jobs.shift_dues() == 2
    after = dues(instance)
    assert after["work"] == shanghai("2026-11-24T18:00")
    assert after["late"] == shanghai("2026-11-25T18:00")
    assert after["much_later"] == before["much_later"], "the clock on the wall does not care for holidays"
    with transaction() as session:
        line = session.scalars(select(InstanceLog).where(InstanceLog.action == "reschedule")).one()
        assert line.detail["asked_by"] == "陈明"
        assert [one[0] for one in line.detail["moved"]] == ["work", "late"]
        shift = session.scalars(select(DueShift)).one()
        assert (shift.moved, shift.failed, shift.done_at) == (2, [], clock.at)
        row = session.get_one(Instance, instance)
        assert list(journal.verify_instance(session, instance, row.log_seq, row.log_hash)) == []
        readers = set(session.scalars(select(Participant.person_id).where(Participant.instance_id == instance)))
        assert house.chen.id not in readers, "keeping the calendar lets nobody read requests"
    assert jobs.shift_dues() == 0, "done once"


def test_the_moved_timer_fires_when_it_should_and_the_task_can_still_be_done(house: Company, clock: TestClock) -> None:
    from engine.jobs import fire_timers

    instance = process(house)
    set_day(manager(house), "2026-11-23", "holiday")
    with transaction() as session:
        operations.ask_for_due_shift(session, manager(house))
    jobs.shift_dues()
    clock.turn_to(shanghai("2026-11-24T18:30"))
    assert fire_timers() == 0
    clock.turn_to(shanghai("2026-11-25T18:00"))
    assert fire_timers() == 1
    with transaction() as session:
        (item,) = work_items.open_items(session, instance)
        item_id = item.id
    wang = actor_of(house.wang)
    runtime.perform(lambda session: work_items.act(session, wang, item_id, "submit"))
    with transaction() as session:
        assert session.get_one(Instance, instance).state == "completed"


def test_a_pause_is_nobodys_delay(house: Company, clock: TestClock) -> None:
    """What stood still for a week is not overdue because the calendar was changed afterwards."""
    instance = process(house)
    clock.advance(hours=2)
    runtime.perform(lambda session: work_items.suspend(session, SYSTEM, instance, "审计"))
    clock.advance(days=7)
    runtime.perform(lambda session: work_items.resume(session, SYSTEM, instance))
    assert dues(instance)["work"] == shanghai("2026-11-30T18:00")
    set_day(manager(house), "2026-11-30", "holiday")
    with transaction() as session:
        operations.ask_for_due_shift(session, manager(house))
    jobs.shift_dues()
    assert {node: at for node, at in dues(instance).items() if node != "much_later"} == {
        "work": shanghai("2026-12-01T18:00"),
        "late": shanghai("2026-12-02T18:00"),
    }


def test_the_same_wish_twice_is_one_and_a_dead_job_is_taken_up(house: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = process(house), process(house)
    actor = manager(house)
    set_day(actor, "2026-11-23", "holiday")
    with transaction() as session:
        one = operations.ask_for_due_shift(session, actor).id
    with transaction() as session:
        assert operations.ask_for_due_shift(session, actor).id == one
    real = runtime.reckon_dues

    def dies_at_the_second(session: Session, by: Actor, instance_id: int, **more: Any) -> Any:
        if instance_id == second:
            raise KeyboardInterrupt
        return real(session, by, instance_id, **more)

    monkeypatch.setattr(runtime, "reckon_dues", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        jobs.shift_dues()
    monkeypatch.setattr(runtime, "reckon_dues", real)
    assert dues(first)["work"] == shanghai("2026-11-24T18:00")
    assert dues(second)["work"] == shanghai("2026-11-23T18:00")
    assert jobs.shift_dues() == 2
    assert dues(second)["work"] == shanghai("2026-11-24T18:00")


def test_one_instance_that_cannot_be_reckoned_does_not_hold_up_the_others(
    house: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = process(house), process(house)
    set_day(manager(house), "2026-11-23", "holiday")
    with transaction() as session:
        operations.ask_for_due_shift(session, manager(house))
    real = runtime.reckon_dues

    def fails_at_the_first(session: Session, by: Actor, instance_id: int, **more: Any) -> Any:
        if instance_id == first:
            raise OSError("broken")
        return real(session, by, instance_id, **more)

    monkeypatch.setattr(runtime, "reckon_dues", fails_at_the_first)
    jobs.shift_dues()
    assert dues(second)["work"] == shanghai("2026-11-24T18:00")
    with transaction() as session:
        shift = session.scalars(select(DueShift)).one()
        assert shift.failed == [first]
        assert shift.done_at is not None


def test_a_due_date_taken_from_a_border_timer_moves_with_it(house: Company) -> None:
    d = Drawing("errand2")
    d.start()
    d.user("work", camunda_candidateUsers=f"person({house.wang.id})")
    d.add("boundaryEvent", "late", timer("${working_hours(8)}"), attachedToRef="work", cancelActivity="false")
    d.end()
    d.end("end_late")
    d.chain("start", "work", "end")
    d.flow("late", "end_late")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
    starter = actor_of(house.li)
    instance = runtime.perform(lambda session: runtime.start(session, starter, "errand2")).instance_id
    set_day(manager(house), "2026-11-23", "holiday")
    with transaction() as session:
        operations.ask_for_due_shift(session, manager(house))
    jobs.shift_dues()
    assert dues(instance) == {"late": shanghai("2026-11-24T18:00"), "work": shanghai("2026-11-24T18:00")}


def test_the_engine_asks_the_company(session: Session, house: Company) -> None:
    assert CATALOG.calendar is not None
    set_day(manager(house), "2026-11-23", "holiday")
    assert CATALOG.calendar(session, shanghai("2026-11-23T09:00"), hours=1) == shanghai("2026-11-24T10:00")
    assert timedelta(hours=8) == company_calendar(session).day_length
