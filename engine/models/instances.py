"""What runs: instances, their work items and forms, and who may see them."""

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
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


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
    people: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    """later steps' people named for this instance alone: {node id: [person id, …]}"""
    suspended_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


_LENT = text("on_behalf_of IS NOT NULL")

PENDING = ("open", "waiting", "delegated", "approving")
"""States of work items of which something is still to come: their token stands there."""


class WorkItem(Base):
    """One person's (or one pool's) part of a user task. A token may have several: signers of one node."""

    __tablename__ = "work_item"
    __table_args__ = (
        UniqueConstraint("instance_id", "token", "sequence"),
        Index("ix_work_item_parent", "parent_id"),
        Index("ix_work_item_done_by", "done_by", "done_at"),
        Index("ix_work_item_open_due", "state", "due_at"),
        Index("ix_work_item_lent", "on_behalf_of", "state", postgresql_where=_LENT, sqlite_where=_LENT),
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
    kind: Mapped[str] = mapped_column(String(8), default="sign", server_default="sign")
    """sign (decides) | consult (a side question; blocks nothing)"""
    many: Mapped[bool] = mapped_column(default=False, server_default=false())
    """its token has, or had, several items: what one of them says is counted with the others (engine.policy)"""
    weight: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    """of a vote"""
    parent_id: Mapped[int | None] = mapped_column(Id)
    """the item whose holder added this one"""
    added: Mapped[str] = mapped_column(String(8), default="", server_default=text("''"))
    """before | after | parallel: how it was added; "" = by the diagram"""
    owner_id: Mapped[int | None] = mapped_column(Id)
    """whose it was before it was first transferred; while `delegated`, to whom it comes back"""
    hops: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """how often it was transferred"""
    cause: Mapped[str] = mapped_column(String(12), default="", server_default=text("''"))
    """why it was cancelled: decided | returned | interrupted | withdrawn | terminated | removed | reclaimed | jumped"""
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
    signature: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    """sha256 of the signature's image"""
    business_at: Mapped[datetime | None]
    """when it was decided on paper, if it was entered later (补录)"""
    urged_at: Mapped[datetime | None]
    urges: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")


class InboxEntry(Base):
    """Open items only, by principal: the one list everybody looks at all day."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_item", "item_id"), {"sqlite_with_rowid": False})

    principal: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)


class Copy(Base):
    """A carbon copy (抄送) of an instance to a person, or one to be acknowledged (传阅)."""

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
    kind: Mapped[str] = mapped_column(String(9), default="cc", server_default="cc")
    """cc | circulate"""
    acknowledged_at: Mapped[datetime | None]
    token: Mapped[int | None] = mapped_column(Integer)
    """the step that waits until it is acknowledged; null = none does"""


class Follower(Base):
    """Somebody who wants to be told what happens in an instance (跟踪)."""

    __tablename__ = "process_follower"
    __table_args__ = ({"sqlite_with_rowid": False},)

    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    since: Mapped[datetime]


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
