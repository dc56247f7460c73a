"""Looks one step ahead: to whom an instance would come next if this work item were agreed to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, workflow
from engine.actor import Actor
from engine.errors import AppError
from engine.models import Instance, WorkItem
from engine.runtime.facts import InstanceFacts
from engine.runtime.host import latest_form
from engine.runtime.start import DryHost, RouteStep, route_step
from engine.workflow.contract import Live


def foresee(session: Session, actor: Actor, item: WorkItem, instance: Instance, outcome: str) -> list[RouteStep]:
    """The user tasks that would open, with the people they would go to. Changes nothing.

    Operations are assumed to succeed, so a way that hangs on their results may not be seen: then the list is empty.
    """
    loaded = repository.get(session, instance.definition_id)
    seen = peek(session, actor, instance, loaded)
    if seen is None:
        return []
    live, host, form = seen
    decision = {"outcome": outcome, "by": actor.person_id, "opinion": ""}
    try:
        live.complete(item.token, {"outcome": outcome, item.node: decision})
        changes = live.drain()
    except AppError:
        return []
    choices = workflow.choices(loaded.compiled, changes.path, live.variables(), host)
    return [route_step(session, loaded, host, task.node, task.data, form, choices=choices) for task in changes.opened]


def peek(
    session: Session, actor: Actor, instance: Instance | InstanceFacts, loaded: repository.Loaded
) -> tuple[Live, DryHost, dict[str, Any]] | None:
    """A throw-away copy of the instance as it stands, its idle host, and its form; None without a state."""
    snapshot = session.scalar(select(Instance.snapshot).where(Instance.id == instance.id))
    if snapshot is None:
        return None
    form = latest_form(session, instance.id)[1]
    host = DryHost(
        session,
        actor,
        instance_id=instance.id,
        definition_key=instance.definition_key,
        business_key=instance.business_key,
        starter_id=instance.starter_id,
        rev=instance.rev,
        locked=True,
        interactive=True,
        form=form,
        reckon=loaded.form_facts,
    )
    return workflow.load(loaded.compiled, snapshot, host), host, form
