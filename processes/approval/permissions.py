"""Who may see delegations, and who may make them for others."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true

from engine.actor import Actor
from engine.i18n import Sentence, _
from processes.approval import rules
from processes.approval.models import Delegation

MANAGE_DELEGATIONS = "approval.delegation.manage"


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Those one has given or received; with the right, all."""
    if actor.may(MANAGE_DELEGATIONS):
        return true()
    return or_(Delegation.delegator_id == actor.person_id, Delegation.delegate_id == actor.person_id)


def no_end(actor: Actor, delegation: Delegation) -> Sentence | None:
    """Why this person may not end it: who gave it, who carries it and human resources may, but what still waits for
    an answer is taken back by who asked.
    """
    if actor.may(MANAGE_DELEGATIONS):
        return None
    if actor.person_id not in (delegation.delegator_id, delegation.delegate_id):
        return _("Only who delegated, who stands in, or human resources may end a delegation.")
    if delegation.state == "requested" and actor.person_id != delegation.created_by:
        return _("Accept or decline it; only who asked for it can take it back.")
    return None


def may_end(actor: Actor, delegation: Delegation) -> bool:
    """It is not over, and this person may end it: what the button asks."""
    return delegation.state in rules.LIVE_STATES and no_end(actor, delegation) is None
