"""What the engine is measured against, writing the same rows with the same statement.

HandCoded: what a programmer would write for exactly these flows: a table of waves and a counter.
PlainSpiff: SpiffWorkflow as it comes: load the full JSON, run, save the full JSON, every step.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default.task_spec import BpmnTaskSpecConverter, MultiInstanceTaskConverter
from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.util.task import TaskState
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, journal, recorder
from engine.db import transaction
from engine.journal import Entry
from engine.models import Instance, WorkItem
from engine.recorder import ClosedItem, NewItem, StepRows
from tests.bench import flows
from tests.bench.house import FORM, STARTER, WORKER

_STEP = (
    WorkItem.id,
    WorkItem.token,
    WorkItem.node,
    WorkItem.state.label("item_state"),
    Instance.id.label("instance_id"),
    Instance.rev,
    Instance.log_seq,
    Instance.log_hash,
    Instance.snapshot,
)


@dataclass(slots=True)
class Outcome:
    """What a reference decided in one step."""

    snapshot: bytes
    opened: list[tuple[int, str]]
    """(token, node)"""
    cancelled: list[int]
    timers_set: list[tuple[int, str, datetime]]
    timers_cleared: list[int]
    path: list[list[str]]
    over: bool


Decide = Callable[[bytes | None, int, str, str], Outcome]
"""(snapshot, token, node, outcome) -> what follows"""


def write_step(session: Session, item_id: int, outcome: str, decide: Decide) -> None:
    """One completion: read the item with its instance, decide, write every row of the product's step."""
    row = session.execute(
        select(*_STEP).join(Instance, Instance.id == WorkItem.instance_id).where(WorkItem.id == item_id)
    ).one()
    if row.item_state != "open":
        raise RuntimeError("not open")
    then = decide(row.snapshot, row.token, row.node, outcome)
    closed = ClosedItem(row.id, outcome, "", WORKER.person_id, WORKER.name)
    _write(session, row.instance_id, row.rev, row.log_seq, row.log_hash, then, closed, row.node, row.token, outcome)


def start_instance(session: Session, definition_id: int, key: str, first: Outcome) -> int:
    now = clock.now()
    instance = Instance(
        definition_id=definition_id,
        definition_key=key,
        state="running",
        title=key,
        starter_id=STARTER.person_id,
        starter_name=STARTER.name,
        summary={},
        started_at=now,
        changed_at=now,
    )
    session.add(instance)
    session.flush()
    _write(session, instance.id, 1, 0, "", first, None, "", None, "start")
    return instance.id


def _write(
    session: Session,
    instance_id: int,
    rev: int,
    log_seq: int,
    log_hash: str,
    then: Outcome,
    closed: ClosedItem | None,
    node: str,
    token: int | None,
    action: str,
) -> None:
    now = clock.now()
    entry = Entry(action, node, token, closed.item_id if closed else None, None, {"opinion": "", "path": then.path})
    entries = [entry, Entry("end", detail={"state": "completed"})] if then.over else [entry]
    log, seq, head = journal.chain(instance_id, log_seq, log_hash, now, WORKER, entries)
    written = recorder.write(
        session,
        StepRows(
            instance_id=instance_id,
            rev=rev,
            at=now,
            state="completed" if then.over else "running",
            snapshot=then.snapshot,
            snapshot_format=1,
            log_seq=seq,
            log_hash=head,
            ended_at=now if then.over else None,
            closed=closed,
            cancelled_tokens=then.cancelled,
            opened=[
                NewItem(token, node, node, WORKER.person_id, (WORKER.person_id,), {"rule": "bench(2)", "path": ""})
                for token, node in then.opened
            ],
            timers_set=[{"token": t, "node": n, "due_at": due, "catch_up": "once"} for t, n, due in then.timers_set],
            timers_cleared=then.timers_cleared,
            log=log,
            participants={WORKER.person_id},
        ),
    )
    if written is None:
        raise RuntimeError("stale")


# ------------------------------------------------------------------------------------------------- hand-coded


@dataclass(frozen=True, slots=True)
class Wave:
    nodes: tuple[str, ...]
    needed: int
    timed: bool = False


def _waves(*nodes: str, timed: bool = False) -> tuple[Wave, ...]:
    return tuple(Wave((node,), 1, timed) for node in nodes)


WAVES = {
    "A": _waves("lead", "dept", "finance"),
    "B": _waves("lead", "dept", "finance", timed=True),
    "C": (Wave(("prepare",), 1), Wave(("countersign",) * 5, 3), Wave(("archive",), 1)),
    "D": (
        *_waves("m2", "m5", "m8"),
        Wave(("m10", "m12"), 2),
        *_waves("c3", "c6", "m18"),
    ),
}


