"""Who is told of what is said: those who are mentioned or answered, and those who follow or started a process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.events import ITEMS_OPENED, WIRE_CHANGED, subscribe
from engine.health import Change
from engine.i18n import _
from engine.models import Follower, InboxEntry, Instance, OutboxMessage, WorkItem
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.kernel.known_numbers import written_to
from processes.messaging.models import ReceivedMail, SmsQuota
from processes.messaging.operations.asking import MORE_ASKED
from processes.messaging.operations.charging import NEARLY_USED
from processes.messaging.operations.receiving_mail import RECEIVED
from processes.messaging.operations.reports import BOUNCED
from processes.messaging.operations.scheduling import LAPSED
from processes.messaging.operations.wrote import by_hand, whoever_sent
from processes.messaging.permissions import LOOK_AFTER
from processes.messaging.rules import masked, reason_of, title_of
from processes.notices.operations import fire, is_notice, listening, notify
from processes.notices.rules import event, kind
from processes.organization.models import Department, Employee
from processes.telephony.operations import MISSED

MENTIONED = kind("comments.mentioned", _("Somebody mentions me"))
ANSWERED = kind("comments.answered", _("Somebody answers my comment"))
QUOTA_USED = kind("messaging.quota_used", _("An SMS quota of my department is nearly used up"))
TOO_LATE = kind("messaging.too_late", _("A message I had scheduled came too late"), mandatory=True)
QUOTA_ASKED = kind("messaging.quota_asked", _("Somebody asks for a larger SMS quota"))
MAIL_BOUNCED = kind("messaging.mail_bounced", _("A mail I or my request sent did not arrive"), ("in_app", "digest"))
MAIL_ANSWERED = kind("messaging.mail_answered", _("Somebody answers a mail that I or my request sent"))
FOLLOWED = kind("comments.followed", _("A comment on something I started, do or follow"))
ITEM_OPENED = event("process.item_opened", _("Something new lies in somebody's inbox"))
CALL_MISSED = event("telephony.call_missed", _("A call was missed"))


WIRE_DOWN = kind("messaging.wire_down", _("A connector is down, or works again"), ("in_app", "mail"))


@subscribe(WIRE_CHANGED)
def tell_of_wire(session: Session, *, change: Change) -> None:
    """Those who look after the connectors; mail reaches them when mail itself is not what is down."""
    wire = title_of(change.name)
    if change.is_down:
        title = _("“{wire}” is down: {reason}", wire=wire, reason=reason_of(change.reason))
    else:
        title = _("“{wire}” works again.", wire=wire)
    employed = session.scalars(select(Employee.id).where(Employee.state == "active").order_by(Employee.id)).all()
    actors = CATALOG.actors(session, employed) if CATALOG.actors is not None else {}
    notify(
        session,
        SYSTEM,
        persons=[person for person, actor in actors.items() if actor.may(LOOK_AFTER)],
        kind=WIRE_DOWN,
        title=title,
        key=f"wire:{change.name}:{'down' if change.is_down else 'up'}:{change.since.isoformat()}",
        link="/connectors",
    )


@subscribe("comments.comment_added")
def tell_of_comment(
    session: Session,
    *,
    actor: Actor,
    comment_id: int,
    record_type: str,
    record_id: int,
    mentions: tuple[int, ...] = (),
    answered: int | None = None,
    **_facts: Any,
) -> None:
    """Each person once, by the nearest reason; never the author, never somebody who may not read it (any more)."""
    told = {actor.person_id}
    told |= _tell_mentioned(session, actor, mentions, comment_id, record_type, record_id)
    about, where = _about(session, record_type, record_id), _place(comment_id, record_type, record_id)
    if answered is not None and answered not in told:
        readers = _readers(session, [answered], record_type, record_id)
        title = _("{who} answers your comment: {about}", who=actor.name, about=about)
        notify(session, actor, persons=readers, kind=ANSWERED, title=title, **where)
        told.add(answered)

    readers = _readers(session, _interested(session, record_type, record_id) - told, record_type, record_id)
    title = _("{who} comments: {about}", who=actor.name, about=about)
    notify(session, actor, persons=readers, kind=FOLLOWED, title=title, **where)


@subscribe("comments.comment_edited")
def tell_of_edit(
    session: Session,
    *,
    actor: Actor,
    comment_id: int,
    record_type: str,
    record_id: int,
    mentions: tuple[int, ...],
    **_facts: Any,
) -> None:
    """An edit tells only those whom it mentions anew."""
    _tell_mentioned(session, actor, mentions, comment_id, record_type, record_id)


@subscribe(NEARLY_USED)
def tell_of_quota(session: Session, *, quota_id: int, share: int, **_facts: Any) -> None:
    """Whoever leads the department, or the nearest above that has a head; once for each mark and size of a quota."""
    quota = session.get_one(SmsQuota, quota_id)
    department: Department | None = quota.department
    while department is not None and department.head_id is None:
        department = session.get(Department, department.parent_id) if department.parent_id is not None else None
    if department is None or department.head_id is None:
        return
    notify(
        session,
        SYSTEM,
        persons=[department.head_id],
        kind=QUOTA_USED,
        title=_("{share} % of the SMS quota {quota} are used", share=share, quota=str(quota)),
        key=f"sms_quota:{quota_id}:{quota.segments}:{share}",
        record=("messaging.quota", quota_id),
    )


@subscribe(LAPSED)
def tell_of_lapsed(session: Session, *, message_ids: Sequence[int], **_facts: Any) -> None:
    """Each writer once for what came too late at the same moment."""
    writers = select(OutboxMessage.created_by, func.count(), func.min(OutboxMessage.id)).where(
        OutboxMessage.id.in_(message_ids), OutboxMessage.created_by > 0
    )
    for person, count, first in session.execute(writers.group_by(OutboxMessage.created_by)):
        notify(
            session,
            SYSTEM,
            persons=[person],
            kind=TOO_LATE,
            title=_("{count} scheduled messages came too late and were not sent", count=count),
            key=f"sms_too_late:{first}",
            link="/messages/scheduled",
        )


@subscribe(BOUNCED)
def tell_of_bounce(session: Session, *, message: OutboxMessage, recipients: Sequence[str], **_facts: Any) -> None:
    """Once for each address. A notice's own mail tells nobody: it would go round in circles."""
    if is_notice(message):
        return
    persons = whoever_sent(session, message)
    for address in recipients:
        notify(
            session,
            SYSTEM,
            persons=persons,
            kind=MAIL_BOUNCED,
            title=_(
                "A mail to {address} did not arrive: {subject}",
                address=address if _wrote(message, persons) else masked(address),
                subject=str(message.payload.get("subject") or ""),
            ),
            key=f"mail_bounced:{message.id}:{hashlib.sha256(address.encode()).hexdigest()[:16]}",
            record=(INSTANCE, message.instance_id) if message.instance_id is not None else None,
            link=f"/messages/{message.id}",
        )


