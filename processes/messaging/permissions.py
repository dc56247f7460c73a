"""Who may send and who may read what was sent."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG, RecordKind
from engine.errors import Forbidden
from engine.forms import reference
from engine.i18n import _
from engine.models import Instance, OutboxMessage
from engine.work_items import may_read_instance
from engine.work_items.rights import readable_by
from processes.kernel import known_addresses
from processes.kernel.references import ScopedRecords
from processes.messaging.models import (
    CHANNELS,
    ReceivedMail,
    SentMessage,
    SmsCampaign,
    SmsQuota,
    SmsReceived,
    SmsRecipient,
)
from processes.organization.permissions import led_by

READ_ALL = "messaging.message.read"
SEND_SMS = "messaging.sms.send"
SEND_MAIL = "messaging.mail.send"
LOOK_AFTER = "messaging.wire.manage"

RECEIVED_MAIL = "messaging.received_mail"
"""The record type of a mail that came in: its files hang on it."""
READ_QUOTAS = "messaging.quota.read"
MANAGE_QUOTAS = "messaging.quota.manage"
SEND_BULK = "messaging.bulk.send"
READ_BULK = "messaging.bulk.read"
MANAGE_BULK = "messaging.bulk.manage"
MANAGE_CONSENTS = "messaging.consent.manage"

SEND = {"sms": SEND_SMS, "mail": SEND_MAIL}
"""channel -> the right to send by it"""
CAMPAIGN = "messaging.campaign"
"""The record type of what was sent to many."""
Message = SentMessage | OutboxMessage

EMPLOYEE = "organization.employee"
"""The record type of whoever a message from a template is written to."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """What one wrote and what one was sent; with the right, everybody's messages."""
    if actor.may(READ_ALL):
        return SentMessage.channel.in_(CHANNELS)
    to_me = and_(SentMessage.record_type == EMPLOYEE, SentMessage.record_id == actor.person_id)
    return and_(SentMessage.channel.in_(CHANNELS), or_(SentMessage.created_by == actor.person_id, to_me))


def received_by(actor: Actor) -> ColumnElement[bool]:
    """Answers to what one wrote or was sent, and to what one's own requests sent; with the right, every mail."""
    if actor.may(READ_ALL):
        return true()
    mine = select(Instance.id).where(Instance.starter_id == actor.person_id)
    answers = select(SentMessage.id).where(visible_to(actor))
    return or_(ReceivedMail.outbox_id.in_(answers), ReceivedMail.instance_id.in_(mine))


def may_read_received(session: Session, actor: Actor, mail_id: int) -> bool:
    """As `received_by`, and whoever may read the process it answers: it is shown there. A letter nobody asked for is
    read by those who see its sender's address whole with a record they may read: the original bears it.
    """
    if session.scalar(select(ReceivedMail.id).where(ReceivedMail.id == mail_id, received_by(actor))) is not None:
        return True
    mail = session.get(ReceivedMail, mail_id)
    if mail is None:
        return False
    if mail.instance_id is not None:
        return may_read_instance(session, actor, mail.instance_id)
    return unasked_from(mail) is not None and bool(_seen(session, actor, [mail]))


def unasked_from(mail: ReceivedMail) -> tuple[str, int] | None:
    """The record it is laid to because its sender has that address; None of what answers a mail of ours."""
    if mail.outbox_id is not None or mail.record_type is None or mail.record_id is None:
        return None
    return mail.record_type, mail.record_id


def addresses_open(session: Session, actor: Actor, mails: Iterable[ReceivedMail]) -> set[int]:
    """Ids of those of these mails whose addresses the actor sees whole: he wrote to them himself, or sees them with the
    record they are laid to, or may read all.
    """
    known = list(mails)
    if actor.may(READ_ALL):
        return {mail.id for mail in known}
    answered = {mail.outbox_id for mail in known if mail.outbox_id is not None}
    mine = select(SentMessage.id).where(SentMessage.id.in_(answered), SentMessage.created_by == actor.person_id)
    wrote = set(session.scalars(mine)) if answered else set()
    return _seen(session, actor, known) | {mail.id for mail in known if mail.outbox_id in wrote}


def _seen(session: Session, actor: Actor, mails: Iterable[ReceivedMail]) -> set[int]:
    """Ids of the letters nobody asked for whose senders' addresses the actor sees whole where they are kept."""
    unasked = [mail for mail in mails if unasked_from(mail) is not None]
    seen = known_addresses.find(session, actor, "mail", [mail.sender for mail in unasked]) if unasked else {}
    return {mail.id for mail in unasked if seen[mail.sender.casefold()]}


def _title(session: Session, mail_id: int) -> str:
    return str(session.get(ReceivedMail, mail_id) or "")


CATALOG.records[RECEIVED_MAIL] = RecordKind(may_read_received, _title)


def received_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Answers to what one may see; with the right, everything that came in."""
    if actor.may(READ_ALL):
        return true()
    return SmsReceived.answers_id.in_(select(SentMessage.id).where(visible_to(actor)))


def may_see_sender(actor: Actor, answered: SentMessage | None) -> bool:
    """Whose number it is knows whoever wrote to it by hand, and whoever it is."""
    return actor.may(READ_ALL) or (answered is not None and sees_address(actor, answered))


def sees_address(actor: Actor, message: Message) -> bool:
    """Whether the actor sees whole where a message goes: to himself, to what he has typed, or with the right anywhere.

    A campaign's numbers may be those of colleagues: its own page says which (`sees_recipient`).
    """
    if actor.may(READ_ALL):
        return True
    if message.record_type == EMPLOYEE:
        return message.record_id == actor.person_id
    return message.created_by == actor.person_id and message.record_type != CAMPAIGN


def may_take_back(actor: Actor, message: Message) -> bool:
    """Cancel or move what waits: whoever wrote it, or may send and read everything."""
    return message.created_by == actor.person_id or (actor.may(READ_ALL) and actor.may(SEND.get(message.channel, "")))


def may_send_again(actor: Actor, message: Message) -> bool:
    return actor.may(SEND.get(message.channel, "")) and may_take_back(actor, message)


def visible_quotas(actor: Actor) -> ColumnElement[bool]:
    """A department's head sees its quotas and those below."""
    if actor.may(READ_QUOTAS) or actor.may(MANAGE_QUOTAS):
        return true()
    return led_by(actor, SmsQuota.department_id)


def visible_campaigns(actor: Actor) -> ColumnElement[bool]:
    """One's own and those whose approval one may read; with the right, all."""
    if actor.may(READ_BULK) or actor.may(MANAGE_BULK):
        return true()
    mine = SmsCampaign.author_id == actor.person_id
    return or_(mine, SmsCampaign.instance_id.in_(select(Instance.id).where(readable_by(actor))))


def may_change_campaign(actor: Actor, campaign: SmsCampaign) -> bool:
    return campaign.author_id == actor.person_id or actor.may(MANAGE_BULK)


def sees_recipient(actor: Actor, campaign: SmsCampaign, recipient: SmsRecipient) -> bool:
    """Numbers one has typed oneself are no secret; those of colleagues and of other people's lists are."""
    return actor.may(READ_ALL) or (campaign.author_id == actor.person_id and recipient.record_type != EMPLOYEE)


def visible_consents(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.may(MANAGE_CONSENTS) else false()


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not do this; ask an administrator for the right “{permission}”.", permission=permission)
        )


reference("messaging.campaign", ScopedRecords(SmsCampaign.id, SmsCampaign.title, visible_campaigns))
