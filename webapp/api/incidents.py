"""Nodes that failed, and how an administrator gets them going again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine import runtime
from engine.errors import Forbidden
from engine.i18n import _
from engine.models import Incident, Instance
from engine.work_items.rights import ADMINISTER, MONITOR
from webapp.api.answers import InstanceLine, instance_line
from webapp.api.endpoint import Answer, Body, Call, Id, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "incidents"


class IncidentsQuery(ListQuery):
    state: Literal["open", "retrying", "resolved"] | None = None
    definition: Annotated[str, msgspec.Meta(max_length=100)] = ""
    instance: Id | None = None


class IncidentLine(Answer):
    id: int
    instance: InstanceLine
    node: str
    cause: str
    detail: str
    """for administrators; "" for others"""
    attempts: int
    state: str
    """open (somebody must look) | retrying | resolved"""
    retry_at: datetime | None
    raised_at: datetime
    resolved_at: datetime | None


class Skip(Body):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    result: Any = None
    """what the failed node is taken to have answered"""


ORDERS = {"id": Incident.id, "raised_at": Incident.raised_at, "attempts": Incident.attempts}


@endpoint("GET", "/incidents", tag=TAG)
def list_incidents(call: Call, query: IncidentsQuery) -> Page[IncidentLine]:
    """What failed and waits, for supervisors and process administrators; `order` takes id, raised_at, attempts."""
    administers = call.actor.may(ADMINISTER)
    if not administers:
        call.demand(MONITOR)
    wanted = select(Incident, Instance).join(Instance, Instance.id == Incident.instance_id)
    if query.state:
        wanted = wanted.where(Incident.state == query.state)
    if query.definition:
        wanted = wanted.where(Instance.definition_key == query.definition)
    if query.instance:
        wanted = wanted.where(Incident.instance_id == query.instance)
    if query.q:
        like = (c.icontains(query.q, autoescape=True) for c in (Incident.cause, Incident.node, Instance.title))
        wanted = wanted.where(or_(*like))
    total = total_of(call.session, query, wanted, Incident.id)
    found = rows(call.session, query, wanted.order_by(*ordering(query, ORDERS, "-id", Incident.id)))
    return page_of(query, found, total, lambda row: _line(row.Incident, row.Instance, detailed=administers))


def _line(incident: Incident, instance: Instance, *, detailed: bool) -> IncidentLine:
    return IncidentLine(
        id=incident.id,
        instance=instance_line(instance),
        node=incident.node,
        cause=incident.cause,
        detail=incident.detail if detailed else "",
        attempts=incident.attempts,
        state=incident.state,
        retry_at=incident.retry_at,
        raised_at=incident.raised_at,
        resolved_at=incident.resolved_at,
    )


@endpoint("POST", "/incidents/{incident_id}/actions/retry", tag=TAG, refusals=(409,))
def retry(call: Call, incident_id: Id) -> IncidentLine:
    """Run the failed node again; the answer says whether it failed anew."""
    _demand_administrator(call)
    runtime.retry_incident(call.session, call.actor, incident_id, interactive=False)
    return _after(call.session, incident_id)


@endpoint("POST", "/incidents/{incident_id}/actions/skip", tag=TAG, refusals=(409,))
def skip(call: Call, incident_id: Id, body: Skip) -> IncidentLine:
    """Go on as if the failed node had answered `result`; the history says who decided so and why."""
    _demand_administrator(call)
    runtime.skip_incident(call.session, call.actor, incident_id, body.result, body.reason)
    return _after(call.session, incident_id)


def _demand_administrator(call: Call) -> None:
    if not call.actor.may(ADMINISTER):
        raise Forbidden(_("Only process administrators repair a process."), code="permission_missing")


def _after(session: Session, incident_id: int) -> IncidentLine:
    incident = session.get_one(Incident, incident_id, populate_existing=True)
    return _line(incident, session.get_one(Instance, incident.instance_id, populate_existing=True), detailed=True)
