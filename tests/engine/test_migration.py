"""Running instances on another version: their rows, portions, refusals, going back, crashes and races."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, jobs, journal, migration, repository, runtime, work_items
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.errors import AppError, Conflict, Forbidden, InvalidForm
from engine.migration import instances
from engine.models import (
    Definition,
    Instance,
    InstanceLog,
    InstancePreimage,
    MessageWait,
    MigrationItem,
    MigrationRun,
    Participant,
    Timer,
    WorkItem,
)
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import CHEN, LI, WANG, Site
from tests.engine.workflow.drawing import Drawing, event, timer
from tests.engine.workflow.test_events import with_sub

pytestmark = pytest.mark.usefixtures("database", "clock")

DESIGNER = Actor(person_id=7, name="郑凯", permissions=frozenset({"process.definition.deploy"}))


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with house.opened() as opened:
        yield opened


def drawing(*tasks: str, late: str = "", wait: str = "", who: str = "person(2+3)", **names: str) -> Drawing:
    d = Drawing("claim")
    d.start()
    for task in tasks:
        d.user(task, name=names.get(task, f"step {task}"), camunda_candidateUsers=who)
    d.end()
    d.chain("start", *tasks, "end")
    if late:
        d.add("boundaryEvent", "late", timer(late), attachedToRef=tasks[0], cancelActivity="false")
        d.end("reminded")
        d.chain("late", "reminded")
    if wait:
        d.add("boundaryEvent", "stop", event("message", wait), attachedToRef=tasks[0])
        d.end("stopped")
        d.chain("stop", "stopped")
    return d


HEAD = '<message id="m" name="paid"/><message id="m2" name="refused"/>'


def deploy(d: Drawing) -> int:
    with transaction() as session:
        row = repository.deploy(session, DESIGNER, {"main.bpmn": d.xml(head=HEAD)})
        found = row.id
    Sessions.remove()
    return found


def migrate(instance_id: int, old: int, new: int, actor: Actor = DESIGNER, **more: Any) -> None:
    chosen = more.pop("chosen", None)

    def work(session: Session) -> None:
        migration.migrate(session, actor, migration.load_pair(session, old, new, chosen), instance_id, **more)

    try:
        runtime.perform(work)
    finally:
        Sessions.remove()


def revert(instance_id: int) -> None:
    try:
        runtime.perform(lambda session: migration.revert(session, DESIGNER, instance_id))
    finally:
        Sessions.remove()


def do(work: Callable[[Session], Any]) -> Any:
    try:
        return runtime.perform(work)
    finally:
        Sessions.remove()


def rows(instance_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that follows the tokens of an instance."""

    def find(session: Session) -> dict[str, list[tuple[Any, ...]]]:
        wanted = {
            "items": select(
                WorkItem.id, WorkItem.token, WorkItem.node, WorkItem.title, WorkItem.state, WorkItem.assignee_id,
                WorkItem.due_at, WorkItem.version,
            ).where(WorkItem.instance_id == instance_id),
            "timers": select(Timer.token, Timer.node, Timer.due_at, Timer.catch_up).where(
                Timer.instance_id == instance_id
            ),
            "waits": select(MessageWait.token, MessageWait.node, MessageWait.kind, MessageWait.name).where(
                MessageWait.instance_id == instance_id
            ),
            "instance": select(Instance.definition_id, Instance.snapshot, Instance.state).where(
                Instance.id == instance_id
            ),
        }  # fmt: skip
        return {name: sorted(tuple(row) for row in session.execute(query)) for name, query in wanted.items()}

    return house.read(find)


def chain_holds(instance_id: int) -> bool:
    def check(session: Session) -> bool:
        row = session.get_one(Instance, instance_id)
        return not list(journal.verify_instance(session, row.id, row.log_seq, row.log_hash))

    return house.read(check)


# ---------------------------------------------------------------------------------------------------- one instance


