"""With whom an item lies, and how those people are told about it: in the house and by SMS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from engine.models import Instance, WorkItem
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.approval.operations import by_sms
from processes.kernel.working_time import ZONE, working_time_between
from processes.messaging.operations import NOT_SENT, sms_to_employee
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.calendar import company_calendar
from processes.organization.models import Employee

Channel = Literal["notice", "sms"]


@dataclass
class Told:
    """Whom a word about an item has reached, and by which road."""

    persons: list[int] = field(default_factory=list)
    unreachable: list[int] = field(default_factory=list)
    outbox: list[int] = field(default_factory=list)
    """messages whose receipt says what became of them"""
    channels: set[str] = field(default_factory=set)

    def as_detail(self) -> dict[str, Any]:
        """For the instance's log."""
        told: dict[str, Any] = {"channel": ", ".join(sorted(self.channels)), "to": self.persons, "outbox": self.outbox}
        return told | ({"unreachable": self.unreachable} if self.unreachable else {})


def holders(session: Session, item: WorkItem) -> list[Employee]:
    """The people with whom an item lies: its assignee, or everybody in its pool."""
    principals = [item.assignee_id] if item.assignee_id is not None else item.candidates
    ids: dict[int, None] = {}
    for principal in principals:
        members = (principal,) if principal > 0 else _members(session, principal)
        ids |= dict.fromkeys(members)
    active = select(Employee).where(Employee.id.in_(ids), Employee.state == "active")
    people = {person.id: person for person in session.scalars(active)}
    return [people[person_id] for person_id in ids if person_id in people]


def _members(session: Session, principal: int) -> tuple[int, ...]:
    return CATALOG.directory.members(session, principal) if CATALOG.directory is not None else ()


def facts_of(session: Session, item: WorkItem) -> dict[str, Any]:
    """What a template may say of an item."""
    instance = session.get_one(Instance, item.instance_id)
    waiting = working_time_between(item.created_at, clock.now(), company_calendar(session))
    return {
        "title": instance.title,
        "step": item.title,
        "starter": instance.starter_name,
        "waiting_hours": int(waiting.total_seconds() // 3600),
        "due": f"{item.due_at.astimezone(ZONE):%m-%d %H:%M}" if item.due_at else "",
    }


def overdue_with(holder: str) -> Sentence:
    """Why an item went to the superior."""
    return _("It was overdue with {holder}.", holder=holder)


DUE = kind("approval.due", _("Something that lies with me becomes due"), ("in_app",), mandatory=True)
URGED = kind("approval.urged", _("Somebody urges me"), ("in_app",), mandatory=True)
BELOW = kind("approval.overdue_below", _("Something is overdue with somebody below me"), ("in_app",), mandatory=True)


def _notice(template: str, values: Mapping[str, Any]) -> tuple[str, Sentence]:
    """(kind, title) of the notice that says in the house what the SMS of this template says."""
    title, due = values["title"], values["due"]
    match template:
        case "approval_half_time":
            return DUE, _("Half of the time for “{title}” has passed; it is due {due}.", title=title, due=due)
        case "approval_urged":
            return URGED, _("{who} urges you: {title}", who=values["who"], title=title)
        case "approval_overdue":
            holder = values["holder"]
            return BELOW, _("“{title}” lies with {holder} and was due {due}.", title=title, holder=holder, due=due)
        case "approval_escalated":
            holder = values["holder"]
            return BELOW, _(
                "“{title}” has waited for {holder} too long; you may decide now.", title=title, holder=holder
            )
    return DUE, _("“{title}” was due {due}.", title=title, due=due)


def in_house(
    session: Session,
    actor: Actor,
    people: Sequence[Employee],
    item: WorkItem,
    template: str,
    occasion: str,
    values: Mapping[str, Any],
) -> None:
    """Put the word among these people's notices, each occasion once; nobody can switch these off."""
    of_kind, title = _notice(template, values)
    notify(
        session,
        actor,
        persons=[person.id for person in people],
        kind=of_kind,
        title=title,
        key=f"{template}:{occasion}",
        text=str(values.get("text", "")),
        record=(INSTANCE, item.instance_id),
    )


def tell(
    session: Session,
    actor: Actor,
    people: Sequence[Employee],
    item: WorkItem,
    template: str,
    *,
    occasion: str,
    values: Mapping[str, Any],
    channels: tuple[Channel, ...],
    told: Told,
) -> None:
    """Tell these people, each occasion once; whoever no SMS can reach still finds the notice in the house."""
    noticed = bool(people) and "notice" in channels
    if noticed:
        in_house(session, actor, people, item, template, occasion, values)
        told.channels.add("notice")
    for person in people:
        reached = noticed
        if "sms" in channels:
            offered = by_sms.offer(session, person, item) if template in by_sms.TEMPLATES else by_sms.NOTHING
            try:
                message = sms_to_employee(
                    session,
                    actor,
                    person,
                    template=template,
                    values={**values, **offered.said},
                    occasion=occasion,
                    instance_id=item.instance_id,
                    secret=offered.code,
                )
            except RuleViolation as refusal:
                if refusal.code not in NOT_SENT:
                    raise
            else:
                reached = True
                told.channels.add("sms")
                told.outbox.append(message)
        (told.persons if reached else told.unreachable).append(person.id)