@subscribe(RECEIVED)
def tell_of_answer(session: Session, *, mail: ReceivedMail, message: OutboxMessage | None, **_facts: Any) -> None:
    """Whoever has sent what is answered: a process that waits for it moves, its people would not know why."""
    if message is None or is_notice(message):
        return
    persons = whoever_sent(session, message)
    notify(
        session,
        SYSTEM,
        persons=persons,
        kind=MAIL_ANSWERED,
        title=_(
            "{who} answers a mail: {subject}",
            who=mail.sender_name or (mail.sender if _wrote(message, persons) else masked(mail.sender)),
            subject=mail.subject or str(message.payload.get("subject") or ""),
        ),
        key=f"mail_answered:{mail.id}",
        record=(INSTANCE, message.instance_id) if message.instance_id is not None else None,
        link=f"/messages/mail-received/{mail.id}",
    )


def _wrote(message: OutboxMessage, persons: Sequence[int]) -> bool:
    """They named the address themselves: nothing of it is hidden from them."""
    return by_hand(message) and tuple(persons) == (message.created_by,)


@subscribe(MORE_ASKED)
def tell_of_wish(
    session: Session, *, actor: Actor, quota_id: int, campaign_id: int, title: str, needed: int, **_facts: Any
) -> None:
    """Whoever leads the quota's department, and whoever takes what nobody else takes."""
    quota = session.get_one(SmsQuota, quota_id)
    persons = {quota.department.head_id} - {None, actor.person_id}
    if CATALOG.directory is not None:
        persons |= set(CATALOG.directory.fallback_persons(session))
    notify(
        session,
        actor,
        persons=[person for person in persons if person is not None],
        kind=QUOTA_ASKED,
        title=_(
            "{who} asks for a larger SMS quota {quota}: “{title}” needs {needed} segments, {left} are left",
            who=actor.name,
            quota=str(quota),
            title=title,
            needed=needed,
            left=quota.left,
        ),
        key=f"sms_quota_asked:{campaign_id}:{quota.segments}:{needed}",
        record=("messaging.quota", quota_id),
    )


