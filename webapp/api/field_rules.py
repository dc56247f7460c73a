"""Who sees sensitive fields hidden, masked or whole: the rules of the page “Rules on sensitive fields”."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from engine.errors import NotFound
from processes.party import operations, permissions
from processes.party.models import FieldRule
from webapp.api.answers import Person
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "customers"

Field = Literal[
    "customer.phone",
    "customer.email",
    "customer.wechat",
    "customer.credit_code",
    "customer.address",
    "contact.phone",
    "contact.email",
    "contact.wechat",
]
Extent = Literal["everywhere", "others"]
Sees = Literal["hidden", "masked", "visible"]
Role = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="By its name, for instance Sales.")]


class FieldRulesQuery(ListQuery):
    field: Field | None = None
    sees: Sees | None = None
    person: Id | None = None
    """only those that speak to this person by name"""
    position: Id | None = None
    role: Annotated[str, msgspec.Meta(max_length=64)] = ""


class FieldRuleRequest(Body, kw_only=True):
    """To exactly one of person, position and role. Where several speak to somebody, the widest holds."""

    field: Field
    person: Id | None = None
    position: Id | None = None
    role: Role | None = None
    extent: Extent = "everywhere"
    """others: only of customers one does not work on oneself"""
    sees: Sees
    reveals: bool = False
    """of a masked one: may be uncovered, which is noted"""
    narrows: bool = False
    """to a person: sees no more than this, whatever other rules and rights would give"""


class FieldRuleChange(Body, kw_only=True):
    """What is left out stays as it is."""

    version: Version
    field: Field | msgspec.UnsetType = msgspec.UNSET
    person: Id | msgspec.UnsetType | None = msgspec.UNSET
    position: Id | msgspec.UnsetType | None = msgspec.UNSET
    role: Role | msgspec.UnsetType | None = msgspec.UNSET
    extent: Extent | msgspec.UnsetType = msgspec.UNSET
    sees: Sees | msgspec.UnsetType = msgspec.UNSET
    reveals: bool | msgspec.UnsetType = msgspec.UNSET
    narrows: bool | msgspec.UnsetType = msgspec.UNSET


class FieldRulePosition(Answer):
    id: int
    name: str


class FieldRuleLine(Answer):
    """A rule on one field."""

    id: int
    version: int
    field: str
    person: Person | None
    position: FieldRulePosition | None
    role: str | None
    extent: str
    sees: str
    reveals: bool
    narrows: bool
    changed_at: datetime


ORDERS = {"id": FieldRule.id, "field": FieldRule.field}
_SUBJECTS = joinedload(FieldRule.person), joinedload(FieldRule.position)


@endpoint("GET", "/field-rules", tag=TAG)
def list_field_rules(call: Call, query: FieldRulesQuery) -> Page[FieldRuleLine]:
    """The rules on sensitive fields. `order` takes id and field; `q` looks in the field's name."""
    call.demand(permissions.MANAGE_FIELD_RULES)
    wanted = select(FieldRule).where(permissions.visible_field_rules(call.actor))
    for column, value in (
        (FieldRule.field, query.field),
        (FieldRule.sees, query.sees),
        (FieldRule.person_id, query.person),
        (FieldRule.position_id, query.position),
        (FieldRule.role, query.role or None),
    ):
        wanted = wanted.where(column == value) if value is not None else wanted
    if query.q:
        wanted = wanted.where(FieldRule.field.icontains(query.q, autoescape=True))
    total = total_of(call.session, query, wanted, FieldRule.id)
    ordered = wanted.options(*_SUBJECTS).order_by(*ordering(query, ORDERS, "field", FieldRule.id))
    found = [row.FieldRule for row in rows(call.session, query, ordered)]
    return page_of(query, found, total, _line)


@endpoint("GET", "/field-rules/{rule_id}", tag=TAG)
def get_field_rule(call: Call, rule_id: Id) -> FieldRuleLine:
    """One rule."""
    call.demand(permissions.MANAGE_FIELD_RULES)
    rule = call.session.get(FieldRule, rule_id)
    if rule is None:
        raise NotFound
    return _line(rule)


@endpoint("POST", "/field-rules", tag=TAG, status=201, refusals=(422,))
def create_field_rule(call: Call, body: FieldRuleRequest) -> FieldRuleLine:
    """Say what somebody sees of a field; the next request holds it. For one field and extent everybody named has one
    rule at most.
    """
    rule = operations.create_field_rule(call.session, call.actor, values=msgspec.structs.asdict(body))
    call.headers["Location"] = f"{PREFIX}/field-rules/{rule.id}"
    return _line(rule)


@endpoint("PATCH", "/field-rules/{rule_id}", tag=TAG, refusals=(409, 422))
def change_field_rule(call: Call, rule_id: Id, body: FieldRuleChange) -> FieldRuleLine:
    """Change what is named."""
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    version = given.pop("version")
    return _line(
        operations.change_field_rule(call.session, call.actor, record_id=rule_id, version=version, values=given)
    )


@endpoint("DELETE", "/field-rules/{rule_id}", tag=TAG, status=204)
def delete_field_rule(call: Call, rule_id: Id) -> None:
    """What the house does without a rule holds again with the next request."""
    operations.remove_field_rule(call.session, call.actor, record_id=rule_id)


def _line(rule: FieldRule) -> FieldRuleLine:
    return FieldRuleLine(
        id=rule.id,
        version=rule.version,
        field=rule.field,
        person=Person(id=rule.person.id, name=rule.person.name) if rule.person is not None else None,
        position=FieldRulePosition(id=rule.position.id, name=rule.position.name) if rule.position is not None else None,
        role=rule.role,
        extent=rule.extent,
        sees=rule.sees,
        reveals=rule.reveals,
        narrows=rule.narrows,
        changed_at=rule.changed_at,
    )