def test_rows_follow_the_tokens_and_the_open_task_stays_with_its_holder(site: Site, clock: TestClock) -> None:
    old = deploy(drawing("a", "b", late="PT8H", wait="m", a="Check"))
    instance = house.start("claim")
    item = house.items(instance)["a"]
    do(lambda session: work_items.claim(session, WANG, item))
    before = rows(instance)
    clock.advance(hours=1)
    new = deploy(drawing("x", "n", "b", late="PT1H", wait="m2", x="Check", n="Note"))
    migrate(instance, old, new)
    after = rows(instance)
    assert [(i[0], i[2], i[3], i[4], i[5], i[7]) for i in after["items"]] == [
        (item, "x", "Check", "open", WANG.person_id, before["items"][0][7])
    ]
    assert after["timers"] == before["timers"], "a timer that stays keeps its moment"
    assert [wait[3] for wait in after["waits"]] == ["refused"]
    assert after["instance"][0][0] == new
    house.act(WANG, item)
    assert set(house.items(instance)) == {"n"}
    for node in ("n", "b"):
        house.act(CHEN, house.items(instance)[node])
    assert house.state(instance) == "completed"
    assert house.actions(instance) == ["start", "claim", "migrate", "submit", "submit", "submit", "end"]
    assert chain_holds(instance)


