"""Who may send and who may read what was sent."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from processes.messaging.models import CHANNELS, SentMessage

READ_ALL = "messaging.message.read"
SEND_SMS = "messaging.sms.send"
SEND_MAIL = "messaging.mail.send"

EMPLOYEE = "organization.employee"
"""The record type of whoever a message from a template is written to."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """What one wrote and what one was sent; with the right, everybody's messages."""
    if actor.may(READ_ALL):
        return SentMessage.channel.in_(CHANNELS)
    to_me = and_(SentMessage.record_type == EMPLOYEE, SentMessage.record_id == actor.person_id)
    return and_(SentMessage.channel.in_(CHANNELS), or_(SentMessage.created_by == actor.person_id, to_me))


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not send messages; ask an administrator for the right “{permission}”.", permission=permission)
        )
