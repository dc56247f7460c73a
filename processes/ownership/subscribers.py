"""What ownership does when a customer is made, closed or merged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.events import subscribe
from engine.i18n import _
from engine.work_items import REOPENED_EVENT, VOIDED_EVENT
from processes.kernel.columns import demand_version
from processes.kernel.records import UNDECIDED
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.assignments import superior_of
from processes.organization.models import Employee
from processes.ownership.models import OwnerCounter
from processes.ownership.operations import holding, merging, policies, protecting, requests, sharing, watching
from processes.party.models import PartyMerge
from processes.party.operations import CLOSED, CREATED

LEFT_BEHIND = kind("ownership.left_behind", _("Somebody below me leaves customers behind"), mandatory=True)


@subscribe(CREATED)
def place_new(session: Session, *, customer_id: int, by: Actor, **_facts: Any) -> None:
    policies.place_new(session, by, customer_id=customer_id)


@subscribe(CLOSED)
def end_with_the_customer(
    session: Session, *, customer_id: int, by: Actor, version: int | None = None, **_facts: Any
) -> None:
    customer = holding.take(session, [customer_id])[customer_id]
    demand_version(customer, version)
    holding.end(session, by, customer, "closed")
    requests.close_others(session, by, customer_id=customer_id, why=_("The customer is closed."))


@subscribe(holding.LOCKED)
def close_what_waits(session: Session, *, customer_id: int, owner_id: int, **_facts: Any) -> None:
    """On whatever road it was locked: those who applied for it are told."""
    why = requests.owner_of(session, owner_id)
    requests.close_others(session, SYSTEM, customer_id=customer_id, why=why)
    watching.tell_watchers(session, SYSTEM, customer_id=customer_id, owner_id=owner_id)
    sharing.end_with_owning(session, customer_id=customer_id, owner_id=owner_id)


@subscribe(holding.RELEASED)
def leave_the_focus(session: Session, *, customer_id: int, owner_id: int, **_facts: Any) -> None:
    watching.forget_focus(session, customer_id=customer_id, owner_id=owner_id)
    protecting.forget(session, customer_id=customer_id)


@subscribe(holding.HANDED_OVER)
def leave_the_former_hands(session: Session, *, customer_id: int, from_id: int, to_id: int, **_facts: Any) -> None:
    watching.forget_focus(session, customer_id=customer_id, owner_id=from_id)
    sharing.end_with_owning(session, customer_id=customer_id, owner_id=to_id)


@subscribe("organization.employee_left")
def tell_the_superior(session: Session, *, employee_id: int, **_facts: Any) -> None:
    """Whoever stands above hands the leaver's customers over."""
    count = session.scalar(select(OwnerCounter.used).where(OwnerCounter.person_id == employee_id)) or 0
    superior = superior_of(session, employee_id)
    if not count or superior is None:
        return
    leaver = session.get_one(Employee, employee_id)
    notify(
        session,
        SYSTEM,
        persons=[superior.id],
        kind=LEFT_BEHIND,
        title=_("{who} has left; {count} customers are to be handed over", who=leaver.name, count=count),
        key=f"ownership.left:{employee_id}",
        link=f"/customers/hand-over?person={employee_id}",
    )


@subscribe("process.instance_ended")
def follow_the_process(session: Session, *, instance_id: int, state: str, **_facts: Any) -> None:
    if state in UNDECIDED:
        requests.mark_ended(session, SYSTEM, instance_id=instance_id, state=UNDECIDED[state])


@subscribe(VOIDED_EVENT)
def take_back_voided(session: Session, *, instance_id: int, **_facts: Any) -> None:
    requests.take_back(session, SYSTEM, instance_id=instance_id, state="withdrawn")


@subscribe(REOPENED_EVENT)
def decide_anew(session: Session, *, instance_id: int, **_facts: Any) -> None:
    requests.take_back(session, SYSTEM, instance_id=instance_id, state="pending")


@subscribe("party.merged")
def follow_the_merge(
    session: Session, *, kept_id: int, gone_id: int, by: Actor = SYSTEM, owner_id: int | None = None, **_facts: Any
) -> None:
    merging.merge(session, by, kept_id=kept_id, gone_id=gone_id, owner_id=owner_id)


@subscribe("party.unmerged")
def follow_the_parting(
    session: Session, *, kept_id: int, gone_id: int, merge_id: int, by: Actor = SYSTEM, **_facts: Any
) -> None:
    merge = session.get(PartyMerge, merge_id)
    since = merge.at if merge is not None else None
    merging.unmerge(session, by, kept_id=kept_id, gone_id=gone_id, since=since)
