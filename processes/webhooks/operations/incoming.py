"""Doors for other systems: made by administrators, opened by a signature, each message let in once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connectors.outcome import BadSignature
from connectors.signatures import new_secret, verify
from engine import clock, journal, repository, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import AppError, Forbidden, NotFound, RuleViolation
from engine.i18n import Sentence, _, kept
from engine.work_items.rights import PUBLISH
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.webhooks import permissions, rules
from processes.webhooks.models import InboundHook, Reception
from processes.webhooks.operations import hooks

DOOR = hooks.RECORD_TYPES[InboundHook]
MOST_DOORS = 50
KEEP = timedelta(days=90)
ACTIONS = ("message", "start")


# ------------------------------------------------------------------------------------------------- made


def inbound_hooks(session: Session, actor: Actor) -> list[InboundHook]:
    permissions.require(actor)
    return list(session.scalars(select(InboundHook).order_by(InboundHook.name, InboundHook.id)))


def find_inbound_hook(session: Session, actor: Actor, hook_id: int) -> InboundHook:
    permissions.require(actor)
    found = session.get(InboundHook, hook_id)
    if found is None:
        raise NotFound
    return found


def create_inbound_hook(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> tuple[InboundHook, str]:
    """A new door, and its secret, which is shown this once.

    values: name, action, target, business_key, variable, form. Whoever makes it speaks through it: what comes in is
    done in that person's name and with that person's rights.
    """
    permissions.require(actor)
    clean = _read(session, values, record=None)
    if len(session.scalars(select(InboundHook.id).limit(MOST_DOORS)).all()) >= MOST_DOORS:
        raise RuleViolation(_("There are {count} inbound webhooks already; delete one first.", count=MOST_DOORS))
    secret = new_secret()
    key = secrets.token_urlsafe(18)
    hook = InboundHook(**clean, key=key, owner_id=actor.person_id, secret=secret, state="on")
    records.create(session, actor, DOOR, hook, clean)
    return hook, secret


def change_inbound_hook(
    session: Session, actor: Actor, *, hook_id: int, version: int | None = None, values: Mapping[str, Any]
) -> InboundHook:
    permissions.require(actor)
    hook = lock_for_change(session, InboundHook, hook_id, version)
    records.change(session, actor, DOOR, hook, _read(session, values, record=hook))
    return hook


def _read(session: Session, values: Mapping[str, Any], *, record: InboundHook | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record is None)
    entry.text("name", required=True)
    entry.choice("action", ACTIONS, required=True)
    entry.text("target", required=True)
    entry.parsed("business_key", rules.check_path, empty="")
    entry.parsed("variable", rules.check_variable, empty="payload")
    entry.parsed("form", rules.check_path, empty="")
    action = entry.clean.get("action", record.action if record is not None else "")
    target = entry.clean.get("target", record.target if record is not None else "")
    if action == "start" and target and not _is_deployed(session, target):
        entry.problem("target", _("There is no process “{key}”.", key=target))
    return entry.finish()


def _is_deployed(session: Session, key: str) -> bool:
    try:
        repository.latest(session, key)
    except AppError:
        return False
    return True


def switch_inbound(session: Session, actor: Actor, *, hook_id: int, on: bool) -> InboundHook:
    return hooks.switch(session, actor, InboundHook, hook_id, on=on)


def take_over_inbound(session: Session, actor: Actor, *, hook_id: int) -> InboundHook:
    """From now on what comes in is done in the name of whoever says so."""
    return hooks.take_over(session, actor, InboundHook, hook_id)


def rotate_inbound_secret(session: Session, actor: Actor, *, hook_id: int) -> tuple[InboundHook, str]:
    """A new secret, shown this once; for a day messages signed with the old one are still let in."""
    return hooks.rotate_secret(session, actor, InboundHook, hook_id)


def delete_inbound_hook(session: Session, actor: Actor, *, hook_id: int) -> None:
    """The address is no more, and what came in by it is forgotten; what it set going goes on."""
    permissions.require(actor)
    hook = lock_for_change(session, InboundHook, hook_id)
    journal.audit(session, actor, DOOR, hook.id, "removed", {"name": hook.name, "target": hook.target}, None)
    session.execute(delete(Reception).where(Reception.hook_id == hook_id))
    session.delete(hook)
    session.flush()


# ------------------------------------------------------------------------------------------------- let in


@dataclass(frozen=True)
class Taken:
    """What became of a message. `refusal`: why the house did not do what it asks for; it may come again."""

    message_id: str
    instance_id: int | None
    refusal: AppError | None = None
    again: bool = False
    """it had been taken before"""


def receive(session: Session, key: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Let a signed message in: kept and done in this one transaction, whatever comes again is done once.

    Raises BadSignature (also when there is no such door: nobody learns which there are), RuleViolation for a body that
    is no JSON object.
    """
    hook = session.scalars(select(InboundHook).where(InboundHook.key == key)).first()
    if hook is None:
        raise BadSignature("There is no such door.")
    message_id = verify(hooks.keys_of(hook), headers, body, clock.now())
    said = rules.json_object(body)
    known = _take(session, hook, message_id, said)
    if known.state == "taken":
        return Taken(message_id, known.instance_id, again=True)
    try:
        with session.begin_nested():
            business_key, instance_id = _do(session, hook, message_id, said)
    except AppError as refusal:
        known.state, known.why = "refused", kept(refusal.message)
        session.flush()
        return Taken(message_id, None, refusal)
    known.state, known.why = "taken", {}
    known.business_key, known.instance_id = business_key, instance_id
    session.flush()
    return Taken(message_id, instance_id)


