"""What becomes of ownership when two customers turn out to be one, and when they are told apart again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.organization.models import Employee
from processes.ownership import permissions
from processes.ownership.models import Ownership
from processes.ownership.operations import holding
from processes.party.models import Customer


def merge(session: Session, actor: Actor, *, kept_id: int, gone_id: int, owner_id: int | None = None) -> None:
    """The one that goes has no owner any more; the one that stays has whoever owned either.

    Two different owners: a superior chooses one of them (owner_id). No limit is asked, for nobody gets a customer he
    did not have.
    """
    if session.get(Customer, kept_id) is None or session.get(Customer, gone_id) is None:
        return  # parties that are no customers have no owners
    customers = holding.take(session, [kept_id, gone_id])
    kept, gone = customers[kept_id], customers[gone_id]
    owners = {one for one in (kept.owner_id, gone.owner_id) if one is not None}
    if len(owners) > 1:
        check_choice(session, actor, kept, gone, owner_id)
    chosen = owner_id if owner_id in owners else next(iter(owners), None)
    holding.end(session, actor, gone, "merged", reason=kept.name, tells=False)  # party's event tells of it
    if chosen is not None and kept.owner_id != chosen:
        holding.pass_on(session, actor, kept, session.get_one(Employee, chosen), "merged", reason=gone.name)


def check_choice(session: Session, actor: Actor, kept: Customer, gone: Customer, owner_id: int | None) -> None:
    """Raises RuleViolation unless somebody who may give both to one of their owners has chosen him."""
    owners = (kept.owner_id, gone.owner_id)
    may = all(one is not None and permissions.may_give_to(session, actor, one) for one in owners)
    if may and owner_id in owners:
        return
    raise RuleViolation(
        _(
            "{kept} and {gone} belong to two people; a superior of both says who keeps it.",
            kept=kept.name,
            gone=gone.name,
        ),
        code="two_owners",
        remedy=_("Choose the owner, or ask the superior of both to merge them."),
    )


def unmerge(session: Session, actor: Actor, *, kept_id: int, gone_id: int, since: datetime | None = None) -> None:
    """Each has the owner it had before the merge, as far as nothing has happened since; leavers get none back.

    since: when they were merged; what an earlier merge did to one of them is none of this one's business.
    """
    if session.get(Customer, kept_id) is None or session.get(Customer, gone_id) is None:
        return
    lost = {customer_id: _lost(session, customer_id, since) for customer_id in (kept_id, gone_id)}
    before = {one.owner_id for one in lost.values() if one is not None}
    customers = holding.take(session, [kept_id, gone_id], before)
    kept, gone = customers[kept_id], customers[gone_id]
    came = session.scalars(
        select(Ownership).where(Ownership.customer_id == kept_id, Ownership.ended_at.is_(None))
    ).first()
    if came is not None and came.how == "merged" and (since is None or came.started_at >= since):
        former = lost[kept_id]
        if former is not None and former.ended_at == came.started_at and former.owner.is_active:
            holding.pass_on(session, actor, kept, former.owner, "undone")
        else:
            holding.end(session, actor, kept, "undone")
    former = lost[gone_id]
    if former is not None and gone.owner_id is None and gone.state != "closed" and former.owner.is_active:
        holding.begin(session, actor, gone, former.owner, "undone")


def _lost(session: Session, customer_id: int, since: datetime | None) -> Ownership | None:
    """The ownership a merge ended last."""
    wanted = select(Ownership).where(Ownership.customer_id == customer_id, Ownership.ended_how == "merged")
    if since is not None:
        wanted = wanted.where(Ownership.ended_at >= since)
    return session.scalars(wanted.order_by(Ownership.started_at.desc(), Ownership.id.desc()).limit(1)).first()
