"""What the house announces inside itself, as event types other systems can subscribe to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import events
from engine.actor import Actor
from engine.events import subscribe
from engine.journal import Entry
from engine.models import Incident, OutboxMessage, WorkItem
from processes.webhooks.operations import CHANNEL, announce, announce_instance, switch_off_gone, switch_off_of
from processes.webhooks.operations.announcing import listening

OF_ACTION = {
    "start": "process.instance.started",
    "suspend": "process.instance.suspended",
    "resume": "process.instance.resumed",
}
DECISIONS = frozenset({"submit", "approve", "reject", "return", "abstain"})
FAILED = ("failed", "unknown")
TOLD_TO_PEOPLE = ("sms", "mail")


def _who(actor: Actor) -> dict[str, Any]:
    """0 is the system."""
    return {"id": actor.person_id, "name": actor.name}


@subscribe(events.ACTED)
def tell_of_deed(session: Session, *, instance_id: int, actor: Actor, entry: Entry, **_facts: Any) -> None:
    event_type = OF_ACTION.get(entry.action)
    if event_type is not None:
        announce_instance(session, event_type, instance_id, lambda: {"actor": _who(actor)})
    elif entry.action in DECISIONS and entry.item_id is not None:
        item_id = entry.item_id
        announce_instance(
            session,
            "work_item.done",
            instance_id,
            lambda: {"work_item": _item(session, item_id), "outcome": entry.action, "actor": _who(actor)},
        )


def _item(session: Session, item_id: int) -> dict[str, Any]:
    columns = (WorkItem.id, WorkItem.node, WorkItem.title, WorkItem.assignee_id, WorkItem.due_at)
    row = session.execute(select(*columns).where(WorkItem.id == item_id)).one()
    return {
        "id": row.id,
        "node": row.node,
        "title": row.title,
        "assignee": row.assignee_id,
        "due_at": row.due_at.isoformat() if row.due_at else None,
    }


@subscribe(events.ITEMS_OPENED)
def tell_of_items(session: Session, *, instance_id: int, item_ids: list[int], **_facts: Any) -> None:
    if not listening(session, "work_item.opened"):
        return
    for item_id in item_ids:
        item = _item(session, item_id)
        announce_instance(session, "work_item.opened", instance_id, lambda item=item: {"work_item": item})  # type: ignore[misc]


@subscribe(events.INCIDENTS_OPENED)
def tell_of_incidents(session: Session, *, instance_id: int, incidents: list[dict[str, Any]], **_facts: Any) -> None:
    """Causes that may hold data of the process are not told; whoever repairs it reads them in the house."""
    if not listening(session, "incident.opened"):
        return
    for one in incidents:
        found = select(Incident.id).where(Incident.instance_id == instance_id, Incident.token == one["token"])
        said = {"id": session.scalar(found), "node": one["node"], "state": one["state"]}
        announce_instance(session, "incident.opened", instance_id, lambda said=said: {"incident": said})  # type: ignore[misc]


@subscribe("process.instance_ended")
def tell_of_end(session: Session, *, instance_id: int, state: str, **_facts: Any) -> None:
    announce_instance(session, f"process.instance.{state}", instance_id)


@subscribe("process.instance_voided")
def tell_of_void(session: Session, *, instance_id: int, actor: Actor, **_facts: Any) -> None:
    announce_instance(session, "process.instance.voided", instance_id, lambda: {"actor": _who(actor)})


@subscribe("process.instance_reopened")
def tell_of_reopening(session: Session, *, instance_id: int, **_facts: Any) -> None:
    announce_instance(session, "process.instance.reopened", instance_id)


@subscribe("comments.comment_added")
def tell_of_comment(
    session: Session, *, actor: Actor, comment_id: int, record_type: str, record_id: int, **_facts: Any
) -> None:
    """That somebody has commented; what was said is read in the house."""
    announce(
        session,
        "comment.added",
        (record_type, record_id),
        lambda: {
            "comment": {"id": comment_id},
            "record": {"type": record_type, "id": record_id},
            "actor": _who(actor),
        },
    )


@subscribe("tasks.task_assigned")
def tell_of_task(
    session: Session, *, task_id: int, assigner_id: int, assignee_id: int, state: str, **_facts: Any
) -> None:
    task = {"id": task_id, "state": state, "assigner": assigner_id, "assignee": assignee_id}
    announce(session, "task.given", ("tasks.task", task_id), lambda: {"task": task})


@subscribe("tasks.task_moved")
def tell_of_move(session: Session, *, task_id: int, action: str, state: str, **_facts: Any) -> None:
    announce(
        session,
        "task.moved",
        ("tasks.task", task_id),
        lambda: {"task": {"id": task_id, "state": state}, "action": action},
    )


@subscribe(events.SETTLED)
def tell_of_message(
    session: Session, *, message_id: int, channel: str, state: str, result: dict[str, Any], **_facts: Any
) -> None:
    """A message that did not leave. Of hooks themselves nothing is told: that would go round in circles."""
    if channel == CHANNEL:
        if result.get("gone"):
            switch_off_gone(session, int(result["hook"]))
        return
    if channel not in TOLD_TO_PEOPLE or state not in FAILED or not listening(session, "message.failed"):
        return
    message = session.get_one(OutboxMessage, message_id)
    said = {"id": message_id, "channel": channel, "state": state, "instance_id": message.instance_id}
    announce(session, "message.failed", ("messaging.message", message_id), lambda: {"message": said})


@subscribe("organization.employee_left")
def silence(session: Session, *, employee_id: int, **_facts: Any) -> None:
    switch_off_of(session, employee_id)
