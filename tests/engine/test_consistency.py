"""What the tables say is what the snapshot says, whatever is done, in whatever order, by however many at once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import jobs, journal, repository, runtime, work_items, workflow
from engine.actor import SYSTEM, Actor
from engine.db import Sessions
from engine.errors import AppError, BpmnError
from engine.models import InboxEntry, Incident, Instance, MessageWait, Timer, WorkItem
from engine.runtime.cache import LIVE
from engine.workflow.live import LiveInstance
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import BOSS, LI, Site
from tests.engine.workflow.drawing import Drawing
from tests.engine.workflow.kit import House

PEOPLE = tuple(Actor(person_id=number, name=f"人{number}") for number in (2, 3, 4))

HEAD = (
    '<error id="returned_error" errorCode="returned"/><error id="any_error" errorCode="any"/>'
    '<message id="m" name="stop"/><message id="more" name="more"/><signal id="s" name="bell"/>'
)


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def inner() -> str:
    """Inside the sub-process: three signers side by side with a reminder each, a service that fails, an end for all."""
    d = Drawing("inside")
    d.start("in")
    d.add("parallelGateway", "split")
    loop = '<multiInstanceLoopCharacteristics camunda:collection="${signers}" camunda:elementVariable="signer"/>'
    d.user("sign", loop, camunda_candidateUsers="person(2+3+4)")
    cycle = "<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition>"
    d.add("boundaryEvent", "remind", cycle, attachedToRef="sign", cancelActivity="false")
    d.service("reminded", "site.second")
    d.service("call", "site.first")
    d.add("exclusiveGateway", "enough", default="enough_join")
    d.end("stop_all", "<terminateEventDefinition/>")
    d.add("parallelGateway", "join")
    d.user("check", camunda_candidateUsers="person(2+3)")
    d.end("out")
    d.end("told")
    d.chain("in", "split", "sign", "join", "check", "out")
    d.chain("split", "call", "enough", "join")
    d.flow("enough", "stop_all", "${exists(answer) and answer.stop}")
    d.chain("remind", "reminded", "told")
    return d.body()


def drawing() -> str:
    d = Drawing("all")
    d.start()
    d.add("subProcess", "work", inner())
    late = "<timerEventDefinition><timeDuration>PT5H</timeDuration></timerEventDefinition>"
    d.add("boundaryEvent", "late", late, attachedToRef="work", cancelActivity="true")
    d.add("boundaryEvent", "back", '<errorEventDefinition errorRef="returned_error"/>', attachedToRef="work")
    d.add("boundaryEvent", "stop", '<messageEventDefinition messageRef="m"/>', attachedToRef="work")
    d.add(
        "boundaryEvent", "rung", '<signalEventDefinition signalRef="s"/>', attachedToRef="work", cancelActivity="false"
    )
    d.user("revise", camunda_assignee="person(2)")
    d.user("note", camunda_candidateUsers="person(3+4)")
    d.add("intermediateCatchEvent", "pause", '<messageEventDefinition messageRef="more"/>')
    d.end()
    for end in ("end_stop", "end_note", "end_late"):
        d.end(end)
    d.chain("start", "work", "end")
    d.chain("back", "revise", "work")
    d.chain("late", "pause", "end_late")
    d.chain("stop", "end_stop")
    d.chain("rung", "note", "end_note")
    return d.xml(head=HEAD)


# ------------------------------------------------------------------------------------------------- what must hold


def check(instance_id: int) -> None:
    """Compare every table with the snapshot they were written with."""

    def compare(s: Session) -> None:
        row = s.get_one(Instance, instance_id)
        live = workflow.load(repository.get(s, row.definition_id).compiled, row.snapshot or b"", House())
        assert isinstance(live, LiveInstance)
        tokens = [token for scope in live.top.scopes() for token in scope.live.values()]
        items = s.scalars(select(WorkItem).where(WorkItem.instance_id == instance_id, WorkItem.state == "open")).all()
        of = {
            "open": Counter(item.token for item in items),
            "due": Counter(s.scalars(select(Timer.token).where(Timer.instance_id == instance_id))),
            "waits": Counter(s.scalars(select(MessageWait.token).where(MessageWait.instance_id == instance_id))),
            "failed": Counter(
                s.scalars(
                    select(Incident.token).where(Incident.instance_id == instance_id, Incident.state != "resolved")
                )
            ),
        }
        inside = {
            "open": Counter(t.id for t in tokens if "open" in t.internal_data),
            "due": Counter(t.id for t in tokens if "due" in t.internal_data),
            "waits": Counter(
                t.id
                for t in tokens
                if getattr(t.task_spec, "event", None) is not None
                and t.task_spec.event.kind in ("message", "signal")
                and t.task_spec.is_waiting(t)
            ),
            "failed": Counter(t.id for t in tokens if "failed" in t.internal_data),
        }
        assert of == inside
        over = row.state not in ("running", "suspended")
        assert over == live.top.completed
        assert not over or not tokens
        inbox = s.execute(
            select(InboxEntry.item_id, InboxEntry.principal)
            .join(WorkItem, WorkItem.id == InboxEntry.item_id)
            .where(WorkItem.instance_id == instance_id)
        )
        holders = {(i.id, p) for i in items for p in ([i.assignee_id] if i.assignee_id is not None else i.candidates)}
        assert {tuple(line) for line in inbox} == holders
        assert list(journal.verify_instance(s, instance_id, row.log_seq, row.log_hash)) == []

    house.read(compare)


class Hand:
    """Does something at random to one of the instances; refusals are part of the game."""

    def __init__(self, seed: int, instances: list[int]) -> None:
        self.random = random.Random(seed)
        self.instances = instances
        self.refused: Counter[str] = Counter()

    def press(self, clock: TestClock) -> None:
        instance = self.random.choice(self.instances)
        deed = self.random.choice(
            [self.act, self.act, self.act, self.claim, self.claim, self.send, self.ring, self.copy, self.repair]
        )
        try:
            deed(instance)
        except AppError as refusal:
            self.refused[refusal.code] += 1
        finally:
            Sessions.remove()
        if self.random.random() < 0.15:
            clock.advance(minutes=self.random.choice([10, 61]))
            jobs.fire_timers()
        if self.random.random() < 0.2:
            LIVE.clear()

    def item(self, instance: int) -> tuple[Actor, int]:
        items = list(house.items(instance).values()) or [1]
        return self.random.choice(PEOPLE), self.random.choice(items)

    def act(self, instance: int) -> None:
        person, item = self.item(instance)
        runtime.perform(lambda s: work_items.act(s, person, item, "submit"))

    def claim(self, instance: int) -> None:
        person, item = self.item(instance)
        move = self.random.choice([work_items.claim, work_items.release])
        runtime.perform(lambda s: move(s, person, item))

    def send(self, instance: int) -> None:
        name = self.random.choice(["more", "more", "more", "stop"])
        number = str(self.random.getrandbits(60))
        runtime.perform(lambda s: runtime.publish(s, name=name, message_id=number, business_key=f"key:{instance}"))

    def ring(self, _instance: int) -> None:
        number = str(self.random.getrandbits(60))
        runtime.perform(lambda s: runtime.publish(s, name="bell", message_id=number, kind="signal"))

    def copy(self, instance: int) -> None:
        runtime.perform(lambda s: work_items.send_copies(s, BOSS, instance, [self.random.randint(20, 60)]))

    def repair(self, instance: int) -> None:
        broken = [incident for incident in house.incidents(instance) if incident.state != "resolved"]
        if not broken:
            return
        incident = self.random.choice(broken).id
        if self.random.random() < 0.5:
            runtime.perform(lambda s: runtime.retry_incident(s, BOSS, incident))
        else:
            answer = {"stop": self.random.random() < 0.3}
            runtime.perform(lambda s: runtime.skip_incident(s, BOSS, incident, {"answer": answer}, "人工"))


def begin(site: Site, seed: int, count: int) -> list[int]:
    moods = random.Random(seed)

    def moody(_session: object, _facts: object) -> dict[str, bool]:
        mood = moods.random()
        if mood < 0.3:
            raise LookupError("broken today")
        if mood < 0.45:
            raise BpmnError("returned")
        return {"stop": mood > 0.9}

    site.answers["site.first"] = moody
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": drawing()}))
    started = []
    for number in range(count):
        signers = list(range(moods.randint(0, 3)))
        started.append(
            runtime.perform(
                lambda s, n=number, who=signers: runtime.start(s, LI, "all", variables={"signers": who})
            ).instance_id
        )
    Sessions.remove()
    for instance in started:
        key = f"key:{instance}"
        runtime.perform(lambda s, i=instance, k=key: setattr(s.get_one(Instance, i), "business_key", k))
    Sessions.remove()
    return started


@pytest.mark.parametrize("seed", range(4))
def test_one_hand_at_random(site: Site, clock: TestClock, seed: int) -> None:
    instances = begin(site, seed, 3)
    hand = Hand(seed, instances)
    for _turn in range(60):
        hand.press(clock)
        for instance in instances:
            check(instance)


@pytest.mark.timeout(240)
def test_many_hands_at_once(site: Site, clock: TestClock) -> None:
    instances = begin(site, 7, 3)
    hands = [Hand(seed, instances) for seed in range(4)]
    broken: list[BaseException] = []

    def work(hand: Hand) -> None:
        try:
            for _turn in range(40):
                hand.press(clock)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            broken.append(error)

    threads = [threading.Thread(target=work, args=(hand,)) for hand in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    for instance in instances:
        check(instance)
