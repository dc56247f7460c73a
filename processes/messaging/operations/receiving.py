"""Takes in what people send us: parts put together, wishes for no more texts heeded, the rest given to processes."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connectors.sms import pdu as codec
from connectors.sms.reassembly import PATIENCE, Message, Reassembly
from engine import clock, events, runtime
from engine.actor import SYSTEM
from engine.errors import RuleViolation
from engine.models import OutboxMessage
from engine.runtime.host import StaleInstance
from processes.kernel import known_numbers, phone_number
from processes.messaging.models import SmsPart, SmsReceived
from processes.messaging.operations.opting_out import opt_out
from processes.messaging.rules import wants_out

logger = logging.getLogger(__name__)

RECEIVED = "messaging.sms_received"
"""Published with `message` (an SmsReceived) before processes see it. Whoever knows what it is for sets `message.kind`;
one that stays "new" is an ordinary answer and goes to the processes as the message of the same name."""

ANSWERED_WITHIN = timedelta(days=7)
"""A text from a number is taken as the answer to what was sent there this recently."""
TRIED_FOR = timedelta(hours=24)
"""How long something that could not be handled when it came is tried again."""
PARTS_KEPT = timedelta(days=90)
"""Parts of messages that are whole: as long as a modem could still show one of them again."""
BATCH = 100

_LONGEST_SENDER = 40
_NOT_STORED = re.compile("[\0\ud800-\udfff]")
"""What no database takes: NUL, and halves of characters where a provider has cut one in two."""


# ------------------------------------------------------------------------------------------------- parts


def receive_part(session: Session, *, pdu: str, road: str) -> SmsReceived | None:
    """Keep one received part; the message when it is whole. The same part again changes nothing."""
    part = codec.decode(pdu)
    assert isinstance(part, codec.Deliver)
    digest, now = _digest(pdu), clock.now()
    concat = part.concat
    if concat is None:
        whole = Message(part.sender, part.text, part.sent_at)
        return _take(session, whole, road=road, external_id=digest)
    waiting = _waiting(session, part.sender, concat)
    if any(other.position == concat.index and other.digest != digest for other in waiting):
        # References come round again: what waits is of an older message, whose other parts will not come any more.
        _put_together(session, waiting)
    kept = _insert(
        session,
        SmsPart,
        ["digest"],
        road=road,
        digest=digest,
        pdu=pdu,
        sender=_sender(part.sender),
        ref=concat.ref,
        total=concat.total,
        width=concat.width,
        position=concat.index,
        received_at=now,
    )
    if kept is None:
        return None
    waiting = _waiting(session, part.sender, concat)
    return _put_together(session, waiting) if len(waiting) == concat.total else None


def keep_unreadable(session: Session, *, pdu: str, road: str) -> SmsReceived | None:
    """What nobody can decode is kept as it came, for a person to see."""
    whole = Message("", pdu, None)
    return _take(session, whole, road=road, external_id=_digest(pdu), kind="unreadable")


def _waiting(session: Session, sender: str, concat: codec.Concat) -> Sequence[SmsPart]:
    """The parts of one message so far, held: two modems, or a modem and the clock, do not both make it whole."""
    of_message = select(SmsPart).where(
        SmsPart.message_id.is_(None),
        SmsPart.sender == _sender(sender),
        SmsPart.ref == concat.ref,
        SmsPart.total == concat.total,
        SmsPart.width == concat.width,
    )
    return session.scalars(of_message.order_by(SmsPart.id).with_for_update()).all()


def _put_together(session: Session, parts: Sequence[SmsPart]) -> SmsReceived | None:
    """The message out of what is there of it, gaps marked, by the rules of connectors.sms.reassembly."""
    book, whole = Reassembly(timedelta(0)), None
    for part in parts:
        content = codec.decode(part.pdu)
        assert isinstance(content, codec.Deliver)
        whole = book.add(replace(content, sender=part.sender), part.received_at) or whole
    if whole is None:
        (whole,) = book.overdue(clock.now())
    first = min(parts, key=lambda part: part.position)
    message = _take(session, whole, road=first.road, external_id=first.digest)
    found = message.id if message is not None else _known(session, first.road, first.digest)
    session.execute(update(SmsPart).where(SmsPart.id.in_([part.id for part in parts])).values(message_id=found))
    return message


def _known(session: Session, road: str, external_id: str) -> int:
    known = select(SmsReceived.id).where(SmsReceived.road == road, SmsReceived.external_id == external_id)
    return session.scalars(known).one()


def overdue(session: Session) -> list[int]:
    """Ids of waiting parts, one of each message whose first part has waited long enough."""
    late = (
        select(SmsPart.id)
        .where(SmsPart.message_id.is_(None), SmsPart.received_at <= clock.now() - PATIENCE)
        .order_by(SmsPart.id)
        .limit(BATCH)
    )
    return list(session.scalars(late))


def give_out_overdue(session: Session, part_id: int) -> bool:
    """Give out the message of this part with 〔缺第n段〕 where something never came; False when it is out already."""
    part = session.get(SmsPart, part_id)
    if part is None or part.message_id is not None:
        return False
    waiting = _waiting(session, part.sender, codec.Concat(part.ref, part.total, part.position, part.width))
    if part_id not in {one.id for one in waiting}:
        return False
    _put_together(session, waiting)
    return True


def forget_parts(session: Session) -> None:
    old = SmsPart.received_at < clock.now() - PARTS_KEPT
    session.execute(delete(SmsPart).where(SmsPart.message_id.is_not(None), old))


# ------------------------------------------------------------------------------------------------- messages


def receive_message(
    session: Session, *, sender: str, text: str, road: str, external_id: str, at: datetime | None = None
) -> SmsReceived | None:
    """Take in a whole message, from roads that deliver such; None when this (road, external_id) is known already.

    at: when it was sent, as far as the road says.
    """
    return _take(session, Message(sender, text, at), road=road, external_id=external_id)


def _take(session: Session, whole: Message, *, road: str, external_id: str, kind: str = "new") -> SmsReceived | None:
    sender = _sender(whole.sender)
    made = _insert(
        session,
        SmsReceived,
        ["road", "external_id"],
        road=road,
        external_id=external_id,
        sender=sender,
        text=_NOT_STORED.sub("\ufffd", whole.text),
        sent_at=whole.sent_at,
        received_at=clock.now(),
        missing=list(whole.missing),
        kind=kind,
        answers_id=_answered(session, sender) if kind == "new" else None,
    )
    if made is None:
        return None
    message = session.get_one(SmsReceived, made)
    if kind == "new":
        handle(session, message)
    return message


def _answered(session: Session, sender: str) -> int | None:
    """Our newest message to this number."""
    lately = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.channel == "sms",
            OutboxMessage.state.in_(("sent", "delivered", "unknown")),
            OutboxMessage.available_at >= clock.now() - ANSWERED_WITHIN,
            OutboxMessage.payload["to"].as_string() == sender,
        )
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    )
    return session.scalar(lately)


# ------------------------------------------------------------------------------------------------- what it is for


def handle(session: Session, message: SmsReceived) -> None:
    """Find out what a message is for. What goes wrong here leaves it stored, and is tried again by the clock."""
    if wants_out(message.text):
        # Before anybody else sees it: whoever wants no more texts is not answered, and no process goes on with it.
        opt_out(session, message.sender[:20], how="reply", words=message.text.strip())
        message.kind = "opt_out"
        session.flush()
        return
    try:
        with session.begin_nested():
            events.publish(session, RECEIVED, message=message)
            if message.kind == "new":
                _give_to_processes(session, message)
                message.kind = "answer"
            session.flush()
    except StaleInstance:
        raise
    except Exception:
        logger.exception("sms.not_handled", extra={"received_id": message.id})
        session.refresh(message)


def _give_to_processes(session: Session, message: SmsReceived) -> None:
    """The message `messaging.sms_received`; its key is the sender's number, so that a process may wait for just it."""
    known = known_numbers.find(session, message.sender)
    answered = session.get(OutboxMessage, message.answers_id) if message.answers_id is not None else None
    runtime.publish(
        session,
        name=RECEIVED,
        message_id=f"sms_received:{message.id}",
        business_key=message.sender,
        variables={
            "id": message.id,
            "from": message.sender,
            "text": message.text,
            "received_at": message.received_at.isoformat(),
            "complete": not message.missing,
            "known": [{"record_type": one.record_type, "record_id": one.record_id, "name": one.name} for one in known],
            "answers": message.answers_id,
            "answers_instance": answered.instance_id if answered is not None else None,
        },
        actor=SYSTEM,
    )


