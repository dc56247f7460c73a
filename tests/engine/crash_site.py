"""A worker that does everything at once and is killed in the middle of it; and the audit of what is left."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import db, delivering, jobs, journal, outbox, repository, runtime, service_tasks, work_items
from engine.actor import SYSTEM, Actor
from engine.assignment import RULES, Candidates, assignment
from engine.db import Sessions, transaction
from engine.errors import AppError
from engine.i18n import _
from engine.models import Incident, Instance, InstanceLog, OutboxMessage, RecordAudit, Timer, WorkItem
from engine.runtime.cache import LIVE
from engine.wire import Delivery, Leased

PEOPLE = [Actor(person_id=2, name="王伟"), Actor(person_id=2, name="王伟", client="phone")]
CASES = 400
"""no more than the drain can finish"""

DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:crash"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
  <process id="crash" name="Crash" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="file"/>
    <serviceTask id="file" name="File" camunda:type="external" camunda:topic="crash.file"/>
    <sequenceFlow id="f2" sourceRef="file" targetRef="decide"/>
    <userTask id="decide" name="Decide" camunda:assignee="crash_person"/>
    <boundaryEvent id="late" attachedToRef="decide" cancelActivity="false">
      <timerEventDefinition><timeDuration xsi:type="tFormalExpression">PT0.02S</timeDuration></timerEventDefinition>
    </boundaryEvent>
    <sequenceFlow id="f3" sourceRef="late" targetRef="remind"/>
    <serviceTask id="remind" name="Remind" camunda:type="external" camunda:topic="crash.remind"/>
    <sequenceFlow id="f4" sourceRef="remind" targetRef="reminded"/>
    <endEvent id="reminded"/>
    <sequenceFlow id="f5" sourceRef="decide" targetRef="send"/>
    <serviceTask id="send" name="Send" camunda:type="external" camunda:topic="crash.send"/>
    <sequenceFlow id="f6" sourceRef="send" targetRef="close"/>
    <serviceTask id="close" name="Close" camunda:type="external" camunda:topic="crash.close"/>
    <sequenceFlow id="f7" sourceRef="close" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>"""


@contextmanager
def declared(wire: Path) -> Iterator[None]:
    """The diagram's topics and rule, and a wire that keeps what it heard in a file that survives its process."""
    before = dict(outbox.HANDLERS), dict(service_tasks.TOPICS), dict(RULES)
    leases = outbox.LEASE, outbox.ATTEMPT_LEASE

    @assignment("crash_person", _("Crash"))
    def _person(_session: Session, _request: object, _argument: str | None) -> Candidates:
        return Candidates(persons=(2,))

    for step in ("file", "close"):
        service_tasks.service_task(f"crash.{step}")(_noting(step))
    service_tasks.service_task("crash.remind")(_remind)
    service_tasks.connector_task("crash.send")(_send)
    outbox.HANDLERS.clear()
    outbox.HANDLERS["wire"] = Wire(wire)
    outbox.LEASE = outbox.ATTEMPT_LEASE = timedelta(milliseconds=80)
    yield
    for registry, kept in ((outbox.HANDLERS, before[0]), (service_tasks.TOPICS, before[1]), (RULES, before[2])):
        registry.clear()  # type: ignore[attr-defined]
        registry.update(kept)  # type: ignore[attr-defined]
    outbox.LEASE, outbox.ATTEMPT_LEASE = leases


def _noting(step: str) -> Callable[..., dict[str, str]]:
    def note(session: Session, actor: Actor, facts: service_tasks.StepFacts) -> dict[str, str]:
        journal.audit(session, actor, "crash.case", facts.instance_id, step, None, {"step": step})
        session.flush()
        return {"step": step}

    return note


def _remind(session: Session, _actor: Actor, facts: service_tasks.StepFacts) -> None:
    outbox.enqueue(session, channel="wire", key=f"remind:{facts.instance_id}", payload={})


def _send(session: Session, _actor: Actor, facts: service_tasks.StepFacts) -> int:
    return outbox.enqueue(session, channel="wire", key=f"send:{facts.instance_id}", payload={})


class Wire:
    """A peer that is not idempotent: what reaches it has happened."""

    retry_unknown = False

    def __init__(self, file: Path) -> None:
        self._file = file

    def deliver(self, message: Leased) -> Delivery:
        with self._file.open("a") as line:
            line.write(f"{message.key}\n")
        return Delivery("accepted", {"heard": True})

    def heard(self) -> Counter[str]:
        return Counter(self._file.read_text().split()) if self._file.exists() else Counter()


# ------------------------------------------------------------------------------------------------- the worker