def test_the_log_says_who_took_it_from_where_to_where_and_the_picture_follows(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    instance = house.start("claim")
    house.act(WANG, house.items(instance)["a"])
    new = deploy(drawing("x", "y", x="step a", y="step b"))
    migrate(instance, old, new)
    (line,) = house.read(
        lambda session: [
            (one.actor_id, one.actor_name, one.detail)
            for one in session.scalars(select(InstanceLog).where(InstanceLog.action == "migrate"))
        ]
    )
    assert line == (7, "郑凯", {"from": 1, "to": 2, "map": {"a": "x", "b": "y"}})
    trail = house.read(lambda session: history.trail(session, instance))
    assert trail.active == {"y"}
    assert "x" in trail.done


def test_who_migrates_takes_no_part_in_it_and_may_not_read_it(site: Site) -> None:
    old = deploy(drawing("a"))
    instance = house.start("claim")
    migrate(instance, old, deploy(drawing("a", "b")))
    people = select(Participant.person_id).where(Participant.instance_id == instance)
    assert DESIGNER.person_id not in house.read(lambda session: list(session.scalars(people)))


def test_nobody_else_may(site: Site) -> None:
    old = deploy(drawing("a"))
    instance = house.start("claim")
    new = deploy(drawing("a", "b"))
    for work in (
        lambda session: migration.migrate(session, LI, migration.load_pair(session, old, new), instance),
        lambda session: migration.revert(session, LI, instance),
        lambda session: migration.begin(session, LI, old, new),
        lambda session: migration.let(session, LI, 1, "all"),
        lambda session: migration.take_back(session, LI, 1),
    ):
        with pytest.raises(Forbidden):
            do(work)


def test_what_is_over_elsewhere_already_or_stale_is_refused(site: Site) -> None:
    old = deploy(drawing("a"))
    over, there, stale = house.start("claim"), house.start("claim"), house.start("claim")
    house.act(WANG, house.items(over)["a"])
    new = deploy(drawing("a", "b"))
    migrate(there, old, new)
    for instance, more in ((over, {}), (there, {}), (stale, {"rev": 99})):
        before = rows(instance)
        with pytest.raises(Conflict):
            migrate(instance, old, new, **more)
        assert rows(instance) == before


def test_a_refused_instance_is_left_as_it_was_with_every_reason(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    instance = house.start("claim")
    new = deploy(drawing("b"))
    before = rows(instance)
    with pytest.raises(instances.CannotMigrate) as refusal:
        migrate(instance, old, new)
    assert "step a" in str(refusal.value.reasons[0])
    assert rows(instance) == before
    migrate(instance, old, new, chosen={"a": "b"})
    assert set(house.items(instance)) == {"b"}


# ---------------------------------------------------------------------------------------------------- going back


def test_back_again_as_if_nothing_had_been(site: Site, clock: TestClock) -> None:
    old = deploy(drawing("a", "b", late="PT8H", wait="m"))
    instance = house.start("claim")
    before = rows(instance)
    clock.advance(hours=1)
    migrate(instance, old, deploy(drawing("x", "b", x="step a")))
    assert rows(instance)["timers"] == []
    revert(instance)
    assert rows(instance) == before
    assert chain_holds(instance)
    clock.advance(hours=8)
    assert jobs.fire_timers() == 1
    house.act(WANG, house.items(instance)["a"])
    house.act(WANG, house.items(instance)["b"])
    assert house.state(instance) == "completed"
    assert house.actions(instance)[:3] == ["start", "migrate", "migrate_back"]


def test_the_picture_goes_back_too(site: Site) -> None:
    def wrapped() -> Drawing:
        d = Drawing("claim")
        d.start()
        with_sub(d, "box", _one_task)
        d.end()
        d.chain("start", "box", "end")
        return d

    def _one_task(d: Drawing) -> None:
        d.start("in")
        d.user("x", name="step a", camunda_candidateUsers="person(2+3)")
        d.end("out")
        d.chain("in", "x", "out")

    def active() -> set[str]:
        return house.read(lambda session: history.trail(session, instance).active)

    old = deploy(drawing("a"))
    instance = house.start("claim")
    migrate(instance, old, deploy(wrapped()), chosen={"a": "x"})
    assert active() == {"box", "x"}
    revert(instance)
    assert active() == {"a"}
    house.act(WANG, house.items(instance)["a"])
    assert house.state(instance) == "completed"
    assert chain_holds(instance)


def test_what_has_been_stepped_since_cannot_go_back(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    instance = house.start("claim")
    migrate(instance, old, deploy(drawing("a", "n", "b")))
    house.act(WANG, house.items(instance)["a"])
    before = rows(instance)
    with pytest.raises(Conflict):
        revert(instance)
    assert rows(instance) == before


def test_what_went_on_at_once_cannot_go_back(site: Site) -> None:
    def forked(*branches: str) -> Drawing:
        d = Drawing("claim")
        d.start()
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        for branch in branches:
            d.user(branch, camunda_candidateUsers="person(2)")
            d.chain("fork", branch, "join")
        d.user("last", camunda_candidateUsers="person(2)")
        d.end()
        d.chain("start", "fork")
        d.chain("join", "last", "end")
        return d

    old = deploy(forked("a", "b", "c"))
    instance = house.start("claim")
    for branch in ("a", "b"):
        house.act(WANG, house.items(instance)[branch])
    new = deploy(forked("a", "b"))
    with pytest.raises(instances.CannotMigrate):
        migrate(instance, old, new)
    migrate(instance, old, new, chosen={"c": "last"})
    assert len(house.items(instance)) == 1, "both wait for people, one beside the other"
    opened = house.read(
        lambda session: list(
            session.scalars(select(WorkItem.node).where(WorkItem.state == "open").order_by(WorkItem.id))
        )
    )
    assert opened == ["last", "last"]
    with pytest.raises(Conflict):
        revert(instance)


# ---------------------------------------------------------------------------------------------------- on copies


def verdicts(run_id: int) -> dict[int, tuple[str, str]]:
    wanted = select(MigrationItem).where(MigrationItem.run_id == run_id)
    return house.read(
        lambda session: {
            item.instance_id: (item.verdict, " ".join(map(str, migration.problems_of(item))))
            for item in session.scalars(wanted)
        }
    )


def states(run_id: int) -> list[str]:
    wanted = select(MigrationItem.state).where(MigrationItem.run_id == run_id).order_by(MigrationItem.instance_id)
    return house.read(lambda session: list(session.scalars(wanted)))


def begun(old: int, new: int, **chosen: str) -> int:
    run_id: int = do(lambda session: migration.begin(session, DESIGNER, old, new, chosen).id)
    jobs.migrate_instances()
    return run_id


def run_state(run_id: int) -> str:
    return house.read(lambda session: session.get_one(MigrationRun, run_id).state)


def test_the_simulation_says_of_each_whether_it_fits_and_writes_nothing(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    fits, gone, lonely = (house.start("claim") for _ in range(3))
    house.act(WANG, house.items(gone)["a"])
    new = deploy(drawing("a"))
    before = [rows(instance) for instance in (fits, gone, lonely)]
    run = begun(old, new)
    found = verdicts(run)
    assert {i: found[i][0] for i in (fits, gone, lonely)} == {fits: "fits", gone: "refused", lonely: "fits"}
    assert "step b" in found[gone][1]
    assert [rows(instance) for instance in (fits, gone, lonely)] == before
    assert run_state(run) == "ready"
    nobody = deploy(drawing("a", "b", who="nobody"))
    found = verdicts(begun(old, nobody))
    assert {verdict for verdict, _why in found.values()} == {"attention"}


# ---------------------------------------------------------------------------------------------------- portions


def go(run_id: int, portion: Any) -> None:
    do(lambda session: migration.let(session, DESIGNER, run_id, portion))
    jobs.migrate_instances()


def test_one_ten_all_oldest_first_and_back(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    every = [house.start("claim") for _ in range(14)]
    stays = every[5]
    house.act(WANG, house.items(stays)["a"])
    new = deploy(drawing("a"))
    run = begun(old, new)
    go(run, "one")
    assert states(run) == ["migrated"] + ["waiting"] * 13
    go(run, "ten")
    assert states(run).count("migrated") == 11
    assert states(run)[5] == "waiting", "what the simulation found impossible is not tried"
    go(run, "all")
    assert states(run).count("migrated") == 13
    assert run_state(run) == "finished"
    with pytest.raises(Conflict):
        go(run, "one")
    house.act(WANG, house.items(every[0])["a"])
    do(lambda session: migration.take_back(session, DESIGNER, run))
    jobs.migrate_instances()
    after = states(run)
    assert after[0] == "migrated", "it has ended in the meantime"
    assert after.count("reverted") == 12
    on_old = select(Instance.id).where(Instance.definition_id == old, Instance.state == "running")
    assert house.read(lambda session: len(list(session.scalars(on_old)))) == 13
    (reason,) = [why for i, (_v, why) in verdicts(run).items() if i == every[0]]
    assert reason


def test_what_changed_between_simulation_and_run_is_refused_with_its_reason_and_tried_again(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    instance = house.start("claim")
    run = begun(old, deploy(drawing("a")))
    house.act(WANG, house.items(instance)["a"])
    go(run, "all")
    assert states(run) == ["refused"]
    assert "step b" in verdicts(run)[instance][1]
    do(lambda session: migration.try_again(session, DESIGNER, run))
    jobs.migrate_instances()
    assert states(run) == ["refused"]


def test_a_run_with_another_map_takes_the_place_of_one_that_has_moved_nothing(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    house.start("claim")
    new = deploy(drawing("b"))
    first = begun(old, new)
    second = begun(old, new, a="b")
    assert (run_state(first), run_state(second)) == ("replaced", "ready")
    with pytest.raises(Conflict):
        go(first, "all")
    go(second, "all")
    assert states(second) == ["migrated"]
    with pytest.raises(InvalidForm):
        begun(old, new, a="end")


def test_two_runs_over_the_same_instances_one_wins_each(site: Site) -> None:
    old = deploy(drawing("a"))
    for _ in range(3):
        house.start("claim")
    second = deploy(drawing("a", "b"))
    third = deploy(drawing("a", "c"))
    one, two = begun(old, second), begun(old, third)
    assert run_state(one) == "ready", "runs to different versions do not replace each other"
    for run in (one, two):
        do(lambda session, run=run: migration.let(session, DESIGNER, run, "all"))
    errors: list[BaseException] = []

    def work() -> None:
        try:
            jobs.migrate_instances()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)
        finally:
            Sessions.remove()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    jobs.migrate_instances()
    assert not errors
    pairs = list(zip(states(one), states(two), strict=True))
    assert all(sorted(pair) == ["migrated", "refused"] for pair in pairs), pairs
    logged = house.read(
        lambda session: len(list(session.scalars(select(InstanceLog.seq).where(InstanceLog.action == "migrate"))))
    )
    assert logged == 3


# ---------------------------------------------------------------------------------------------------- crashes, races


def test_a_worker_that_dies_half_way_goes_on_where_it_was(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = deploy(drawing("a"))
    every = [house.start("claim") for _ in range(4)]
    run = begun(old, deploy(drawing("a", "b")))
    do(lambda session: migration.let(session, DESIGNER, run, "all"))
    real, seen = instances.migrate, []

    class PowerCut(BaseException):
        pass

    def dying(session: Session, *given: Any, **named: Any) -> Any:
        result = real(session, *given, **named)
        seen.append(given)
        if len(seen) == 3:
            raise PowerCut  # everything is written, nothing committed
        return result

    monkeypatch.setattr(instances, "migrate", dying)
    with pytest.raises(PowerCut):
        jobs.migrate_instances()
    Sessions.rollback()
    Sessions.remove()
    monkeypatch.undo()
    assert states(run) == ["migrated", "migrated", "queued", "queued"]
    assert all(house.items(instance) for instance in every)
    jobs.migrate_instances()
    assert states(run) == ["migrated"] * 4
    assert run_state(run) == "finished"
    assert [house.actions(instance).count("migrate") for instance in every] == [1] * 4
    assert all(chain_holds(instance) for instance in every)


def test_a_defect_stops_one_instance_and_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = deploy(drawing("a"))
    every = [house.start("claim") for _ in range(2)]
    run = begun(old, deploy(drawing("a", "b")))
    do(lambda session: migration.let(session, DESIGNER, run, "all"))
    real = instances.migrate

    def faulty(session: Session, actor: Actor, pair: Any, instance_id: int, **named: Any) -> Any:
        if instance_id == every[0]:
            raise ZeroDivisionError
        return real(session, actor, pair, instance_id, **named)

    monkeypatch.setattr(instances, "migrate", faulty)
    jobs.migrate_instances()
    assert states(run) == ["refused", "migrated"]


@pytest.mark.parametrize("round", range(5))
def test_a_person_completes_the_task_at_the_same_moment(site: Site, round: int) -> None:
    """Whoever comes second does his part on what the first has left: nothing is lost, nothing done twice."""
    old = deploy(drawing("a", "b"))
    instance = house.start("claim")
    item = house.items(instance)["a"]
    new = deploy(drawing("a", "n", "b"))
    gate = threading.Barrier(2)
    refusals: list[AppError] = []

    def at_once(work: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            gate.wait()
            try:
                work()
            except AppError as refusal:
                refusals.append(refusal)
            finally:
                Sessions.remove()

        return run

    both = [lambda: house.act(WANG, item), lambda: migrate(instance, old, new)]
    threads = [threading.Thread(target=at_once(one)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refusals == []
    steps = house.actions(instance)
    assert sorted(steps) == ["migrate", "start", "submit"]
    assert set(house.items(instance)) == ({"n"} if steps.index("migrate") < steps.index("submit") else {"b"})
    assert chain_holds(instance)
    while house.items(instance):
        house.act(CHEN, next(iter(house.items(instance).values())))
    assert house.state(instance) == "completed"


def test_people_named_for_a_later_step_are_named_for_what_it_is_called_now(site: Site) -> None:
    old = deploy(drawing("a", "b"))
    instance = house.start("claim")

    def name(session: Session) -> None:
        session.get_one(Instance, instance).people = {"b": [3], "gone": [2]}

    def people() -> dict[str, Any]:
        return house.read(lambda session: dict(session.get_one(Instance, instance).people))

    do(name)
    migrate(instance, old, deploy(drawing("a", "y", y="step b")))
    assert people() == {"y": [3], "gone": [2]}
    revert(instance)
    assert people() == {"b": [3], "gone": [2]}


def test_a_step_that_opens_at_once_goes_to_those_who_were_named_under_its_old_name(site: Site) -> None:
    def forked(last: str, *branches: str) -> Drawing:
        """In the new version a third step takes up what becomes of the branch that is gone."""
        d = Drawing("claim")
        d.start()
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        for branch in branches:
            d.user(branch, camunda_candidateUsers="person(2)")
            d.chain("fork", branch, "join")
        d.user(last, name="the last step", camunda_candidateUsers="person(2)")
        d.user("extra", camunda_candidateUsers="person(2)")
        d.end()
        d.chain("start", "fork")
        d.chain("join", last, "extra", "end")
        return d

    old = deploy(forked("last", "a", "b", "c"))
    instance = house.start("claim")
    for branch in ("a", "b"):
        house.act(WANG, house.items(instance)[branch])

    def name(session: Session) -> None:
        session.get_one(Instance, instance).people = {"last": [CHEN.person_id]}

    do(name)
    migrate(instance, old, deploy(forked("final", "a", "b")), chosen={"c": "extra"})
    opened = select(WorkItem.node, WorkItem.assignee_id).where(WorkItem.state == "open").order_by(WorkItem.id)
    of_the_branch, of_the_join = house.read(lambda session: session.execute(opened).all())
    assert tuple(of_the_branch) == ("extra", WANG.person_id), "who holds an item keeps it"
    assert tuple(of_the_join) == ("final", CHEN.person_id)


def test_images_are_kept_for_a_month(site: Site, clock: TestClock) -> None:
    old = deploy(drawing("a"))
    instance = house.start("claim")
    migrate(instance, old, deploy(drawing("a", "b")))
    clock.advance(hours=24 * 29)
    jobs.sweep()
    assert house.read(lambda session: len(list(session.scalars(select(InstancePreimage.rev))))) == 1
    clock.advance(hours=48)
    jobs.sweep()
    with pytest.raises(Conflict):
        revert(instance)


def test_what_came_of_a_portion_is_published(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = deploy(drawing("a", "b"))
    for _ in range(2):
        house.start("claim")
    told: list[dict[str, Any]] = []
    monkeypatch.setattr("engine.events.publish", lambda _session, name, **facts: told.append({"name": name, **facts}))
    run = begun(old, deploy(drawing("a")))
    told.clear()
    go(run, "one")
    (said,) = [one for one in told if one["name"] == migration.PORTION_EVENT]
    assert (said["name"], said["run_id"], said["migrated"], said["left"]) == (migration.PORTION_EVENT, run, 1, 1)


def test_only_the_newest_image_of_an_instance_is_kept(site: Site, clock: TestClock) -> None:
    first = deploy(drawing("a"))
    instance = house.start("claim")
    second, third = deploy(drawing("a", "b")), deploy(drawing("a", "c"))
    migrate(instance, first, second)
    clock.advance(seconds=timedelta(minutes=1).total_seconds())
    migrate(instance, second, third)
    assert house.read(lambda session: len(list(session.scalars(select(InstancePreimage.rev))))) == 1
    revert(instance)
    running = select(Definition.version).join(Instance, Instance.definition_id == Definition.id)
    assert house.read(lambda session: session.scalar(running)) == 2
    with pytest.raises(Conflict):
        revert(instance)