@subscribe(ITEMS_OPENED)
def tell_of_items(session: Session, *, instance_id: int, item_ids: Sequence[int], **_facts: Any) -> None:
    """By SMS, where a rule says so: the inbox itself shows them at once."""
    if not listening(session, ITEM_OPENED):
        return
    about = session.scalar(select(Instance.title).where(Instance.id == instance_id)) or ""
    for item in session.scalars(select(WorkItem).where(WorkItem.id.in_(item_ids)).order_by(WorkItem.id)):
        lies_with = select(InboxEntry.principal).where(InboxEntry.item_id == item.id, InboxEntry.principal > 0)
        fire(
            session,
            SYSTEM,
            event=ITEM_OPENED,
            persons=session.scalars(lies_with),
            key=f"item:{item.id}",
            title=_("{what}: {about}", what=item.title, about=about),
            record=(INSTANCE, instance_id),
        )


@subscribe(MISSED)
def tell_of_missed_call(session: Session, *, call_id: int, number: str, people: Sequence[int], **_facts: Any) -> None:
    seen = written_to(session, people, number) if number else _("an unknown number")
    fire(
        session,
        SYSTEM,
        event=CALL_MISSED,
        persons=people,
        key=f"call:{call_id}",
        title=_("A call from {number} was missed", number=seen),
    )


def _tell_mentioned(
    session: Session, actor: Actor, mentions: Iterable[int], comment_id: int, record_type: str, record_id: int
) -> set[int]:
    persons = {person for person in mentions if person != actor.person_id}
    title = _("{who} mentions you: {about}", who=actor.name, about=_about(session, record_type, record_id))
    notify(session, actor, persons=persons, kind=MENTIONED, title=title, **_place(comment_id, record_type, record_id))
    return persons


def _about(session: Session, record_type: str, record_id: int) -> str:
    record_kind = CATALOG.record_kind(record_type)
    return record_kind.title(session, record_id) if record_kind is not None else ""


def _place(comment_id: int, record_type: str, record_id: int) -> dict[str, Any]:
    """One event, one key: whoever is mentioned in an answer to himself is told once."""
    return {
        "key": f"comment:{comment_id}",
        "record": (record_type, record_id),
        "link": f"#comment-{comment_id}",
    }


def _interested(session: Session, record_type: str, record_id: int) -> set[int]:
    """Of a process whoever started or follows it: all who had a part would be too many; else whom it concerns."""
    if record_type != INSTANCE:
        kind_of_record = CATALOG.record_kind(record_type)
        concerned = kind_of_record.audience(session, record_id) if kind_of_record is not None else ()
        return {person for person in concerned if person > 0}
    followers = select(Follower.person_id).where(Follower.instance_id == record_id)
    starter = select(Instance.starter_id).where(Instance.id == record_id)
    return set(session.scalars(followers.union(starter)))


def _readers(session: Session, persons: Iterable[int], record_type: str, record_id: int) -> list[int]:
    """Those who may read it today: a follower may have lost the right since."""
    return CATALOG.readers(session, sorted(person for person in persons if person), record_type, record_id)
