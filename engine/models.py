"""Every table of the engine. The database is the truth; brokers and caches are hints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json

# ------------------------------------------------------------------------------------------------- definitions


class Definition(Base):
    """One deployed version of a process; never changed once deployed."""

    __tablename__ = "process_definition"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200))
    package: Mapped[str] = mapped_column(String(60), default="")
    state: Mapped[str] = mapped_column(String(12), default="active")
    """active (the version new starts take) | superseded | retired"""
    sha256: Mapped[str] = mapped_column(String(64))
    """of all files together; the same content is not deployed twice in a row"""
    deployed_at: Mapped[datetime]
    deployed_by: Mapped[int] = mapped_column(Id)

    files: Mapped[list[DefinitionFile]] = relationship(order_by="DefinitionFile.name", lazy="select")


class DefinitionFile(Base):
    """A file pinned with its definition: the diagram, its decision tables, its forms."""

    __tablename__ = "process_definition_file"
    __table_args__ = (UniqueConstraint("definition_id", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    """e.g. expense_request.bpmn, limits.dmn, expense_request.form.json"""
    content: Mapped[str] = mapped_column(Text)


class DefinitionDraft(Base):
    """What a designer is working on; not runnable until deployed."""

    __tablename__ = "process_definition_draft"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    """the ETag: a save must name the revision it started from"""
    name: Mapped[str] = mapped_column(String(200))
    files: Mapped[dict[str, Any]] = mapped_column(Json)
    """{file name: text}"""
    changed_at: Mapped[datetime]
    changed_by: Mapped[int] = mapped_column(Id)
    changed_by_name: Mapped[str] = mapped_column(String(100))


# ------------------------------------------------------------------------------------------------- instances


class Instance(Base):
    """One running or ended process. `snapshot` is the engine's own state; everything people ask for is in columns."""

    __tablename__ = "process_instance"
    __table_args__ = (
        Index("ix_process_instance_starter", "starter_id", "id"),
        Index("ix_process_instance_definition", "definition_id", "id"),
        Index("ix_process_instance_state", "state", "id"),
        Index("ix_process_instance_business_key", "business_key"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    definition_key: Mapped[str] = mapped_column(String(100))
    rev: Mapped[int] = mapped_column(Integer, default=1)
    """raised by every step; a step that read an older one lost"""
    state: Mapped[str] = mapped_column(String(12))
    """draft | running | suspended | completed | rejected | withdrawn | terminated | void | failed"""
    title: Mapped[str] = mapped_column(String(300))
    business_key: Mapped[str | None] = mapped_column(String(120))
    """e.g. "spending.expense_request:17": the record this process is about"""
    starter_id: Mapped[int] = mapped_column(Id)
    starter_name: Mapped[str] = mapped_column(String(100))
    summary: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """what lists show beside the title: {"amount": {"amount": "12.00", "currency": "CNY"}, "number": "…"}"""
    snapshot: Mapped[bytes | None] = mapped_column(LargeBinary)
    snapshot_format: Mapped[int] = mapped_column(SmallInteger, default=1)
    log_seq: Mapped[int] = mapped_column(Integer, default=0)
    log_hash: Mapped[str] = mapped_column(String(64), default="")
    """head of the hash chain of instance_log"""
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class WorkItem(Base):
    """One person's (or one pool's) part of a user task. A token may have several: signers of one node."""

    __tablename__ = "work_item"
    __table_args__ = (
        UniqueConstraint("instance_id", "token", "sequence"),
        Index("ix_work_item_done_by", "done_by", "done_at"),
        Index("ix_work_item_open_due", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token: Mapped[int] = mapped_column(Integer)
    sequence: Mapped[int] = mapped_column(SmallInteger, default=0)
    node: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12), default="open")
    """waiting | open | delegated | approving | done | returned | cancelled | auto | expired"""
    outcome: Mapped[str] = mapped_column(String(12), default="none")
    """approve | reject | return | abstain | submit | none"""
    assignee_id: Mapped[int | None] = mapped_column(Id)
    """the one person it lies with; null while it lies in a pool"""
    candidates: Mapped[list[Any]] = mapped_column(Json, default=list)
    """principals of the pool: person ids and (negative) group principals"""
    reason: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """why it reached them: {"rule": "superior", "detail": "…"}"""
    on_behalf_of: Mapped[int | None] = mapped_column(Id)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(Id)
    done_by_name: Mapped[str] = mapped_column(String(100), default="")
    opinion: Mapped[str] = mapped_column(Text, default="")


class InboxEntry(Base):
    """Open items only, by principal: the one list everybody looks at all day."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_item", "item_id"), {"sqlite_with_rowid": False})

    principal: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)


class Copy(Base):
    """A carbon copy (抄送) of an instance to a person."""

    __tablename__ = "process_copy"
    __table_args__ = (
        UniqueConstraint("instance_id", "person_id"),
        Index("ix_process_copy_person", "person_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    person_id: Mapped[int] = mapped_column(Id)
    sent_by: Mapped[int] = mapped_column(Id)
    sent_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Participant(Base):
    """Who has taken part and may therefore read exactly this instance."""

    __tablename__ = "process_participant"
    __table_args__ = ({"sqlite_with_rowid": False},)

    person_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(
        ForeignKey("process_instance.id"),
        primary_key=True,
        autoincrement=False,
        index=True,
    )


class FormData(Base):
    """What people filled in, one row per submission; the newest revision is the form's present value."""

    __tablename__ = "form_data"

    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    node: Mapped[str] = mapped_column(String(120))
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    saved_by: Mapped[int] = mapped_column(Id)
    saved_at: Mapped[datetime]


# ------------------------------------------------------------------------------------------------- waiting


class Timer(Base):
    """A moment some token waits for."""

    __tablename__ = "timer"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"),
        Index("ix_timer_due_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(String(120))
    due_at: Mapped[datetime]
    catch_up: Mapped[str] = mapped_column(String(6), default="once")
    """once | all | skip: what a late repeating timer does"""


class StartTimer(Base):
    """A moment at which a process starts by itself: the timer start event of the version that new starts take."""

    __tablename__ = "start_timer"
    __table_args__ = (UniqueConstraint("definition_id", "node"), Index("ix_start_timer_due_at", "due_at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    node: Mapped[str] = mapped_column(String(120))
    due_at: Mapped[datetime]
    repeats: Mapped[int] = mapped_column(Integer, default=0)
    """how often it comes again after this; -1 for ever"""
    every: Mapped[str] = mapped_column(String(40), default="")


class MessageWait(Base):
    """A token that waits for a message or a signal from outside its instance."""

    __tablename__ = "message_wait"
    __table_args__ = (
        UniqueConstraint("instance_id", "token", "name"),
        Index("ix_message_wait_name_key", "kind", "name", "business_key"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(8))
    """message | signal"""
    name: Mapped[str] = mapped_column(String(120))
    business_key: Mapped[str | None] = mapped_column(String(120))


class Message(Base):
    """A message that arrived: matched to a token, or kept until someone waits for it or it expires."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("name", "business_key", "message_id"),
        Index("ix_message_state", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), default="message")
    """message (one receiver) | signal (everybody who waits now)"""
    name: Mapped[str] = mapped_column(String(120))
    business_key: Mapped[str] = mapped_column(String(120), default="")
    message_id: Mapped[str] = mapped_column(String(120))
    variables: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    """waiting | matched | expired"""
    instance_id: Mapped[int | None] = mapped_column(Id)
    received_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Incident(Base):
    """A node that failed for a reason the diagram does not foresee; the rest of the instance lives on."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"),
        Index("ix_incident_state", "state", "retry_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(String(120))
    cause: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[str] = mapped_column(String(10), default="open")
    """open (a person must look) | retrying (at retry_at) | resolved"""
    retry_at: Mapped[datetime | None]
    raised_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(Id)


# ------------------------------------------------------------------------------------------------- leaving the house


class OutboxMessage(Base):
    """An effect outside: written with the change that causes it, delivered after the commit, under a lease."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_outbox_ready", "state", "channel", "available_at"),
        Index("ix_outbox_instance", "instance_id"),
        Index("ix_outbox_record", "record_type", "record_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    """sms | mail | …: which connector handler delivers it"""
    key: Mapped[str] = mapped_column(String(200))
    """natural key, e.g. "sms:expense_approved:instance:17:13800138000": do twice = do once"""
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    """queued | sending | sent | delivered | failed | unknown | cancelled"""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    available_at: Mapped[datetime]
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(Integer, default=0)
    """raised by each lease; a result that carries an older one is refused"""
    attempt_started_at: Mapped[datetime | None]
    """committed before the wire is touched; a lease that expires after it means: unknown"""
    sent_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    last_error: Mapped[str] = mapped_column(Text, default="")
    instance_id: Mapped[int | None] = mapped_column(Id)
    token: Mapped[int | None] = mapped_column(Integer)
    """set when a token waits for the result (a connector task)"""
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(Id, default=0)


class PushEvent(Base):
    """A hint for a browser, written inside the business transaction; purged after an hour."""

    __tablename__ = "push_event"
    __table_args__ = (Index("ix_push_event_at", "at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    principal: Mapped[int] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]


class Lease(Base):
    """Who holds a single-holder duty (a device, the timer poll) and until when."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]
    fence: Mapped[int] = mapped_column(Integer, default=1)


class WireHealth(Base):
    """What a connector said of itself last; written by the process that holds it."""

    __tablename__ = "wire_health"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    """up | degraded | down"""
    reason: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime]


class IdempotencyKey(Base):
    """The remembered answer to a POST, so that a repeat gives the same answer and does nothing."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_at", "at"),)

    person_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]


# ------------------------------------------------------------------------------------------------- traces


class InstanceLog(Base):
    """Who did what in a process; append-only, hash-chained per instance. The engine never reads it to decide."""

    __tablename__ = "instance_log"
    __table_args__ = ({"sqlite_with_rowid": False},)

    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)
    actor_name: Mapped[str] = mapped_column(String(100))
    on_behalf_of: Mapped[int | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(30))
    """start | approve | reject | return | … | timer | service | incident | end"""
    node: Mapped[str] = mapped_column(String(120), default="")
    token: Mapped[int | None] = mapped_column(Integer)
    item_id: Mapped[int | None] = mapped_column(Id)
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """{"opinion", "changes", "path": [[node, "entered"|"left"|"cancelled"], …], …}"""
    hash: Mapped[str] = mapped_column(String(64))


class RecordAudit(Base):
    """Changes of business records; append-only, hash-chained per record."""

    __tablename__ = "record_audit"
    __table_args__ = (
        UniqueConstraint("record_type", "record_id", "seq"),
        Index("ix_record_audit_at", "at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    record_type: Mapped[str] = mapped_column(String(60))
    record_id: Mapped[int] = mapped_column(Id)
    seq: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)
    actor_name: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(40))
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)
    hash: Mapped[str] = mapped_column(String(64))


class Attachment(Base):
    """A file hung on a record or an instance; the bytes lie in the data folder under their hash."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_record", "record_type", "record_id"),
        Index("ix_attachment_sha256", "sha256"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    """null until the form it was uploaded for is submitted; strays are swept after a day"""
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(Id)
    sha256: Mapped[str] = mapped_column(String(64))
    uploaded_by: Mapped[int] = mapped_column(Id)
    uploaded_at: Mapped[datetime]


class SearchToken(Base):
    """Bigrams, pinyin and pinyin initials of what a record is called."""

    __tablename__ = "search_token"
    __table_args__ = (
        Index("ix_search_token_record", "record_type", "record_id"),
        {"sqlite_with_rowid": False},
    )

    token: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_type: Mapped[str] = mapped_column(String(60), primary_key=True)
    record_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
