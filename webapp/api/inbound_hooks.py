"""Doors for other systems: where they may call, what their messages become, and what came in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy.orm import Session

from engine.i18n import restored
from processes.webhooks import operations
from processes.webhooks.models import InboundHook, Reception
from webapp.api.answers import Names, Person
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, Version, endpoint

TAG = "webhooks"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Path = Annotated[str, msgspec.Meta(max_length=200)]
Variable = Annotated[str, msgspec.Meta(max_length=60)]


class InboundHookRequest(Body):
    name: Name
    action: Literal["message", "start"]
    """message: hand it to the process that waits for it; start: start a process"""
    target: Name
    """the message's name, or the process's key"""
    business_key: Path = ""
    """where in the JSON the business key stands, for example `data.order.number`"""
    variable: Variable = "payload"
    """the process variable that will hold the JSON"""
    form: Path = ""
    """of a start: where in the JSON the values of the start form stand"""


class InboundHookChange(Body):
    version: Version | None = None
    name: Name | msgspec.UnsetType = msgspec.UNSET
    action: Literal["message", "start"] | msgspec.UnsetType = msgspec.UNSET
    target: Name | msgspec.UnsetType = msgspec.UNSET
    business_key: Path | msgspec.UnsetType = msgspec.UNSET
    variable: Variable | msgspec.UnsetType = msgspec.UNSET
    form: Path | msgspec.UnsetType = msgspec.UNSET
    state: Literal["on", "off"] | msgspec.UnsetType = msgspec.UNSET


class ReceptionsQuery(Query):
    state: Literal["taken", "refused"] | None = None
    before: Id | None = None
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class InboundHookAnswer(Answer):
    id: int
    version: int
    name: str
    path: str
    """where the other system calls"""
    action: str
    target: str
    business_key: str
    variable: str
    form: str
    state: str
    """on | off"""
    off_reason: str
    owner: Person
    """in whose name and with whose rights"""


class InboundHookSecret(Answer):
    hook: InboundHookAnswer
    secret: str
    """whsec_…; shown this once"""


class InboundHooks(Answer):
    items: list[InboundHookAnswer]


class ReceptionAnswer(Answer):
    id: int
    message_id: str
    """the sender's own"""
    received_at: datetime
    state: str
    """taken | refused"""
    error: str
    business_key: str
    instance_id: int | None
    body: dict[str, Any]


class Receptions(Answer):
    items: list[ReceptionAnswer]
    has_more: bool


def _hook(session: Session, hook: InboundHook, names: Names | None = None) -> InboundHookAnswer:
    names = names or Names(session, [hook.owner_id])
    return InboundHookAnswer(
        id=hook.id,
        version=hook.version,
        name=hook.name,
        path=f"{PREFIX}/connectors/webhook/callbacks/{hook.key}",
        action=hook.action,
        target=hook.target,
        business_key=hook.business_key,
        variable=hook.variable,
        form=hook.form,
        state=hook.state,
        off_reason=hook.off_reason,
        owner=names(hook.owner_id),
    )


@endpoint("GET", "/inbound-hooks", tag=TAG)
def list_inbound_hooks(call: Call) -> InboundHooks:
    """Every address other systems may call."""
    found = operations.inbound_hooks(call.session, call.actor)
    names = Names(call.session, [hook.owner_id for hook in found])
    return InboundHooks(items=[_hook(call.session, hook, names) for hook in found])


@endpoint("POST", "/inbound-hooks", tag=TAG, status=201, refusals=(422,), shown_once=("secret",))
def create_inbound_hook(call: Call, body: InboundHookRequest) -> InboundHookSecret:
    """Make one. What comes in by it is done in your name; its secret is in this answer and nowhere else."""
    values = msgspec.structs.asdict(body)
    hook, secret = operations.create_inbound_hook(call.session, call.actor, values=values)
    call.headers["Location"] = f"{PREFIX}/inbound-hooks/{hook.id}"
    return InboundHookSecret(hook=_hook(call.session, hook), secret=secret)


@endpoint("GET", "/inbound-hooks/{hook_id}", tag=TAG)
def get_inbound_hook(call: Call, hook_id: Id) -> InboundHookAnswer:
    """One of them."""
    return _hook(call.session, operations.find_inbound_hook(call.session, call.actor, hook_id))


@endpoint("PATCH", "/inbound-hooks/{hook_id}", tag=TAG, refusals=(409, 422))
def change_inbound_hook(call: Call, hook_id: Id, body: InboundHookChange) -> InboundHookAnswer:
    """Change what is named, or switch it on and off."""
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    version, state = given.pop("version", None), given.pop("state", None)
    hook = operations.change_inbound_hook(call.session, call.actor, hook_id=hook_id, version=version, values=given)
    if state is not None:
        hook = operations.switch_inbound(call.session, call.actor, hook_id=hook_id, on=state == "on")
    return _hook(call.session, hook)


@endpoint("DELETE", "/inbound-hooks/{hook_id}", tag=TAG, status=204)
def delete_inbound_hook(call: Call, hook_id: Id) -> None:
    """Delete it, and what came in by it; what it set going goes on."""
    operations.delete_inbound_hook(call.session, call.actor, hook_id=hook_id)


@endpoint("POST", "/inbound-hooks/{hook_id}/actions/rotate-secret", tag=TAG, shown_once=("secret",))
def rotate_secret(call: Call, hook_id: Id) -> InboundHookSecret:
    """A new secret. For a day the old one still opens."""
    hook, secret = operations.rotate_inbound_secret(call.session, call.actor, hook_id=hook_id)
    return InboundHookSecret(hook=_hook(call.session, hook), secret=secret)


@endpoint("POST", "/inbound-hooks/{hook_id}/actions/take-over", tag=TAG)
def take_over(call: Call, hook_id: Id) -> InboundHookAnswer:
    """From now on what comes in is done in your name."""
    return _hook(call.session, operations.take_over_inbound(call.session, call.actor, hook_id=hook_id))


@endpoint("GET", "/inbound-hooks/{hook_id}/receptions", tag=TAG)
def list_receptions(call: Call, hook_id: Id, query: ReceptionsQuery) -> Receptions:
    """What came in, newest first; kept for 90 days."""
    found = operations.receptions(
        call.session,
        call.actor,
        hook_id,
        state=query.state or "",
        before=query.before,
        limit=query.page_size + 1,
    )
    return Receptions(
        items=[_reception(row) for row in found[: query.page_size]], has_more=len(found) > query.page_size
    )


def _reception(row: Reception) -> ReceptionAnswer:
    return ReceptionAnswer(
        id=row.id,
        message_id=row.message_id,
        received_at=row.received_at,
        state=row.state,
        error=str(restored(row.why)) if row.why else "",
        business_key=row.business_key,
        instance_id=row.instance_id,
        body=row.body,
    )
