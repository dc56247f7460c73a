"""Why a person sees a customer, for whoever decides on scopes or stands above its owner."""

from __future__ import annotations

from processes.party import operations, permissions
from webapp.api.answers import Person
from webapp.api.endpoint import Answer, Call, Id, Query, endpoint


class SightQuery(Query):
    person_id: Id


class RoadLine(Answer):
    name: str
    """own | below | granted | pool | shared | all"""
    title: str
    details: list[str]


class FieldSight(Answer):
    field: str
    sees: str
    """hidden | masked | visible"""
    reveals: bool
    """a masked one may be uncovered"""


class SightAnswer(Answer):
    person: Person
    sees: bool
    works: bool
    """may change it"""
    roads: list[RoadLine]
    notes: list[str]
    """what ties the person to it and opens nothing"""
    parts: list[str]
    """contacts, records, opportunities: what of it is seen too"""
    fields: list[FieldSight]


@endpoint("GET", "/customers/{customer_id}/sight", tag="customers", refusals=(403,))
def get_sight(call: Call, customer_id: Id, query: SightQuery) -> SightAnswer:
    """Why a person sees this customer: every road that leads there. For those who decide on scopes or stand above its
    owner.
    """
    call.demand(permissions.USE)
    found = operations.explain(call.session, call.actor, customer_id=customer_id, person_id=query.person_id)
    return SightAnswer(
        person=Person(id=found.person.id, name=found.person.name),
        sees=found.sees,
        works=found.sees and found.works,
        roads=[
            RoadLine(name=one.name, title=str(one.title), details=[str(line) for line in one.more])
            for one in found.reasons
        ],
        notes=[str(line) for line in found.notes],
        parts=[name for name, seen in found.parts.items() if seen and found.sees],
        fields=[
            FieldSight(field=name, sees=seen.sees, reveals=seen.reveals)
            for name, seen in found.fields.items()
            if found.sees
        ],
    )
