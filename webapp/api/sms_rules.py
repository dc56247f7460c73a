"""Which events are told by SMS: the rules, the events there are, and how a text would read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from engine.errors import NotFound
from processes.notices import operations
from processes.notices.models import SAMPLE, SmsRule
from processes.notices.permissions import require_sms_rules
from processes.notices.rules import EVENTS
from webapp.api.answers import Names, Person
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Version, endpoint

TAG = "connectors"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
EventName = Annotated[str, msgspec.Meta(max_length=60)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Audience = Literal["concerned", "superior", "department", "position", "people"]
People = Annotated[list[Id], msgspec.Meta(max_length=200)]
Switch = Literal["on", "off"]


class SmsRuleRequest(Body):
    name: Name
    event: EventName
    """a name from `GET /connectors/sms/rule-events`"""
    text: Text
    """with places: {name} {concerned} {title} {text}"""
    audience: Audience
    """concerned: whom it concerns; superior: theirs; the others name their field"""
    department: Id | None = None
    position: Id | None = None
    people: People = msgspec.field(default_factory=list)
    mandatory: bool = False
    """also to whoever has chosen other roads for this, or wants no texts"""
    state: Switch = "on"


class SmsRuleChange(Body):
    version: Version | None = None
    name: Name | msgspec.UnsetType = msgspec.UNSET
    event: EventName | msgspec.UnsetType = msgspec.UNSET
    text: Text | msgspec.UnsetType = msgspec.UNSET
    audience: Audience | msgspec.UnsetType = msgspec.UNSET
    department: Id | msgspec.UnsetType | None = msgspec.UNSET
    position: Id | msgspec.UnsetType | None = msgspec.UNSET
    people: People | msgspec.UnsetType = msgspec.UNSET
    mandatory: bool | msgspec.UnsetType = msgspec.UNSET
    state: Switch | msgspec.UnsetType = msgspec.UNSET


class SmsRuleText(Body):
    text: Text


class SmsRuleAnswer(Answer):
    id: int
    version: int
    name: str
    event: str
    text: str
    sample: str
    """how it reads"""
    audience: str
    department: int | None
    position: int | None
    people: list[Person]
    mandatory: bool
    state: str
    changed_at: datetime


class SmsRules(Answer):
    items: list[SmsRuleAnswer]


class RuleEvent(Answer):
    name: str
    title: str


class RuleEvents(Answer):
    items: list[RuleEvent]
    places: list[str]
    """what a text may hold in braces"""


class SmsRulePreview(Answer):
    text: str
    segments: int


def _rule(call: Call, rule: SmsRule) -> SmsRuleAnswer:
    names = Names(call.session, [one.id for one in rule.people])
    return SmsRuleAnswer(
        id=rule.id,
        version=rule.version,
        name=rule.name,
        event=rule.event,
        text=rule.text,
        sample=rule.sample,
        audience=rule.audience,
        department=rule.department_id,
        position=rule.position_id,
        people=[names(one.id) for one in rule.people],
        mandatory=rule.mandatory,
        state=rule.state,
        changed_at=rule.changed_at,
    )


@endpoint("GET", "/connectors/sms/rule-events", tag=TAG)
def list_rule_events(call: Call) -> RuleEvents:
    """The events a rule can tell by SMS, and the places its text may have."""
    require_sms_rules(call.actor)
    return RuleEvents(
        items=[RuleEvent(name=name, title=str(title)) for name, title in sorted(EVENTS.items())], places=list(SAMPLE)
    )


@endpoint("GET", "/connectors/sms/rules", tag=TAG)
def list_rules(call: Call) -> SmsRules:
    """Every rule, by name."""
    return SmsRules(items=[_rule(call, one) for one in operations.sms_rules(call.session, call.actor)])


@endpoint("POST", "/connectors/sms/rules", tag=TAG, status=201, refusals=(422,))
def create_rule(call: Call, body: SmsRuleRequest) -> SmsRuleAnswer:
    """Keep a rule; from now on its event is told."""
    rule = operations.create_sms_rule(call.session, call.actor, values=msgspec.structs.asdict(body))
    call.headers["Location"] = f"{PREFIX}/connectors/sms/rules/{rule.id}"
    return _rule(call, rule)


@endpoint("POST", "/connectors/sms/rules/actions/preview", tag=TAG, refusals=(422,))
def preview_rule(call: Call, body: SmsRuleText) -> SmsRulePreview:
    """How a text reads with everything filled in, and what it costs; nothing is kept."""
    text, segments = operations.preview(call.session, call.actor, text=body.text)
    return SmsRulePreview(text=text, segments=segments)


@endpoint("GET", "/connectors/sms/rules/{rule_id}", tag=TAG)
def get_rule(call: Call, rule_id: Id) -> SmsRuleAnswer:
    """One rule."""
    require_sms_rules(call.actor)
    rule = call.session.get(SmsRule, rule_id)
    if rule is None:
        raise NotFound
    return _rule(call, rule)


@endpoint("PATCH", "/connectors/sms/rules/{rule_id}", tag=TAG, refusals=(409, 422))
def change_rule(call: Call, rule_id: Id, body: SmsRuleChange) -> SmsRuleAnswer:
    """Change what is named, or switch it on and off."""
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    version = given.pop("version", None)
    rule = operations.change_sms_rule(call.session, call.actor, record_id=rule_id, version=version, values=given)
    return _rule(call, rule)


@endpoint("DELETE", "/connectors/sms/rules/{rule_id}", tag=TAG, status=204)
def delete_rule(call: Call, rule_id: Id) -> None:
    """Delete it. What it has sent stays."""
    operations.remove_sms_rule(call.session, call.actor, record_id=rule_id)
