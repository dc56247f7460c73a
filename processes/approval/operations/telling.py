"""With whom an item lies, and how those people are told about it: in the house and by SMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from engine.models import Instance, WorkItem
from engine.runtime.files import RECORD_TYPE
from processes.kernel.working_time import ZONE, working_time_between
from processes.messaging.operations import sms_to_employee
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.calendar import company_calendar
from processes.organization.models import Employee

Channel = Literal["notice", "sms"]

REMINDED = kind("approval.reminded", _("Work that lies with me is due, or somebody urges me"), ("in_app",))

TITLES: Mapping[str, Sentence] = {
    "approval_reminder": _("“{step}” waits for you: {what}"),
    "approval_escalated": _("“{step}” takes too long; you may decide as well: {what}"),
    "approval_urged": _("{who} urges you to handle “{step}”: {what}"),
}
"""What stands in the bell, by the template of the SMS with the same words."""


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
    people = (session.get(Employee, person_id) for person_id in ids)
    return [person for person in people if person is not None and person.is_active]


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


def in_house(session: Session, actor: Actor, person: Employee, item: WorkItem, template: str, occasion: str) -> bool:
    """Tell the person in the house, once an occasion."""
    instance = session.get_one(Instance, item.instance_id)
    sentence = TITLES.get(template, TITLES["approval_reminder"])
    title = Sentence(sentence.template, {"step": item.title, "what": instance.title, "who": actor.name})
    key = f"{template}:{occasion}"[-150:]
    notify(session, actor, persons=[person.id], kind=REMINDED, title=title, key=key, record=(RECORD_TYPE, instance.id))
    return True


def tell(
    session: Session,
    actor: Actor,
    person: Employee,
    item: WorkItem,
    template: str,
    *,
    occasion: str,
    values: Mapping[str, Any],
    channels: tuple[Channel, ...],
    told: Told,
) -> None:
    """Tell one person, each occasion once; whoever has no mobile number still finds the item in the inbox."""
    reached = "notice" in channels and in_house(session, actor, person, item, template, occasion)
    if reached:
        told.channels.add("notice")
    if "sms" in channels or not reached:
        try:
            message = sms_to_employee(
                session,
                actor,
                person,
                template=template,
                values=values,
                occasion=occasion,
                instance_id=item.instance_id,
            )
        except RuleViolation as refusal:
            if refusal.code != "no_mobile_number":
                raise
        else:
            reached = True
            told.channels.add("sms")
            told.outbox.append(message)
    (told.persons if reached else told.unreachable).append(person.id)
