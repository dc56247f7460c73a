"""Giving customers to others: one or many at once, what moves along, and taking it back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from processes.ownership.models import Handover
from processes.ownership.operations import handing
from processes.party.permissions import readable
from webapp.api.answers import Names, Person
from webapp.api.endpoint import Answer, Body, Call, Empty, Id, endpoint
from webapp.api.ownership import TAG, LockUsage, Reason, usage_of

Ids = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=handing.MOST)]


class AssignCustomer(Body):
    to: Id
    reason: Reason = ""


class CustomerHandOver(AssignCustomer, kw_only=True):
    parts: list[str] | None = None
    """what goes along, by the names a preview answers; null = what it ticks by itself"""
    reader_until: date | None = None
    """the former owner may go on reading until that day"""


class CustomerBatch(CustomerHandOver, kw_only=True):
    customers: Ids


class CustomerBatchPreview(Body):
    customers: Ids
    to: Id


class PartLine(Answer):
    name: str
    title: str
    count: int
    chosen: bool


class HandOverPreview(Answer):
    customers: int
    to: Person
    usage: LockUsage
    """the receiver's, before"""
    parts: list[PartLine]
    refusal: str
    """why it would be refused as a whole; "" = it would be done"""


class CustomersHandedOver(Answer):
    id: int
    kind: str
    """assigned | handed_over"""
    count: int
    to: Person
    at: datetime


class HandOverUndone(Answer):
    count: int
    """customers that went back; what has moved on since stays"""


@endpoint("POST", "/customers/{customer_id}/actions/assign", tag=TAG, refusals=(409, 422))
def assign(call: Call, customer_id: Id, body: AssignCustomer) -> CustomersHandedOver:
    """Give an open customer to somebody."""
    readable(call.session, call.actor, customer_id)
    batch = handing.hand_over(
        call.session, call.actor, customer_ids=[customer_id], to_id=body.to, reason=body.reason, only_open=True
    )
    return _handed(call, batch)


@endpoint("POST", "/customers/{customer_id}/actions/handover", tag=TAG, refusals=(409, 422))
def hand_over(call: Call, customer_id: Id, body: CustomerHandOver) -> CustomersHandedOver:
    """Give a customer from one person to another, with what hangs on it."""
    return _handed(call, _batch(call, [customer_id], body))


@endpoint("POST", "/customers/actions/preview-handover", tag=TAG, writes=False, refusals=(422,))
def preview_hand_over(call: Call, body: CustomerBatchPreview) -> HandOverPreview:
    """Everything that would move, and whether the receiver has room. Changes nothing."""
    plan = handing.preview(call.session, call.actor, customer_ids=body.customers, to_id=body.to)
    return HandOverPreview(
        customers=len(plan.customers),
        to=Person(id=plan.receiver.id, name=plan.receiver.name),
        usage=usage_of(plan.usage),
        parts=[PartLine(name=p.name, title=str(p.title), count=p.count, chosen=p.is_chosen) for p in plan.parts],
        refusal=str(plan.refusal) if plan.refusal is not None else "",
    )


@endpoint("POST", "/customers/actions/handover", tag=TAG, refusals=(409, 422))
def hand_over_many(call: Call, body: CustomerBatch) -> CustomersHandedOver:
    """Assign or hand over many customers to one person: all of them, or none."""
    return _handed(call, _batch(call, body.customers, body))


@endpoint("POST", "/handovers/{handover_id}/actions/undo", tag=TAG, refusals=(409, 422))
def undo(call: Call, handover_id: Id, body: Empty) -> HandOverUndone:
    """Take a handing over back within 24 hours."""
    return HandOverUndone(count=handing.undo(call.session, call.actor, handover_id=handover_id))


def _batch(call: Call, customers: list[int], body: CustomerHandOver) -> Handover:
    return handing.hand_over(
        call.session,
        call.actor,
        customer_ids=customers,
        to_id=body.to,
        reason=body.reason,
        parts=body.parts,
        reader_until=body.reader_until,
    )


def _handed(call: Call, batch: Handover) -> CustomersHandedOver:
    to = Names(call.session, [batch.to_id])(batch.to_id)
    return CustomersHandedOver(id=batch.id, kind=batch.kind, count=batch.count, to=to, at=batch.at)
