"""Whose a new customer is (row 69): one policy for each kind of customer, the same for form, import and interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.kernel.working_time import business_date
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.models import Employee
from processes.organization.permissions import require
from processes.ownership import permissions, rules
from processes.ownership.models import CreationPolicy
from processes.ownership.operations import assigning, holding, limits
from processes.party.models import Customer
from processes.party.operations.importing import IMPORT
from processes.party.permissions import CUSTOMER
from processes.party.rules import KINDS

DEFAULT = "creator_owns"

LEFT_OPEN = kind("ownership.left_open", _("A customer I made stays in the pool because I am at my limit"))


def place_new(session: Session, actor: Actor, *, customer_id: int) -> None:
    """Give a customer that was just made its owner, by the policy of its kind."""
    customer = session.get_one(Customer, customer_id)
    policy = session.scalar(select(CreationPolicy.policy).where(CreationPolicy.kind == customer.kind)) or DEFAULT
    if policy == "creator_owns":
        _to_creator(session, actor, customer)
    elif policy == "rule_based":
        assigning.assign_new(session, actor, customer)


def _to_creator(session: Session, actor: Actor, customer: Customer) -> None:
    creator = session.get(Employee, actor.person_id) if actor.person_id else None
    if creator is None or not creator.is_active:
        return  # a machine made it: nobody's
    holding.take(session, [customer.id], [creator.id])
    usage = limits.usage(session, creator.id)
    if not usage.is_full:
        holding.begin(session, actor, customer, creator, "imported" if actor.client == IMPORT else "created")
        return
    if actor.client == IMPORT:
        _tell_of_import(session, actor, creator, usage)
        return
    notify(
        session,
        actor,
        persons=[creator.id],
        kind=LEFT_OPEN,
        title=_(
            "You hold {used} of {most} customers, so {customer} stays in the pool",
            used=usage.used,
            most=usage.most,
            customer=customer.name,
        ),
        key=f"ownership.left_open:{customer.id}",
        record=(CUSTOMER, customer.id),
    )


def _tell_of_import(session: Session, actor: Actor, creator: Employee, usage: rules.Usage) -> None:
    """Once a day, however many rows there are."""
    notify(
        session,
        actor,
        persons=[creator.id],
        kind=LEFT_OPEN,
        title=_(
            "You hold {used} of {most} customers; what you import beyond that stays in the pool",
            used=usage.used,
            most=usage.most,
        ),
        key=f"ownership.left_open:import:{business_date(clock.now())}",
        link="/customers/pool",
    )


# ------------------------------------------------------------------------------------------------- the records


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    if is_new:
        entry.choice("kind", KINDS, required=True)
    entry.choice("policy", rules.POLICIES, required=True)
    return entry.finish()


def create_policy(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> CreationPolicy:
    require(actor, permissions.MANAGE_RULES)
    clean = _read(session, values, is_new=True)
    if session.scalar(select(CreationPolicy.id).where(CreationPolicy.kind == clean["kind"])) is not None:
        raise RuleViolation(
            _("There is a policy for this kind already."), code="policy_exists", remedy=_("Change that one.")
        )
    policy = CreationPolicy(**clean)
    records.create(session, actor, permissions.POLICY, policy, clean)
    return policy


def change_policy(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> CreationPolicy:
    require(actor, permissions.MANAGE_RULES)
    policy = lock_for_change(session, CreationPolicy, record_id, version)
    records.change(session, actor, permissions.POLICY, policy, _read(session, values, is_new=False))
    return policy