def _take(session: Session, hook: InboundHook, message_id: str, said: dict[str, Any]) -> Reception:
    """The message's row under a lock; whoever brings the same at the same moment waits here for the first one's end."""
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(Reception)
    fresh = {"hook_id": hook.id, "message_id": message_id, "received_at": clock.now(), "body": said, "state": "refused"}
    session.execute(
        insert.values(**fresh, why={}, business_key="").on_conflict_do_nothing(index_elements=["hook_id", "message_id"])
    )
    found = session.scalars(
        select(Reception)
        .where(Reception.hook_id == hook.id, Reception.message_id == message_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if found.state != "taken":
        found.received_at, found.body = clock.now(), said
    return found


def _do(session: Session, hook: InboundHook, message_id: str, said: dict[str, Any]) -> tuple[str, int | None]:
    if hook.state != "on":
        raise Forbidden(_("This inbound webhook is switched off."), code="hook_off")
    actor = _owner(session, hook)
    business_key = rules.key_at(said, hook.business_key)
    if hook.action == "message":
        if not actor.may(PUBLISH):
            raise _powerless()
        message = runtime.publish(
            session,
            name=hook.target,
            message_id=message_id,
            business_key=business_key,
            variables={hook.variable: said},
            actor=actor,
        )
        return business_key, message.instance_id
    result = runtime.start(
        session,
        actor,
        hook.target,
        values=rules.form_at(said, hook.form) if hook.form else None,
        variables={hook.variable: said},
        business_key=business_key or None,
    )
    return business_key, result.instance_id


def _owner(session: Session, hook: InboundHook) -> Actor:
    found = CATALOG.actors(session, [hook.owner_id]) if CATALOG.actors is not None else {}
    if hook.owner_id not in found:
        raise _powerless()
    return found[hook.owner_id]


def _powerless() -> Forbidden:
    why: Sentence = _("Whoever owns this inbound webhook may not do this (any more).")
    return Forbidden(why, code="owner_may_not", remedy=_("Let somebody who may take it over."))


def receptions(
    session: Session, actor: Actor, hook_id: int, *, state: str = "", before: int | None = None, limit: int = 20
) -> list[Reception]:
    """What came in by this door, newest first."""
    find_inbound_hook(session, actor, hook_id)
    wanted = select(Reception).where(Reception.hook_id == hook_id).order_by(Reception.id.desc()).limit(limit)
    if state:
        wanted = wanted.where(Reception.state == state)
    if before is not None:
        wanted = wanted.where(Reception.id < before)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def sweep_receptions(session: Session) -> int:
    """Forget what came in long ago; whoever signs with a time of long ago is refused anyway."""
    gone = session.execute(delete(Reception).where(Reception.received_at < clock.now() - KEEP))
    return int(gone.rowcount)  # type: ignore[attr-defined]
