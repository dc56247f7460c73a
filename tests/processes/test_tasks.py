"""Tasks: who is asked and who is told, every move by whom and when, handed over, warned of, made once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import attachments, journal, runtime
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import Copy
from processes.comments import operations as comments
from processes.notices.models import Notice
from processes.organization import operations as organization
from processes.organization.models import Employee
from processes.tasks import jobs, operations, permissions, rules
from processes.tasks.models import Task, TaskMove
from processes.tasks.operations import telling
from processes.tasks.subscribers import LEFT_BEHIND
from tests.conftest import TestClock
from tests.processes.company import Company, actor_of
from tests.processes.talk import INSTANCE, leave, running


def give(session: Session, assigner: Employee, assignee: Employee, **more: object) -> Task:
    values: dict[str, object] = {"title": "整理客户名单", **more}
    return operations.create_task(session, actor_of(assigner), assignee=assignee.id, **values)  # type: ignore[arg-type]


def do(session: Session, person: Employee, task: Task, action: str, **more: object) -> Task:
    return operations.move(session, actor_of(person), task_id=task.id, action=action, **more)  # type: ignore[arg-type]


def kinds(session: Session, person: Employee) -> list[str]:
    wanted = select(Notice.kind).where(Notice.person_id == person.id).order_by(Notice.id)
    return list(session.scalars(wanted))


def found(session: Session, actor: Actor, view: operations.View, **more: str) -> list[str]:
    wanted = operations.tasks(actor, view, **more).order_by(Task.id)
    return [task.title for task in session.scalars(wanted)]


# ------------------------------------------------------------------------------------------------- giving


def test_a_comment_on_a_task_is_told_to_whom_it_concerns(session: Session, company: Company) -> None:
    task = give(session, company.wang, company.li, watchers=[company.sun.id])
    everybody = (company.wang, company.li, company.sun, company.zhao)
    before = {one.id: len(kinds(session, one)) for one in everybody}
    comments.add_comment(
        session, actor_of(company.li), record_type=permissions.TASK, record_id=task.id, text="周五交不了"
    )
    heard = {one.name for one in everybody if len(kinds(session, one)) > before[one.id]}
    assert heard == {company.wang.name, company.sun.name}


@pytest.mark.parametrize(
    ("assigner", "assignee", "state"),
    [
        ("wang", "li", "accepted"),  # her superior
        ("chen", "li", "accepted"),  # two levels up
        ("li", "li", "accepted"),  # herself
        ("zhao", "li", "assigned"),  # a colleague asks
        ("li", "wang", "assigned"),  # upwards one asks
        ("sun", "zhao", "assigned"),
    ],
)
def test_only_whoever_stands_above_need_not_ask(
    session: Session, company: Company, assigner: str, assignee: str, state: str
) -> None:
    task = give(session, getattr(company, assigner), getattr(company, assignee))
    assert task.state == state
    told = [telling.ASSIGNED] if assigner != assignee else []
    assert kinds(session, getattr(company, assignee)) == told


def test_everything_wrong_is_said_at_once(session: Session, company: Company, clock: TestClock) -> None:
    leave(session, company.zhao)
    with pytest.raises(InvalidForm) as refused:
        give(
            session,
            company.wang,
            company.zhao,
            title=" ",
            description="x" * 5001,
            deliverable="\0",
            due_at=clock.at,
            watchers=[999],
            record=("process.instance", 1),
        )
    assert sorted(problem.where for problem in refused.value.problems) == [
        "assignee",
        "deliverable",
        "description",
        "due_at",
        "record",
        "title",
        "watchers",
    ]
    for title in ("x" * 201, "a\nb"):
        with pytest.raises(InvalidForm):
            give(session, company.wang, company.li, title=title)
    assert session.scalar(select(func.count()).select_from(Task)) == 0


def test_a_task_about_a_process_may_bring_a_copy(session: Session, company: Company) -> None:
    about = (INSTANCE, running(session, company))
    with pytest.raises(InvalidForm):
        give(session, company.zhao, company.sun, record=about)  # he may not read it himself
    give(session, company.wang, company.zhao, record=about)
    assert session.scalars(select(Copy.person_id)).all() == []
    give(session, company.wang, company.zhao, record=about, send_copy=True)
    give(session, company.wang, company.li, record=about, send_copy=True)  # she started it: no copy needed
    assert session.scalars(select(Copy.person_id)).all() == [company.zhao.id]
    assert len(operations.of_record(session, actor_of(company.wang), *about)) == 3
    assert len(operations.of_record(session, actor_of(company.li), *about)) == 1


def test_a_machine_gives_a_task_once_in_somebodys_name(session: Session, company: Company) -> None:
    def missed_call() -> Task:
        return operations.create_task(
            session,
            SYSTEM,
            title="回电 13800000000",
            assignee=company.li.id,
            assigner=company.wang.id,
            origin="call:17",
        )

    first = missed_call()
    assert (missed_call().id, first.assigner_id) == (first.id, company.wang.id)
    assert kinds(session, company.li) == [telling.ASSIGNED]
    mine = operations.create_task(
        session, actor_of(company.li), title="x", assignee=company.zhao.id, assigner=company.wang.id
    )
    assert mine.assigner_id == company.li.id  # a person gives tasks in his own name
    with pytest.raises(InvalidForm):
        operations.create_task(session, SYSTEM, title="x", assignee=company.li.id)  # in nobody's name
    with pytest.raises(InvalidForm):
        give(session, company.wang, company.li, origin="x" * 201)


def test_two_clicks_at_the_same_moment_give_one_task(session: Session, company: Company) -> None:
    together, made = threading.Barrier(2), []

    def click() -> None:
        together.wait()
        made.append(runtime.perform(lambda session: give(session, company.wang, company.li, origin="page:1").id))
        Sessions.remove()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert len(set(made)) == 1


# ------------------------------------------------------------------------------------------------- moving


def test_from_asking_to_confirming(session: Session, company: Company) -> None:
    task = give(session, company.zhao, company.li, watchers=[company.sun.id, company.li.id])
    do(session, company.li, task, "accept")
    do(session, company.li, task, "start")
    do(session, company.li, task, "submit", text="第一版")
    do(session, company.zhao, task, "return", text="缺电话")
    do(session, company.li, task, "submit", text="第二版")
    do(session, company.zhao, task, "confirm")
    assert (task.state, task.result) == ("confirmed", "第二版")
    made = operations.moves(session, task.id)
    assert [(move.action, move.from_state, move.to_state) for move in made] == [
        ("assign", "", "assigned"),
        ("accept", "assigned", "accepted"),
        ("start", "accepted", "in_progress"),
        ("submit", "in_progress", "submitted"),
        ("return", "submitted", "returned"),
        ("submit", "returned", "submitted"),
        ("confirm", "submitted", "confirmed"),
    ]
    assert kinds(session, company.zhao) == [telling.ANSWERED, telling.SUBMITTED, telling.SUBMITTED]
    assert kinds(session, company.li) == [telling.ASSIGNED, telling.DECIDED, telling.DECIDED]
    assert kinds(session, company.sun) == [telling.WATCHED] * 4
    assert operations.watchers(session, task.id) == [company.sun.id]
    assert list(journal.verify_records(session)) == []


def test_who_may_make_which_move_when(session: Session, company: Company) -> None:
    """Every move in every state by everybody: what the rules name succeeds, everything else is refused."""
    task = give(session, company.zhao, company.li, watchers=[company.sun.id])
    states = sorted({"assigned"} | {move.target for move in rules.MOVES.values()})
    for state in states:
        for action, move in rules.MOVES.items():
            for person in (company.li, company.zhao, company.sun, company.wang, company.chen):
                task.state = state
                session.flush()
                side = {"assignee": company.li, "assigner": company.zhao}[move.side]
                granted = {right.action for right in permissions.rights(actor_of(person), task) if right.granted}
                if person is not side:
                    assert action not in granted
                    with pytest.raises(Forbidden):
                        do(session, person, task, action, text="x")
                elif state not in move.sources:
                    assert action not in granted
                    with pytest.raises(Conflict):
                        do(session, person, task, action, text="x")
                else:
                    assert action in granted
                    assert do(session, person, task, action, text="x").state == move.target


def test_moves_are_refused_on_a_stale_page(session: Session, company: Company) -> None:
    task = give(session, company.wang, company.li)
    version = task.version
    do(session, company.li, task, "start", version=version)
    with pytest.raises(Conflict):
        do(session, company.li, task, "start", version=version)  # a double click
    with pytest.raises(Conflict):
        do(session, company.li, task, "submit", version=version)


@pytest.mark.parametrize(
    ("action", "state"), [("decline", "assigned"), ("return", "submitted"), ("cancel", "accepted")]
)
def test_a_refusal_needs_a_reason(session: Session, company: Company, action: str, state: str) -> None:
    task = give(session, company.zhao, company.li)
    task.state = state
    session.flush()
    person = company.li if action == "decline" else company.zhao
    for text in ("", " \n", "x" * 2001, "\0"):
        with pytest.raises(InvalidForm):
            do(session, person, task, action, text=text)
    do(session, person, task, action, text="理由")
    assert operations.moves(session, task.id)[-1].text == "理由"


def test_nobody_confirms_to_himself(session: Session, company: Company) -> None:
    task = give(session, company.li, company.li)
    assert do(session, company.li, task, "submit").state == "confirmed"
    assert kinds(session, company.li) == []


def test_moves_are_only_added(session: Session, company: Company) -> None:
    give(session, company.wang, company.li)
    session.scalars(select(TaskMove)).one().text = "改写"
    with pytest.raises(PermissionError):
        session.flush()
    session.rollback()


def test_files_are_handed_in_and_read_by_whoever_reads_the_task(
    session: Session, company: Company, tmp_path: object
) -> None:
    attachments.install(tmp_path)  # type: ignore[arg-type]
    task = give(session, company.zhao, company.li)
    do(session, company.li, task, "accept")
    file = attachments.store(session, actor_of(company.li), "名单.txt", "甲乙".encode())
    with pytest.raises(InvalidForm), session.begin_nested():
        do(session, company.li, task, "submit", attachments=[file.id, 999])
    session.refresh(task)
    do(session, company.li, task, "submit", attachments=[file.id])
    assert [one.name for one in attachments.of_records(session, permissions.TASK, [task.id])[task.id]] == ["名单.txt"]


# ------------------------------------------------------------------------------------------------- seeing


def test_who_sees_a_task(session: Session, company: Company) -> None:
    """赵磊 asks 孙悦 of finance, 李娜 watches; 王芳 and 陈明 stand above them."""
    task = give(session, company.zhao, company.sun, watchers=[company.li.id])
    for person in (company.zhao, company.sun, company.li, company.wang, company.chen):
        assert permissions.readable(session, actor_of(person), task.id)
        assert CATALOG.may_read(session, actor_of(person), permissions.TASK, task.id)
    own = give(session, company.sun, company.sun)
    for person in (company.zhao, company.li, company.wang):
        with pytest.raises(NotFound):
            permissions.readable(session, actor_of(person), own.id)
        with pytest.raises(NotFound):
            do(session, person, own, "submit")
    assert permissions.readable(session, actor_of(company.li, permissions.READ), own.id)


def test_a_circle_in_the_line_of_command_ends_by_itself(session: Session, company: Company) -> None:
    company.chen.superior_id = company.li.id
    session.flush()
    task = give(session, company.zhao, company.zhao)
    assert permissions.readable(session, actor_of(company.li), task.id)


def test_every_task_has_its_list(session: Session, company: Company) -> None:
    asked = give(session, company.zhao, company.li, title="asked", watchers=[company.sun.id])
    give(session, company.li, company.li, title="own")
    give(session, company.li, company.sun, title="given")
    li, sun, wang = actor_of(company.li), actor_of(company.sun), actor_of(company.wang)
    assert found(session, li, "mine") == ["asked", "own"]
    assert found(session, li, "given") == ["given"]
    assert found(session, sun, "watching") == ["asked"]
    assert found(session, wang, "team") == ["asked", "own", "given"]
    assert found(session, li, "mine", text="ASK") == ["asked"]
    assert found(session, li, "mine", text="%") == []
    assert operations.open_count(session, li) == 2
    do(session, company.li, asked, "decline", text="没空")
    assert found(session, li, "mine") == ["own"]
    assert found(session, li, "done") == ["asked"]
    assert found(session, actor_of(company.zhao), "given") == ["asked"]  # to be given to somebody else
    assert found(session, actor_of(company.zhao), "done") == []


# ------------------------------------------------------------------------------------------------- handing over


def test_a_task_given_to_somebody_else_keeps_its_moves(session: Session, company: Company) -> None:
    task = give(session, company.zhao, company.li)
    do(session, company.li, task, "decline", text="没空")
    with pytest.raises(Forbidden):
        operations.reassign(session, actor_of(company.li), task_id=task.id, assignee=company.sun.id)
    leave(session, company.wang)
    for person in (company.wang.id, 999):
        with pytest.raises(InvalidForm):
            operations.reassign(session, actor_of(company.zhao), task_id=task.id, assignee=person)
    operations.reassign(session, actor_of(company.zhao), task_id=task.id, assignee=company.sun.id, text="请帮忙")
    assert (task.state, task.assignee_id) == ("assigned", company.sun.id)
    with pytest.raises(RuleViolation):
        operations.reassign(session, actor_of(company.zhao), task_id=task.id, assignee=company.sun.id)
    last = operations.moves(session, task.id)[-1]
    assert (last.action, last.from_person, last.to_person, last.text) == (
        "reassign",
        company.li.id,
        company.sun.id,
        "请帮忙",
    )
    assert kinds(session, company.sun) == [telling.ASSIGNED]
    assert kinds(session, company.li)[-1] == telling.ENDED
    with pytest.raises(NotFound):
        do(session, company.li, task, "accept")
    do(session, company.zhao, task, "cancel", text="不需要了")
    with pytest.raises(Conflict):
        operations.reassign(session, actor_of(company.zhao), task_id=task.id, assignee=company.li.id)


def test_a_leavers_tasks_move_in_one_operation(session: Session, company: Company) -> None:
    does = give(session, company.wang, company.li, title="does")
    handed_in = give(session, company.wang, company.li, title="handed in")
    do(session, company.li, handed_in, "submit")
    gave = give(session, company.li, company.sun, title="gave")
    over = give(session, company.wang, company.li, title="over")
    do(session, company.wang, over, "cancel", text="x")
    own = give(session, company.li, company.li, title="own")
    organization.archive_employee(
        session, actor_of(company.sun, "organization.employee.manage"), record_id=company.li.id
    )
    assert kinds(session, company.wang)[-1] == LEFT_BEHIND
    for person in (company.zhao, company.sun):
        with pytest.raises(Forbidden):
            operations.reassign_all(session, actor_of(person), from_person=company.li.id, to_person=company.zhao.id)
    wang = actor_of(company.wang)
    with pytest.raises(InvalidForm):
        operations.reassign_all(session, wang, from_person=company.li.id, to_person=company.li.id)
    moved = operations.reassign_all(session, wang, from_person=company.li.id, to_person=company.zhao.id, reason="离职")
    assert len(moved) == 4
    assert operations.moves(session, gave.id)[-1].text == "离职"
    assert operations.to_hand_over(session, wang, company.li.id) == []
    assert operations.reassign_all(session, wang, from_person=company.li.id, to_person=company.zhao.id) == []
    assert [(task.assigner_id, task.assignee_id, task.state) for task in (does, handed_in, gave, over, own)] == [
        (company.wang.id, company.zhao.id, "accepted"),
        (company.wang.id, company.zhao.id, "submitted"),
        (company.zhao.id, company.sun.id, "assigned"),
        (company.wang.id, company.li.id, "cancelled"),
        (company.zhao.id, company.zhao.id, "accepted"),
    ]
    assert [move.action for move in operations.moves(session, gave.id)] == ["assign", "hand_over"]


# ------------------------------------------------------------------------------------------------- warning


def warned(person: Employee) -> int:
    with transaction() as session:
        return kinds(session, person).count(telling.OVERDUE)


def test_an_overdue_task_warns_the_assignee_then_the_assigner_each_once(
    session: Session, company: Company, clock: TestClock
) -> None:
    """Due on Monday at 10:00; a working day later it is Tuesday 10:00."""
    give(session, company.wang, company.li, due_at=clock.at + timedelta(hours=1))
    give(session, company.wang, company.zhao)
    session.commit()
    assert jobs.warn_overdue() == 0
    clock.advance(hours=1)
    assert [jobs.warn_overdue(), jobs.warn_overdue()] == [1, 0]
    assert (warned(company.li), warned(company.wang)) == (1, 0)
    clock.advance(hours=23, minutes=59)
    assert jobs.warn_overdue() == 0
    clock.advance(minutes=1)
    assert [jobs.warn_overdue(), jobs.warn_overdue()] == [1, 0]
    clock.advance(days=30)
    assert jobs.warn_overdue() == 0
    assert (warned(company.li), warned(company.wang), warned(company.zhao)) == (1, 1, 0)


def test_what_is_handed_in_warns_nobody_until_it_comes_back(
    session: Session, company: Company, clock: TestClock
) -> None:
    task = give(session, company.wang, company.li, due_at=clock.at + timedelta(hours=1))
    do(session, company.li, task, "submit")
    session.commit()
    clock.advance(hours=2)
    assert jobs.warn_overdue() == 0
    with transaction() as now:
        operations.move(now, actor_of(company.wang), task_id=task.id, action="return", text="再改")
    assert jobs.warn_overdue() == 1
    assert warned(company.li) == 1


def test_two_jobs_at_once_warn_once(session: Session, company: Company, clock: TestClock) -> None:
    give(session, company.wang, company.li, due_at=clock.at + timedelta(hours=1))
    session.commit()
    clock.advance(hours=1)
    together, counts = threading.Barrier(2), []

    def run() -> None:
        together.wait()
        counts.append(jobs.warn_overdue())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 1]
    assert warned(company.li) == 1
