"""Messages and signals from outside, given to the process that waits for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec

from engine import runtime
from engine.work_items.rights import PUBLISH
from webapp.api.endpoint import Answer, Body, Call, endpoint

TAG = "messages"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class MessageRequest(Body):
    name: Name
    message_id: Name
    """yours; the same (name, business_key, message_id) again changes nothing"""
    business_key: Annotated[str, msgspec.Meta(max_length=120)] = ""
    """which instance is meant; without one whoever has waited longest"""
    kind: Literal["message", "signal"] = "message"
    """a message reaches one, a signal everybody who waits now"""
    variables: dict[str, Any] = msgspec.field(default_factory=dict)
    ttl: Annotated[int, msgspec.Meta(ge=1, le=366 * 24 * 3600)] = 7 * 24 * 3600
    """seconds it is kept while nobody waits for it"""


class IncomingMessage(Answer):
    id: int
    state: str
    """waiting | matched | expired"""
    instance_id: int | None


@endpoint("POST", "/messages", tag=TAG, status=201)
def publish(call: Call, body: MessageRequest) -> IncomingMessage:
    """Hand a message in. What nobody waits for yet is kept until its `ttl` is over."""
    call.demand(PUBLISH)
    message = runtime.publish(
        call.session,
        name=body.name,
        message_id=body.message_id,
        business_key=body.business_key,
        variables=body.variables,
        kind=body.kind,
        ttl=timedelta(seconds=body.ttl),
        actor=call.actor,
    )
    return IncomingMessage(id=message.id, state=message.state, instance_id=message.instance_id)
