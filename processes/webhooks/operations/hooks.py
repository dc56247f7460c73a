"""What hooks in either direction share: on and off, whose rights they have, their secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.signatures import new_secret
from engine import clock, journal
from engine.actor import SYSTEM, Actor
from processes.kernel import records
from processes.kernel.columns import lock_for_change, stamp
from processes.webhooks import permissions
from processes.webhooks.models import InboundHook, Webhook

Hook = TypeVar("Hook", Webhook, InboundHook)

RECORD_TYPES: dict[type[Webhook | InboundHook], str] = {
    Webhook: "webhooks.webhook",
    InboundHook: "webhooks.inbound_hook",
}
OVERLAP = timedelta(hours=24)
"""For so long after a change of secret the old one is still good."""


def switch(session: Session, actor: Actor, model: type[Hook], hook_id: int, *, on: bool) -> Hook:
    permissions.require(actor)
    hook = lock_for_change(session, model, hook_id)
    put(session, actor, hook, on=on, why="" if on else "person")
    return hook


def put(session: Session, actor: Actor, hook: Webhook | InboundHook, *, on: bool, why: str) -> None:
    """Switch a locked hook on or off; what it is already leaves no trace."""
    before, after = hook.state, "on" if on else "off"
    if before == after:
        return
    hook.state, hook.off_reason = after, why
    stamp(hook, actor)
    session.flush()
    told = {"state": after, "reason": why}
    journal.audit(session, actor, RECORD_TYPES[type(hook)], hook.id, "changed", {"state": before}, told)


def switch_off_of(session: Session, person_id: int) -> None:
    """Whoever has left neither listens nor speaks any more."""
    for hook in session.scalars(select(Webhook).where(Webhook.owner_id == person_id).with_for_update()):
        put(session, SYSTEM, hook, on=False, why="owner_left")
    for door in session.scalars(select(InboundHook).where(InboundHook.owner_id == person_id).with_for_update()):
        put(session, SYSTEM, door, on=False, why="owner_left")


def take_over(session: Session, actor: Actor, model: type[Hook], hook_id: int) -> Hook:
    permissions.require(actor)
    hook = lock_for_change(session, model, hook_id)
    records.change(session, actor, RECORD_TYPES[model], hook, {"owner_id": actor.person_id})
    return hook


def rotate_secret(session: Session, actor: Actor, model: type[Hook], hook_id: int) -> tuple[Hook, str]:
    permissions.require(actor)
    hook = lock_for_change(session, model, hook_id)
    hook.old_secret, hook.old_until = hook.secret, clock.now() + OVERLAP
    hook.secret = new_secret()
    stamp(hook, actor)
    session.flush()
    told = {"old_until": hook.old_until.isoformat()}
    journal.audit(session, actor, RECORD_TYPES[model], hook.id, "rotated", None, told)
    return hook, hook.secret


def keys_of(hook: Webhook | InboundHook) -> tuple[str, ...]:
    """The secrets that are good now, the present one first."""
    old = (hook.old_secret,) if hook.old_secret and hook.old_until and clock.now() < hook.old_until else ()
    return hook.secret, *old