def work_until_killed(url: str, seed: int, ready: int) -> None:
    """The child: open the database, say so, then start, press, fire and deliver in random order for ever."""
    chance = random.Random(seed)
    db.bind(url)
    LIVE.clear()
    duties = [_start_one, _press_one, jobs.fire_timers, delivering.deliver_outbox, jobs.sweep, jobs.retry_incidents]
    with transaction() as session:
        session.scalar(select(func.count(Instance.id)))  # connected: from here on it is the work that is killed
    os.write(ready, b"!")
    while True:
        chance.choice(duties)()
        Sessions.remove()


def _start_one() -> None:
    def start(session: Session) -> None:
        if (session.scalar(select(func.count(Instance.id))) or 0) < CASES:
            runtime.start(session, SYSTEM, "crash")

    runtime.perform(start)


def _press_one() -> None:
    with transaction() as session:
        item = session.scalar(select(WorkItem.id).where(WorkItem.state == "open").order_by(WorkItem.id).limit(1))
    if item is None:
        return
    try:
        runtime.perform(lambda session: work_items.act(session, PEOPLE[0], item, "submit"))
    except AppError:
        Sessions.remove()


def kill_in_the_middle(url: str, seed: int, longest: float) -> None:
    """Fork a worker, let it run for a random moment, SIGKILL it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            work_until_killed(url, seed, write)
        finally:
            os._exit(1)
    os.close(write)
    try:
        if os.read(read, 1) != b"!":
            raise RuntimeError("the worker died by itself")
        time.sleep(random.Random(seed).uniform(0, longest))
    finally:
        os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        os.close(read)
    if not os.WIFSIGNALED(status):
        raise RuntimeError("the worker died by itself")


# ------------------------------------------------------------------------------------------------- afterwards


def deploy() -> None:
    repository.forget_all()
    with transaction() as session:
        definition = repository.deploy(session, SYSTEM, {"crash.bpmn": DIAGRAM})
        repository.get(session, definition.id)  # parsed here once, shared by every fork
    Sessions.remove()


def drain() -> None:
    """A calm worker finishes whatever is left."""
    LIVE.clear()
    for _round in range(200):
        time.sleep(outbox.LEASE.total_seconds() / 4)
        jobs.sweep()
        _press_one()
        Sessions.remove()
        jobs.fire_timers()
        delivering.deliver_outbox()
        with transaction() as session:
            left = session.scalar(select(func.count(WorkItem.id)).where(WorkItem.state == "open"))
            queued = session.scalar(
                select(func.count(OutboxMessage.id)).where(OutboxMessage.state.in_(("queued", "sending")))
            )
            timers = session.scalar(select(func.count(Timer.id)))
        Sessions.remove()
        if not left and not queued and not timers:
            return


def audit(wire: Wire) -> list[str]:
    """Everything that does not hold, in words; empty when no step was lost and none was done twice."""
    wrong: list[str] = []
    heard = wire.heard()
    wrong += [f"{key} reached the wire {times} times" for key, times in heard.items() if times > 1]
    with transaction() as session:
        states = {m.key: m.state for m in session.scalars(select(OutboxMessage))}
        wrong += [f"{key} is {state}" for key, state in states.items() if state not in ("sent", "unknown")]
        wrong += [f"{key} is sent and was never heard" for key, s in states.items() if s == "sent" and not heard[key]]
        wrong += [f"{key} was heard and is not in the outbox" for key in heard if key not in states]
        doubtful = {int(key.partition(":")[2]) for key, s in states.items() if s == "unknown" and key[:4] == "send"}
        raised = set(session.scalars(select(Incident.instance_id)))
        wrong += [f"{i} has an incident without a doubtful message" for i in raised - doubtful]
        wrong += [f"{i} waits for a doubtful message and nobody is told" for i in doubtful - raised]
        for instance in session.scalars(select(Instance)):
            wrong += _audit_instance(session, instance, states)
        wrong += [f"{b.kind} {b.id}: {b.why}" for b in journal.verify_records(session)]
    Sessions.remove()
    return wrong


def _audit_instance(session: Session, instance: Instance, states: dict[str, str]) -> list[str]:
    wrong = [
        f"log of {instance.id}: {found.why}"
        for found in journal.verify_instance(session, instance.id, instance.log_seq, instance.log_hash)
    ]
    actions = Counter(session.scalars(select(InstanceLog.action).where(InstanceLog.instance_id == instance.id)))
    effects = Counter(session.scalars(select(RecordAudit.action).where(RecordAudit.record_id == instance.id)))
    doubtful = states.get(f"send:{instance.id}") == "unknown"
    expected_state = "running" if doubtful else "completed"
    expected_effects = {"file": 1} if doubtful else {"file": 1, "close": 1}
    if instance.state != expected_state:
        wrong.append(f"{instance.id} is {instance.state}, not {expected_state}")
    if effects != expected_effects:
        wrong.append(f"{instance.id} did {dict(effects)}")
    if actions["start"] != 1 or actions["submit"] != 1 or actions["timer"] > 1:
        wrong.append(f"{instance.id} logged {dict(actions)}")
    return wrong
