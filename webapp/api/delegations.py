"""Delegations: who stands in for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine import runtime
from engine.errors import NotFound
from processes.approval import operations, permissions
from processes.approval.models import Delegation
from processes.approval.operations.proxies import PROCESS
from webapp.api.answers import Names, Person
from webapp.api.endpoint import Answer, Body, Call, Id, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "delegations"


class DelegationLine(Answer):
    id: int
    version: int
    instance_id: int
    delegator: Person
    delegate: Person
    reason: str
    starts: datetime
    ends: datetime
    scope: str
    """all | processes | amount"""
    processes: list[str]
    limit: dict[str, str] | None
    include_waiting: bool
    state: str
    """requested | accepted | declined | active | ended | cancelled"""
    ended_at: datetime | None


class DelegationQuery(ListQuery):
    role: Literal["", "given", "received"] = ""
    """given: by you; received: by others to you"""
    state: Literal["", "requested", "accepted", "declined", "active", "ended", "cancelled"] = ""


class NewDelegation(Body):
    delegate: Id
    starts: Annotated[datetime, msgspec.Meta(tz=True)]
    ends: Annotated[datetime, msgspec.Meta(tz=True)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    scope: Literal["all", "processes", "amount"] = "all"
    processes: list[str] | None = None
    """keys of processes, for this scope"""
    limit: dict[str, str] | str | None = None
    """{"amount", "currency"} up to which it holds, for the scope amount"""
    include_waiting: bool = False
    """at its start, what already waits goes over too"""
    delegator: Id | None = None
    """for whom; only human resources delegate for others"""


class Answered(Body):
    version: Version
    opinion: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    """to decline needs one"""


@endpoint("GET", "/delegations", tag=TAG)
def list_delegations(call: Call, query: DelegationQuery) -> Page[DelegationLine]:
    """The delegations you have given or received; with the right to manage them, all."""
    session, me = call.session, call.actor.person_id
    wanted = select(Delegation).where(permissions.visible_to(call.actor))
    if query.role:
        mine = Delegation.delegator_id if query.role == "given" else Delegation.delegate_id
        wanted = wanted.where(mine == me)
    if query.state:
        wanted = wanted.where(Delegation.state == query.state)
    if query.q:
        wanted = wanted.where(Delegation.reason.icontains(query.q, autoescape=True))
    order = ordering(query, {"starts": Delegation.starts_at, "id": Delegation.id}, "-starts", Delegation.id)
    total = total_of(session, query, wanted, Delegation.id)
    found = [row[0] for row in rows(session, query, wanted.order_by(*order))]
    names = _names(session, found)
    return page_of(query, found, total, lambda one: _line(one, names))


@endpoint("POST", "/delegations", tag=TAG, status=201)
def delegate(call: Call, body: NewDelegation) -> DelegationLine:
    """Ask somebody to stand in: starts the process that waits for the answer."""
    form: dict[str, Any] = {
        "delegate": body.delegate,
        "starts": body.starts.isoformat(),
        "ends": body.ends.isoformat(),
        "reason": body.reason,
        "scope": body.scope,
        "include_waiting": body.include_waiting,
        "processes": body.processes or [],
        "limit": body.limit,
        "delegator": body.delegator,
    }
    started = runtime.start(call.session, call.actor, PROCESS, values=form)
    return _one(call.session, Delegation.instance_id == started.instance_id)


@endpoint("POST", "/delegations/{delegation_id}/actions/{action}", tag=TAG, refusals=(409,))
def act(call: Call, delegation_id: Id, action: Literal["accept", "decline", "end"], body: Answered) -> DelegationLine:
    """Accept or decline as the delegate, or end it before its time.

    end: who delegated takes back, cancels or ends it, the delegate gives it back, human resources do either; what is
    not finished returns.
    """
    session, actor = call.session, call.actor
    if action == "end":
        operations.end(session, actor, delegation_id=delegation_id, version=body.version, reason=body.opinion)
    else:
        operations.answer(
            session,
            actor,
            delegation_id=delegation_id,
            version=body.version,
            decision="approve" if action == "accept" else "reject",
            opinion=body.opinion,
        )
    return _one(session, Delegation.id == delegation_id)


def _one(session: Session, which: ColumnElement[bool]) -> DelegationLine:
    found = session.scalars(select(Delegation).where(which).execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound
    return _line(found, _names(session, [found]))


def _names(session: Session, found: list[Delegation]) -> Names:
    return Names(session, [person for one in found for person in (one.delegator_id, one.delegate_id)])


def _line(one: Delegation, names: Names) -> DelegationLine:
    return DelegationLine(
        id=one.id,
        version=one.version,
        instance_id=one.instance_id,
        delegator=names(one.delegator_id),
        delegate=names(one.delegate_id),
        reason=one.reason,
        starts=one.starts_at,
        ends=one.ends_at,
        scope=one.scope,
        processes=list(one.process_keys),
        limit=one.limit_money.as_dict() if one.limit_money else None,
        include_waiting=one.include_waiting,
        state=one.state,
        ended_at=one.ended_at,
    )
