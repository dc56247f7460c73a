"""Who may say what leaves for other systems, and who may let them in."""

from __future__ import annotations

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _

MANAGE = "webhooks.webhook.manage"


def require(actor: Actor, permission: str = MANAGE) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not change this; ask an administrator for the right “{permission}”.", permission=permission)
        )