class HandCoded:
    """A table of waves; the state is (wave, next token, open tokens, answers)."""

    name = "hand-coded state machine"

    def __init__(self, flow: str) -> None:
        self._waves = WAVES[flow]
        self._loops = flow in "AB"

    def first(self) -> Outcome:
        return self._open(0, 1)

    def decide(self, snapshot: bytes | None, token: int, node: str, outcome: str) -> Outcome:
        wave, following, tokens, done = json.loads(snapshot or b"[]")
        tokens.remove(token)
        current = self._waves[wave]
        if done + 1 < current.needed:
            state = json.dumps([wave, following, tokens, done + 1]).encode()
            return Outcome(state, [], [], [], [], [[node, "left"]], over=False)
        again = self._loops and outcome == "reject" and wave == len(self._waves) - 1
        then = self._open(0 if again else wave + 1, following)
        then.cancelled = tokens
        then.path.insert(0, [node, "left"])
        if current.timed:
            then.timers_cleared = [token]
        return then

    def _open(self, wave: int, token: int) -> Outcome:
        if wave == len(self._waves):
            return Outcome(b"[]", [], [], [], [], [["end", "left"]], over=True)
        nodes = self._waves[wave].nodes
        opened = [(token + n, node) for n, node in enumerate(nodes)]
        due = clock.now() + timedelta(hours=24)
        timers = [(t, f"{node}_late", due) for t, node in opened] if self._waves[wave].timed else []
        state = json.dumps([wave, token + len(nodes), [t for t, _node in opened], 0]).encode()
        return Outcome(state, opened, [], timers, [], [[node, "entered"] for _t, node in opened], over=False)


# ------------------------------------------------------------------------------------------------- plain SpiffWorkflow


class _Notify(defaults.ServiceTask):  # type: ignore[misc]
    """The stock one returns None from its run and so never ends."""

    def _execute(self, task: Any) -> bool:
        task.data["notified"] = True
        return True


class _Countersign(defaults.ParallelMultiInstanceTask):  # type: ignore[misc]
    """The stock one shows the completion condition the last answer only; here it sees the count."""

    def check_completion_condition(self, my_task: Any) -> Any:
        merged = my_task.internal_data.get("merged", [])
        if not merged or self.condition is None:
            return None
        child = next(c for c in self._instances(my_task) if str(c.id) == merged[-1])
        counted = {"nr_completed": len(merged)}
        return my_task.workflow.script_engine.evaluate(child, self.condition, external_context=counted)


class _CountersignParser(TaskParser):  # type: ignore[misc]
    PARALLEL_MI_CLASS = _Countersign


class _Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {  # noqa: RUF012 - the name SpiffWorkflow reads
        full_tag("serviceTask"): (TaskParser, _Notify),
        full_tag("userTask"): (_CountersignParser, defaults.UserTask),
    }


class PlainSpiff:
    """SpiffWorkflow with its own serialiser and nothing else; the form travels in its data, as it comes."""

    name = "plain SpiffWorkflow, full JSON"

    def __init__(self, flow: str) -> None:
        for logger in ("spiff", "spiff.workflow", "spiff.task", "spiff.data"):
            logging.getLogger(logger).setLevel(logging.WARNING)
        parser = _Parser()
        parser.add_bpmn_io(io.BytesIO(flows.FLOWS[flow]("spiff").encode()))
        self._spec = parser.get_spec(flows.KEYS[flow])
        self._subs = dict(parser.get_subprocess_specs(flows.KEYS[flow]))
        converters = {**DEFAULT_CONFIG, _Notify: BpmnTaskSpecConverter, _Countersign: MultiInstanceTaskConverter}
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(converters))
        self._tokens: dict[str, int] = {}

    def first(self) -> Outcome:
        workflow = BpmnWorkflow(self._spec, self._subs)
        workflow.task_tree.data.update({"form": FORM, "approvers": list(flows.APPROVERS), "outcome": ""})
        workflow.do_engine_steps()
        return self._outcome(workflow, set(), set())

    def decide(self, snapshot: bytes | None, token: int, node: str, outcome: str) -> Outcome:
        workflow = self._serializer.deserialize_json((snapshot or b"").decode())
        before, timers = self._ready(workflow), self._timers(workflow)
        task = next(t for t in workflow.get_tasks(state=TaskState.READY, manual=True) if _token(t) == token)
        task.data["vote" if node.startswith("countersign") else "outcome"] = outcome
        task.run()
        workflow.do_engine_steps()
        return self._outcome(workflow, before - {token}, timers)

    def _outcome(self, workflow: Any, before: set[int], timers: set[int]) -> Outcome:
        ready = {_token(t): t.task_spec.bpmn_id for t in workflow.get_tasks(state=TaskState.READY, manual=True)}
        waiting = {_token(t): t for t in self._timer_tasks(workflow)}
        due = clock.now() + timedelta(hours=24)
        return Outcome(
            snapshot=self._serializer.serialize_json(workflow).encode(),
            opened=[(token, node.split(" ")[0]) for token, node in ready.items() if token not in before],
            cancelled=sorted(before - ready.keys()),
            timers_set=[(t, task.task_spec.bpmn_id, due) for t, task in waiting.items() if t not in timers],
            timers_cleared=sorted(timers - waiting.keys()),
            path=[[node, "entered"] for token, node in ready.items() if token not in before],
            over=bool(workflow.is_completed()),
        )

    def _ready(self, workflow: Any) -> set[int]:
        return {_token(t) for t in workflow.get_tasks(state=TaskState.READY, manual=True)}

    def _timer_tasks(self, workflow: Any) -> list[Any]:
        tasks = workflow.get_tasks(state=TaskState.WAITING)
        return [t for t in tasks if isinstance(t.task_spec, defaults.BoundaryEvent)]

    def _timers(self, workflow: Any) -> set[int]:
        return {_token(t) for t in self._timer_tasks(workflow)}


def _token(task: Any) -> int:
    """SpiffWorkflow numbers tasks by UUID; our rows want a 31-bit integer."""
    return int(task.id.int % 2_147_483_647)


REFERENCES = {"hand": HandCoded, "spiff": PlainSpiff}


def in_transaction(work: Callable[[Session], Any]) -> Any:
    with transaction() as session:
        return work(session)
