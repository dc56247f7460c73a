"""Nodes that failed, and how an administrator gets them going again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from engine import runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, Forbidden, RuleViolation
from engine.i18n import _
from engine.models import Incident, Instance
from engine.work_items import MOST, Done, attempt, bounded
from engine.work_items.rights import ADMINISTER, MONITOR
from webapp.api.answers import InstanceLine, instance_line
from webapp.api.endpoint import Answer, Body, Call, Id, endpoint
from webapp.api.item_actions import Outcomes, outcomes
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.api.reading import demand_one_of

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


class IncidentsFilter(Body):
    """As in the list of incidents, of what is not settled; at least one of them."""

    state: Literal["open", "retrying"] | None = None
    definition: Annotated[str, msgspec.Meta(max_length=100)] = ""
    instance: Id | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class ManyIncidents(Body):
    """Incidents by their ids or by a filter: when what they met has passed."""

    action: Literal["retry"]
    filter: IncidentsFilter | None = None
    ids: Annotated[list[Id], msgspec.Meta(max_length=MOST)] = []
    dry_run: bool = False
    """only say of each whether it can be tried"""


ORDERS = {"id": Incident.id, "raised_at": Incident.raised_at, "attempts": Incident.attempts}


@endpoint("GET", "/incidents", tag=TAG)
def list_incidents(call: Call, query: IncidentsQuery) -> Page[IncidentLine]:
    """What failed and waits, for supervisors and process administrators; `order` takes id, raised_at, attempts."""
    administers = call.actor.may(ADMINISTER)
    if not administers:
        call.demand(MONITOR)
    wanted = select(Incident, Instance).join(Instance, Instance.id == Incident.instance_id)
    wanted = wanted.where(*_conditions(query))
    total = total_of(call.session, query, wanted, Incident.id)
    found = rows(call.session, query, wanted.order_by(*ordering(query, ORDERS, "-id", Incident.id)))
    return page_of(query, found, total, lambda row: _line(row.Incident, row.Instance, detailed=administers))


def _conditions(query: IncidentsQuery | IncidentsFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.state:
        conditions.append(Incident.state == query.state)
    if query.definition:
        conditions.append(Instance.definition_key == query.definition)
    if query.instance:
        conditions.append(Incident.instance_id == query.instance)
    if query.q:
        columns = (Incident.cause, Incident.node, Instance.title)
        conditions.append(or_(*(column.icontains(query.q, autoescape=True) for column in columns)))
    return conditions


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


@endpoint("POST", "/incidents/batch", tag=TAG, writes=False, refusals=(422,))
def batch(call: Call, body: ManyIncidents) -> Outcomes:
    """Run many failed nodes again, by their `ids` or by a `filter`; at most 200 at once.

    Each is a change of its own; `state` is the incident's after it, and `failed_again` the code of one that
    met the same or another failure.
    """
    _demand_administrator(call)
    session, actor = call.session, call.actor
    ids = _chosen(session, body)
    if body.dry_run:
        return outcomes([_foreseen(session, one) for one in ids])
    session.rollback()
    return outcomes([_retry_one(actor, one) for one in ids])


def _chosen(session: Session, body: ManyIncidents) -> list[int]:
    conditions = _conditions(body.filter) if body.filter is not None else []
    demand_one_of(body.ids, conditions)
    if body.ids:
        return bounded(body.ids)
    wanted = select(Incident.id).join(Instance).where(Incident.state != "resolved", *conditions)
    return bounded(session.scalars(wanted.order_by(Incident.id).limit(MOST + 1)).all())


def _foreseen(session: Session, incident_id: int) -> Done:
    try:
        incident = runtime.open_incident(session, incident_id)
    except AppError as refusal:
        return Done(incident_id, refusal=refusal)
    return Done(incident_id, incident.state)


def _retry_one(actor: Actor, incident_id: int) -> Done:
    def retry(session: Session) -> str:
        runtime.retry_incident(session, actor, incident_id, interactive=False)
        return session.get_one(Incident, incident_id, populate_existing=True).state

    done = attempt(incident_id, retry)
    if done.refusal is not None or done.state == "resolved":
        return done
    again = Sessions().get_one(Incident, incident_id)
    why = RuleViolation(_("The step failed again: {cause}", cause=again.cause), code="failed_again")
    return Done(incident_id, done.state, why)


def _demand_administrator(call: Call) -> None:
    if not call.actor.may(ADMINISTER):
        raise Forbidden(_("Only process administrators repair a process."), code="permission_missing")


def _after(session: Session, incident_id: int) -> IncidentLine:
    incident = session.get_one(Incident, incident_id, populate_existing=True)
    return _line(incident, session.get_one(Instance, incident.instance_id, populate_existing=True), detailed=True)
