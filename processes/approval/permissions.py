"""Who may see delegations, and who may make them for others."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true

from engine.actor import Actor
from processes.approval.models import Delegation

MANAGE_DELEGATIONS = "approval.delegation.manage"


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Those one has given or received; with the right, all."""
    if actor.may(MANAGE_DELEGATIONS):
        return true()
    return or_(Delegation.delegator_id == actor.person_id, Delegation.delegate_id == actor.person_id)


def may_end(actor: Actor, delegation: Delegation) -> bool:
    """Whoever gave it, whoever carries it, and human resources."""
    return actor.person_id in (delegation.delegator_id, delegation.delegate_id) or actor.may(MANAGE_DELEGATIONS)
