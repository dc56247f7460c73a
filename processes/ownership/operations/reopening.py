"""A closed customer is served again: it comes into the pool, whoever had it before."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from processes.ownership import permissions
from processes.ownership.operations.locking import history
from processes.party import operations as party
from processes.party.models import Customer
from processes.party.permissions import MANAGE, readable


def reopen(session: Session, actor: Actor, *, customer_id: int, version: int | None = None) -> Customer:
    """For who had it last, and for those who assign customers."""
    customer = readable(session, actor, customer_id)
    if not may_reopen(session, actor, customer):
        raise Forbidden(
            _(
                "Only who had {customer} last, and those who assign customers, may open it again.",
                customer=customer.name,
            ),
            remedy=_("Ask a superior."),
        )
    return party.reopen_customer(session, actor, record_id=customer_id, version=version)


def may_reopen(session: Session, actor: Actor, customer: Customer) -> bool:
    if not actor.may(MANAGE):
        return False
    if actor.may(permissions.ASSIGN) or actor.may(permissions.ASSIGN_ANY):
        return True
    last = next(iter(history(session, customer.id)), None)
    return last is not None and last.owner_id == actor.person_id and actor.may(permissions.APPLY)
