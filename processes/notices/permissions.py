"""Notices are their person's own: nobody reads another's, whatever his rights. Rules of SMS are the administrators'."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, true

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from processes.notices.models import Notice

MANAGE_SMS_RULES = "notices.sms_rule.manage"


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Those shown in the house; one that only went by mail is in no list."""
    return and_(Notice.person_id == actor.person_id, Notice.in_app.is_(True))


def visible_sms_rules(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.may(MANAGE_SMS_RULES) else false()


def require_sms_rules(actor: Actor) -> None:
    if not actor.may(MANAGE_SMS_RULES):
        raise Forbidden(
            _("You may not do this; ask an administrator for the right “{permission}”.", permission=MANAGE_SMS_RULES)
        )
