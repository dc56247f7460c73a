"""Which of a form's values somebody may see: asked by every road that shows an instance."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import Actor
from engine.forms import FormSchema
from engine.models import Instance, WorkItem
from engine.runtime.host import latest_form
from engine.work_items.rights import ADMINISTER, MONITOR, holds


def hidden_fields(session: Session, actor: Actor, instance: Instance, schema: FormSchema) -> set[str]:
    """Fields this reader may not see: what every step of theirs hides; for a mere reader, what any step hides."""
    if actor.person_id == instance.starter_id or actor.may(MONITOR) or actor.may(ADMINISTER):
        return set()
    items = session.scalars(select(WorkItem).where(WorkItem.instance_id == instance.id))
    mine = {item.node for item in items if item.done_by == actor.person_id or holds(item, actor)}
    hidden = [_hidden(schema, step) for step in mine or schema.steps]
    if not hidden:
        return set()
    return set.intersection(*hidden) if mine else set.union(*hidden)


def readable_values(session: Session, actor: Actor, instance: Instance, *, step: str | None = None) -> dict[str, Any]:
    """The form's present values as this reader may see them; `step` hides what that step hides as well."""
    values = latest_form(session, instance.id)[1]
    schema = repository.get(session, instance.definition_id).start_form()
    if schema is None:
        return values
    hidden = hidden_fields(session, actor, instance, schema)
    if step is not None:
        hidden |= _hidden(schema, step)
    return {name: value for name, value in values.items() if name not in hidden}


def _hidden(schema: FormSchema, step: str) -> set[str]:
    return {name for name, right in schema.rights(step).items() if right == "hide"}


def open_items(session: Session, instance_id: int, node: str | None = None) -> list[WorkItem]:
    """The open items of an instance, of one node if named."""
    wanted = select(WorkItem).where(WorkItem.instance_id == instance_id, WorkItem.state.in_(("open", "delegated")))
    if node is not None:
        wanted = wanted.where(WorkItem.node == node)
    return list(session.scalars(wanted.order_by(WorkItem.id)))