def unhandled(session: Session) -> list[int]:
    """What could not be handled when it came."""
    since = clock.now() - TRIED_FOR
    wanted = select(SmsReceived.id).where(SmsReceived.kind == "new", SmsReceived.received_at >= since)
    return list(session.scalars(wanted.order_by(SmsReceived.id).limit(BATCH)))


def handle_again(session: Session, message_id: int) -> bool:
    held = select(SmsReceived).where(SmsReceived.id == message_id, SmsReceived.kind == "new")
    message = session.scalars(held.with_for_update(skip_locked=True)).first()
    if message is None:
        return False
    handle(session, message)
    return message.kind != "new"


# ------------------------------------------------------------------------------------------------- small things


def _digest(pdu: str) -> str:
    return hashlib.sha256(pdu.strip().upper().encode()).hexdigest()


def _sender(number: str) -> str:
    """E.164 where it is a number one can call back; service numbers and names as they are."""
    try:
        return phone_number.parse(number)
    except RuleViolation:
        return "".join(sign for sign in number if sign.isprintable())[:_LONGEST_SENDER]


def _insert(session: Session, model: type[SmsPart | SmsReceived], key: list[str], **values: object) -> int | None:
    """The new row's id; None when its key is there already."""
    insert = (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(model)
    return session.scalar(insert.values(values).on_conflict_do_nothing(index_elements=key).returning(model.id))
