"""Mails that come in: kept as they came first, then read, laid to what they answer, and told to whoever waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connectors.mail import invitation, quoting, reading
from connectors.mail.reading import InMail
from engine import attachments, clock, events, queue, runtime
from engine.actor import SYSTEM
from engine.db import after_commit
from engine.errors import RuleViolation
from engine.models import Attachment, Instance, OutboxMessage
from processes.kernel import known_addresses
from processes.messaging import permissions
from processes.messaging.models import MailboxCursor, ReceivedMail
from processes.messaging.models.received_mail import (
    LONGEST_ADDRESS,
    LONGEST_BOX,
    LONGEST_ID,
    LONGEST_PERSON,
)
from processes.messaging.operations import about, answered, inviting, reports
from processes.messaging.operations.about import Record

SORT_JOB = "messaging.sort_mail"
MAIL = "mail"

RECEIVED = "messaging.mail_received"
"""A letter of a person has come in: the event for packages (`mail`, the ReceivedMail; `message`, our OutboxMessage that
it answers, or None), and the message a process may wait for when it has sent what is answered."""

OPEN = ("new", "laid")
"""States in which something is still to be done about it."""
MOST_ATTEMPTS = 5
PAUSE = timedelta(minutes=1)
"""Between attempts to sort one; each further one waits twice as long."""
STILL_SENDING = timedelta(seconds=5)
LONGEST_TEXT = 200_000
LONGEST_WORDS = 4_000
"""Of the text as a process gets it: its new words."""
LONGEST_FILE_NAME = 200


# ------------------------------------------------------------------------------------------------- keeping


def cursor(session: Session, box: str) -> tuple[int, int]:
    """(UIDVALIDITY, UID) of the last mail that was kept and put away; (0, 0) of a mailbox new to us."""
    row = session.get(MailboxCursor, box[:LONGEST_BOX], populate_existing=True)
    return (row.uid_validity, row.uid) if row is not None else (0, 0)


def advance(session: Session, box: str, uid_validity: int, uid: int) -> None:
    """This mail and all before it are kept."""
    values = {"uid_validity": uid_validity, "uid": uid, "at": clock.now()}
    statement = _insert(session, MailboxCursor).values(box=box[:LONGEST_BOX], **values)
    session.execute(statement.on_conflict_do_update(index_elements=["box"], set_=values))


def keep(
    session: Session,
    *,
    box: str,
    uid_validity: int,
    uid: int,
    raw: bytes,
    size: int,
    whole: bool = True,
    readable: bool = True,
) -> int | None:
    """Store a mail's bytes and what its header says; None when it is here already, by whatever way it came.

    readable: False stores the bytes alone, of a mail whose words no database takes.
    """
    mail = reading.read(raw) if readable else reading.UNREADABLE
    now = clock.now()
    values = {
        "fingerprint": reading.fingerprint(raw, mail.message_id),
        "box": box[:LONGEST_BOX],
        "uid_validity": uid_validity,
        "uid": uid,
        "size": size,
        "whole": whole,
        "message_id": mail.message_id[:LONGEST_ID],
        "references": list(dict.fromkeys((*mail.references, *mail.in_reply_to))),
        "sender": mail.sender.address[:LONGEST_ADDRESS],
        "sender_name": mail.sender.name[:LONGEST_PERSON],
        "recipients": [one.address for one in (*mail.to, *mail.cc)],
        "subject": mail.subject,
        "text": mail.text[:LONGEST_TEXT],
        "has_html": bool(mail.html),
        "sent_at": mail.at,
        "received_at": now,
        "kind": _kind_of(mail),
        "automatic": mail.automatic,
        "state": "new",
        "attempts": 0,
        "next_at": now,
        "last_error": "",
        "from_recipient": False,
        "refused_files": [],
    }
    new = session.scalar(
        _insert(session, ReceivedMail)
        .values(values)
        .on_conflict_do_nothing(index_elements=["fingerprint"])
        .returning(ReceivedMail.id)
    )
    if new is None:
        return None
    row = session.get_one(ReceivedMail, new)
    file = attachments.scratch()
    file.write_bytes(raw)
    row.raw_id = attachments.adopt(
        session,
        SYSTEM,
        f"{_file_name(mail.subject) or 'mail'}.eml",
        file,
        media_type="message/rfc822",
        record_type=permissions.RECEIVED_MAIL,
        record_id=row.id,
    ).id
    session.flush()
    after_commit(session, lambda: queue.wake(SORT_JOB))
    return row.id


def _kind_of(mail: InMail) -> str:
    if mail.report is not None:
        return "report"
    if "\nMETHOD:REPLY" in mail.calendar:
        return "calendar"
    return "automatic" if mail.automatic else "letter"


def _insert(session: Session, model: Any) -> Any:
    return (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(model)


# ------------------------------------------------------------------------------------------------- sorting


def unsorted(session: Session, limit: int) -> list[int]:
    """Ids of the mails that wait to be sorted, oldest first."""
    waiting = select(ReceivedMail.id).where(ReceivedMail.state.in_(OPEN), ReceivedMail.next_at <= clock.now())
    return list(session.scalars(waiting.order_by(ReceivedMail.id).limit(limit)))


def lay(session: Session, mail_id: int) -> bool:
    """Lay one mail to what it answers and keep its files. False: done already, somebody is at it, or it must wait."""
    row = _take(session, mail_id, "new")
    if row is None:
        return False
    mail = reading.read(raw_of(session, row))
    report = mail.report
    message = reports.message_of(session, report) if report is not None else answered.find(session, mail.marks)
    if message is not None and message.state == "sending":
        row.next_at = clock.now() + STILL_SENDING  # its road has not written down yet what the server said
        return False
    if message is not None:
        _join(row, message)
        if report is not None:
            reports.note(session, report, message)
        else:
            answered.arrived(message)
    elif row.kind == "letter":
        row.record_type, row.record_id = _of_sender(session, row) or (None, None)
    if row.kind == "calendar":
        _note_answers(session, row, mail)
    if report is None:
        _keep_files(session, row, mail)
    row.state, row.last_error = "laid" if row.kind == "letter" else "sorted", ""
    session.flush()
    return True


def tell(session: Session, mail_id: int) -> bool:
    """Tell who waits for a letter. In a step of its own: who stumbles over it must not hide what has come in."""
    row = _take(session, mail_id, "laid")
    if row is None:
        return False
    message = session.get(OutboxMessage, row.outbox_id) if row.outbox_id is not None else None
    row.state, row.last_error = "sorted", ""
    session.flush()
    events.publish(session, RECEIVED, mail=row, message=message)
    _tell_process(session, row)
    return True


def _take(session: Session, mail_id: int, state: str) -> ReceivedMail | None:
    """Locked; None when it is not in this state any more, or somebody else is at it."""
    return session.scalars(
        select(ReceivedMail)
        .where(ReceivedMail.id == mail_id, ReceivedMail.state == state)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()


def failed(session: Session, mail_id: int, error: str) -> None:
    """Sorting it has failed: later again, and in the end left to a person, who finds it among the received ones."""
    row = session.get(ReceivedMail, mail_id, with_for_update=True, populate_existing=True)
    if row is None or row.state not in OPEN:
        return
    row.attempts += 1
    row.last_error = error[:1000]
    row.next_at = clock.now() + PAUSE * 2 ** (row.attempts - 1)
    if row.attempts >= MOST_ATTEMPTS:
        row.state = "failed"
    session.flush()


def raw_of(session: Session, row: ReceivedMail) -> bytes:
    """The mail as it came."""
    kept = session.get_one(Attachment, row.raw_id)
    return attachments.path_of(kept.sha256).read_bytes()


def _note_answers(session: Session, row: ReceivedMail, mail: InMail) -> None:
    found = inviting.note_answers(session, invitation.read_answers(mail.calendar), mail.sender.address)
    if found is not None:
        row.instance_id = found.instance_id
        row.record_type, row.record_id = found.record_type, found.record_id


def _join(row: ReceivedMail, message: OutboxMessage) -> None:
    row.outbox_id = message.id
    row.instance_id = message.instance_id
    row.record_type, row.record_id = message.record_type, message.record_id
    row.from_recipient = row.sender.lower() in answered.recipients(message)


def _of_sender(session: Session, row: ReceivedMail) -> Record | None:
    """A letter that answers nothing of ours is kept with the customer or contact who has its sender's address. Anybody
    can write any address into a letter: this lays it to them and lets nothing happen in their name.
    """
    return about.of(known_addresses.find(session, SYSTEM, "mail", [row.sender])[row.sender.casefold()])


def _keep_files(session: Session, row: ReceivedMail, mail: InMail) -> None:
    """The attachments that may lie among ours; programs and what pretends to be something else stay in the raw mail."""
    refused = []
    for file in mail.files:
        if file.cid and f"cid:{file.cid}" in mail.html:
            continue  # a picture of the text
        name = _file_name(file.name) or "attachment"
        try:
            stored = attachments.store(session, SYSTEM, name, file.content)
        except RuleViolation:
            refused.append(name)
            continue
        stored.record_type, stored.record_id = permissions.RECEIVED_MAIL, row.id
    row.refused_files = refused
    session.flush()


def files_of(session: Session, row: ReceivedMail) -> list[Attachment]:
    """Its attachments, without the mail itself."""
    kept = attachments.of_records(session, permissions.RECEIVED_MAIL, [row.id]).get(row.id, [])
    return [file for file in kept if file.id != row.raw_id]


def _file_name(name: str) -> str:
    """Short enough to be kept with its ending, without what no file name may hold."""
    whole = "".join("_" if sign in '/\\:*?"<>|' or ord(sign) < 32 else sign for sign in name).strip(". ")
    if len(whole) <= LONGEST_FILE_NAME - 4:
        return whole
    stem, dot, ending = whole.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
    return f"{whole[: LONGEST_FILE_NAME - 4 - len(ending)]}{ending}"


def _tell_process(session: Session, row: ReceivedMail) -> None:
    """The process whose mail it answers, and no other."""
    instance = session.get(Instance, row.instance_id) if row.instance_id is not None else None
    if instance is None:
        return
    runtime.publish(
        session,
        name=RECEIVED,
        message_id=f"mail:{row.id}",
        business_key=instance.business_key or "",
        instance_id=instance.id,
        variables={
            "mail": row.id,
            "message": row.outbox_id,
            "from": row.sender,
            "from_name": row.sender_name,
            "from_recipient": row.from_recipient,
            "subject": row.subject,
            "text": quoting.new_words(row.text)[:LONGEST_WORDS],
            "files": [file.id for file in files_of(session, row)],
        },
    )
