"""Who may make rules, hand out and void numbers, and who sees them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, true

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from processes.numbering.models import SerialNumber

READ_NUMBERS = "numbering.number.read"
MANAGE_RULES = "numbering.rule.manage"
ISSUE_NUMBERS = "numbering.number.issue"
VOID_NUMBERS = "numbering.number.void"


def visible_rules(actor: Actor) -> ColumnElement[bool]:
    """The rules of a house are seen by whoever has to do with numbers."""
    return true() if _has_to_do_with_numbers(actor) else false()


def visible_numbers(actor: Actor) -> ColumnElement[bool]:
    """Everybody sees the numbers they took themselves; whoever has to do with numbers sees all."""
    return true() if _has_to_do_with_numbers(actor) else SerialNumber.created_by == actor.person_id


def _has_to_do_with_numbers(actor: Actor) -> bool:
    return any(actor.may(one) for one in (READ_NUMBERS, MANAGE_RULES, ISSUE_NUMBERS, VOID_NUMBERS))


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not change this; ask an administrator for the right “{permission}”.", permission=permission)
        )
