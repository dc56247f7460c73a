"""Webhooks as administrators make them: where to, what about, with whose rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.safe_http import NOTHING_PRIVATE, Allowed
from connectors.signatures import new_secret
from engine import journal
from engine.actor import SYSTEM, Actor
from engine.errors import NotFound, RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.webhooks import permissions, rules
from processes.webhooks.models import Webhook
from processes.webhooks.operations import hooks

RECORD_TYPE = hooks.RECORD_TYPES[Webhook]
MOST = 50
"""Hooks of a house; each event is looked at for each of them."""

_allowed: Allowed = NOTHING_PRIVATE


def allow_private(allowed: Allowed) -> None:
    """Bootstrap says which internal addresses an operator has opened."""
    global _allowed
    _allowed = allowed


def allowed() -> Allowed:
    """What an operator has opened."""
    return _allowed


def webhooks(session: Session, actor: Actor) -> list[Webhook]:
    permissions.require(actor)
    return list(session.scalars(select(Webhook).order_by(Webhook.name, Webhook.id)))


def find_webhook(session: Session, actor: Actor, webhook_id: int) -> Webhook:
    permissions.require(actor)
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise NotFound
    return found


def create_webhook(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> tuple[Webhook, str]:
    """A new hook, and its secret, which is shown this once.

    values: name, url, events, with_form. It listens with the rights of whoever makes it.
    """
    permissions.require(actor)
    clean = _read(session, values, is_new=True)
    if len(session.scalars(select(Webhook.id).limit(MOST)).all()) >= MOST:
        raise RuleViolation(_("There are {count} webhooks already; delete one first.", count=MOST))
    secret = new_secret()
    hook = Webhook(**clean, owner_id=actor.person_id, secret=secret, state="on")
    records.create(session, actor, RECORD_TYPE, hook, clean)
    return hook, secret


def change_webhook(
    session: Session, actor: Actor, *, webhook_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Webhook:
    """Another name, address or other events. Whose rights it listens with stays; `take_over` changes that."""
    permissions.require(actor)
    hook = lock_for_change(session, Webhook, webhook_id, version)
    records.change(session, actor, RECORD_TYPE, hook, _read(session, values, is_new=False))
    return hook


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.text("name", required=True)
    entry.parsed("url", lambda value: rules.check_url(str(value), _allowed), required=True)
    entry.parsed("events", rules.check_events, required=True)
    entry.flag("with_form")
    return entry.finish()


def switch(session: Session, actor: Actor, *, webhook_id: int, on: bool) -> Webhook:
    """What happens while it is off is never told, also not later."""
    return hooks.switch(session, actor, Webhook, webhook_id, on=on)


def switch_off_gone(session: Session, webhook_id: int) -> None:
    """The peer has answered that it is gone for good (410)."""
    hook = session.get(Webhook, webhook_id, with_for_update=True)
    if hook is not None:
        hooks.put(session, SYSTEM, hook, on=False, why="gone")


def take_over(session: Session, actor: Actor, *, webhook_id: int) -> Webhook:
    """From now on it listens with the rights of whoever says so."""
    return hooks.take_over(session, actor, Webhook, webhook_id)


def rotate_secret(session: Session, actor: Actor, *, webhook_id: int) -> tuple[Webhook, str]:
    """A new secret, shown this once; for a day messages bear the old one's signature as well."""
    return hooks.rotate_secret(session, actor, Webhook, webhook_id)


def delete_webhook(session: Session, actor: Actor, *, webhook_id: int) -> None:
    """It is told nothing more; what waits for it is not sent."""
    permissions.require(actor)
    hook = lock_for_change(session, Webhook, webhook_id)
    journal.audit(session, actor, RECORD_TYPE, hook.id, "removed", {"name": hook.name, "url": hook.url}, None)
    session.delete(hook)
    session.flush()
