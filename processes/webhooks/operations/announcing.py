"""Tells hooks of an event: one effect in the outbox for each, written in the transaction of the event itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, outbox
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.models import FormData, Instance
from engine.work_items import hidden_fields, may_read_instance
from processes.webhooks.models import Webhook
from processes.webhooks.operations.deliveries import CHANNEL
from processes.webhooks.operations.outgoing import RECORD_TYPE

Data = Mapping[str, Any]

_LISTENING = "webhooks.listening"
"""session.info key of who listens, as asked once in a transaction."""


def listening(session: Session, event_type: str) -> list[tuple[Webhook, Actor]]:
    """Hooks that want this event, with those whose rights they have; a step announces several events and asks once."""
    under_way = session.get_transaction()
    known = session.info.get(_LISTENING)
    if known is None or known[0] is not under_way:
        hooks = list(session.scalars(select(Webhook).where(Webhook.state == "on").order_by(Webhook.id)))
        owners = {hook.owner_id for hook in hooks}
        actors = CATALOG.actors(session, owners) if CATALOG.actors is not None and owners else {}
        known = (under_way, [(hook, actors[hook.owner_id]) for hook in hooks if hook.owner_id in actors])
        session.info[_LISTENING] = known
    return [(hook, owner) for hook, owner in known[1] if event_type in hook.events]


def announce(session: Session, event_type: str, record: tuple[str, int], data: Callable[[], Data]) -> None:
    """Something happened to a record. Only hooks whose owner may read the record hear of it."""
    for hook, owner in listening(session, event_type):
        if CATALOG.may_read(session, owner, *record):
            _tell(session, hook, event_type, data())


def announce_instance(
    session: Session, event_type: str, instance_id: int, more: Callable[[], Data] = dict, *, once: str = ""
) -> None:
    """Something happened in a process; `data.instance` says in which one, `more` the rest."""
    for hook, owner in listening(session, event_type):
        if not may_read_instance(session, owner, instance_id):
            continue
        instance = session.get_one(Instance, instance_id)
        data = {"instance": _facts(instance), **more()}
        if hook.with_form:
            data["form"] = _form(session, owner, instance)
        _tell(session, hook, event_type, data, instance_id=instance_id)


def _facts(instance: Instance) -> dict[str, Any]:
    return {
        "id": instance.id,
        "definition": instance.definition_key,
        "title": instance.title,
        "business_key": instance.business_key,
        "state": instance.state,
        "starter": {"id": instance.starter_id, "name": instance.starter_name},
        "started_at": instance.started_at.isoformat(),
        "ended_at": instance.ended_at.isoformat() if instance.ended_at else None,
    }


def _form(session: Session, owner: Actor, instance: Instance) -> dict[str, Any]:
    """What the request says, without the fields that are hidden from the hook's owner."""
    newest = (
        select(FormData.values).where(FormData.instance_id == instance.id).order_by(FormData.revision.desc()).limit(1)
    )
    values = session.scalar(newest) or {}
    hidden = hidden_fields(session, owner, instance)
    return {name: value for name, value in values.items() if name not in hidden}


def _tell(session: Session, hook: Webhook, event_type: str, data: Data, *, instance_id: int | None = None) -> None:
    event_id = f"evt_{secrets.token_hex(12)}"
    outbox.enqueue(
        session,
        channel=CHANNEL,
        key=f"webhook:{hook.id}:{event_id}",
        payload={
            "hook": hook.id,
            "id": event_id,
            "type": event_type,
            "at": clock.now().isoformat(),
            "data": dict(data),
            "recipient": hook.name,
        },
        record=(RECORD_TYPE, hook.id),
        instance_id=instance_id,
    )
