"""The reference: plain SpiffWorkflow, with the two repairs without which the flows do not run on it at all."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from typing import Any, ClassVar

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.util.task import TaskState

from tests.engine.workflow import flows


class Notify(defaults.ServiceTask):
    """A core service task never completes; this one does nothing and does."""

    def _execute(self, task: Any) -> bool:
        return True


class Countersign(defaults.ParallelMultiInstanceTask):
    """Counts finished instances for the completion condition; the core shows it the last one's data only."""

    def check_completion_condition(self, my_task: Any) -> Any:
        merged = my_task.internal_data.get("merged", [])
        if not merged or self.condition is None:
            return None
        child = next(one for one in self._instances(my_task) if str(one.id) == merged[-1])
        return my_task.workflow.script_engine.evaluate(
            child, self.condition, external_context={"nr_completed": len(merged)}
        )


class CountersignParser(TaskParser):
    PARALLEL_MI_CLASS = Countersign


class Parser(BpmnParser):
    OVERRIDE_PARSER_CLASSES: ClassVar = {
        full_tag("serviceTask"): (TaskParser, Notify),
        full_tag("userTask"): (CountersignParser, defaults.UserTask),
    }


class PlainPlay:
    """One instance on plain SpiffWorkflow."""

    def __init__(self, name: str, data: dict[str, Any]) -> None:
        parser = Parser()
        parser.add_bpmn_io(io.BytesIO(flows.flow(name, plain=True).encode()))
        self.top = BpmnWorkflow(parser.get_spec(name), parser.get_subprocess_specs(name))
        self.top.task_tree.data.update(data)
        self.top.do_engine_steps()

    @property
    def nodes(self) -> list[str]:
        return sorted(task.task_spec.bpmn_id or "" for task in self._ready())

    def complete(self, node: str, **variables: Any) -> None:
        task = next(task for task in self._ready() if task.task_spec.bpmn_id == node)
        task.data.update(variables)
        task.run()
        self.top.do_engine_steps()

    def fire_all(self) -> None:
        past = datetime(2000, 1, 1, tzinfo=UTC).isoformat()
        for task in self.top.event_manager.tasks.values():
            task.internal_data["event_value"] = past
        self.top.refresh_timers()
        self.top.do_engine_steps()

    def end(self, elements: set[str]) -> tuple[bool, dict[str, Any], Counter[str]]:
        """Completed or not, the data, and how often each drawn element was completed."""
        counts = Counter(
            task.task_spec.name
            for scope in (self.top, *self.top.subprocesses.values())
            for task in scope.tasks.values()
            if task.state == TaskState.COMPLETED and task.task_spec.name in elements
        )
        return self.top.is_completed(), dict(self.top.data), counts

    def _ready(self) -> list[Any]:
        return list(self.top.get_tasks(state=TaskState.READY, manual=True))
