"""What the house answers while a diagram steps: services, form values, the calendar."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import clock, outbox, service_tasks
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import AppError, BpmnError
from engine.journal import Entry
from engine.models import FormData, Instance
from engine.service_tasks import TOPICS, StepFacts
from engine.workflow.contract import PENDING, ServiceCall, ServiceFailed, StepRefused

STEPPING = "stepping"
"""session.info key of the StepHost whose step is under way."""


class StaleInstance(StepRefused):
    """Another step was faster; `perform` repeats this one under the row lock."""

    def __init__(self, instance_id: int) -> None:
        super().__init__(instance_id)
        self.instance_id = instance_id


def is_deadlock(error: BaseException) -> bool:
    """PostgreSQL broke a circle of waiting by refusing one side; that side has done nothing yet and may repeat."""
    return isinstance(error, OperationalError) and "deadlock" in str(error).lower()


class StepHost:
    """One step's answers. `interactive`: a person waits, so a broken rule refuses the whole step.

    reckon: stored form values -> what expressions see of them.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        *,
        instance_id: int,
        definition_key: str,
        business_key: str | None,
        starter_id: int,
        rev: int,
        locked: bool,
        interactive: bool,
        form: Mapping[str, Any] | None = None,
        reckon: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> None:
        self._session = session
        self._actor = actor
        self.instance_id = instance_id
        self.definition_key = definition_key
        self.business_key = business_key
        self.starter_id = starter_id
        self._rev = rev
        self._locked = locked
        self._interactive = interactive
        self._form = form
        self._reckon = reckon
        self._form_facts: Mapping[str, Any] | None = None
        self.pending: list[tuple[int, int]] = []
        """(token, outbox id) of connector tasks that wait for their wire"""
        self.notes: list[Entry] = []
        """what operations of this step did to work items of the instance: lines of its log, written with the step"""
        self.transient: set[int] = set()
        """tokens that failed for a cause that may pass by itself"""

    def now(self) -> datetime:
        return clock.now()

    def facts(self) -> Mapping[str, Any]:
        return {
            "instance_id": self.instance_id,
            "business_key": self.business_key,
            "starter": self.starter_id,
        }

    def form_values(self) -> Mapping[str, Any]:
        """The present form as expressions reckon with it; read from the database only when a step asks."""
        if self._form_facts is None:
            values = self._form
            if values is None:
                values = latest_form(self._session, self.instance_id)[1]
            self._form_facts = self._reckon(values)
        return self._form_facts

    def working_due(self, start: datetime, *, days: int = 0, hours: float = 0) -> datetime:
        calendar = CATALOG.calendar
        if calendar is None:
            raise ServiceFailed("no calendar", "bootstrap has not installed a working calendar")
        return calendar(self._session, start, days=days, hours=hours)

    def lock(self) -> None:
        """Lock the instance before business rows; whoever came first wins, the other repeats its step."""
        if self._locked:
            return
        current = self._session.scalar(select(Instance.rev).where(Instance.id == self.instance_id).with_for_update())
        if current != self._rev:
            raise StaleInstance(self.instance_id)
        self._locked = True

    def call_service(self, call: ServiceCall) -> Any:
        topic = TOPICS.get(call.topic)
        if topic is None:
            raise ServiceFailed(f"unknown topic {call.topic}", "the operation it names is not installed any more")
        self.lock()
        facts = StepFacts(
            instance_id=self.instance_id,
            definition_key=self.definition_key,
            business_key=self.business_key,
            starter_id=self.starter_id,
            token=call.token,
            node=call.node,
            boundary_host=call.boundary_host,
        )
        try:
            with self._session.begin_nested():
                answer = service_tasks.invoke(topic, self._session, self._actor, facts, call.parameters)
                receipt = outbox.receipt(self._session, int(answer)) if topic.kind == "connector" else None
        except (BpmnError, StaleInstance):
            raise
        except service_tasks.WrongParameter as fault:  # whoever acts can do nothing about the diagram
            raise ServiceFailed(str(fault.message)[:200], str(fault)) from fault
        except AppError as refusal:
            if self._interactive:
                raise
            raise ServiceFailed(str(refusal.message), str(refusal)) from refusal
        except Exception as error:  # a defect or an outage: the rest of the instance lives on
            if is_deadlock(error):
                raise StaleInstance(self.instance_id) from error  # nobody's fault: the whole step is done again
            if isinstance(error, (ConnectionError, TimeoutError, OperationalError)):
                self.transient.add(call.token)
            raise ServiceFailed(f"{type(error).__name__}: {error}"[:200], traceback.format_exc(limit=-8)) from error
        if topic.kind != "connector":
            return answer
        if receipt is not None:
            return receipt
        self.pending.append((call.token, int(answer)))
        return PENDING


def latest_form(session: Session, instance_id: int) -> tuple[int, dict[str, Any]]:
    """(revision, values) of the newest submission; (0, {}) before the first."""
    row = session.execute(
        select(FormData.revision, FormData.values)
        .where(FormData.instance_id == instance_id)
        .order_by(FormData.revision.desc())
        .limit(1)
    ).first()
    return (row.revision, dict(row.values)) if row else (0, {})
