"""Who may send and who may read what was sent."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, true

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from processes.messaging.models import CHANNELS, SentMessage

READ_ALL = "messaging.message.read"
SEND_SMS = "messaging.sms.send"
SEND_MAIL = "messaging.mail.send"


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """One's own messages; with the right, everybody's."""
    mine = true() if actor.may(READ_ALL) else SentMessage.created_by == actor.person_id
    return and_(SentMessage.channel.in_(CHANNELS), mine)


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not send messages; ask an administrator for the right “{permission}”.", permission=permission)
        )
