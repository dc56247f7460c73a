"""What stays: logs, files, words to find things by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


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
    """Bigrams, pinyin and pinyin initials of what a record is called (processes/lookup)."""

    __tablename__ = "search_token"
    __table_args__ = (
        Index("ix_search_token_record", "record_type", "record_id"),
        {"sqlite_with_rowid": False},
    )

    record_type: Mapped[str] = mapped_column(String(60), primary_key=True)
    token: Mapped[str] = mapped_column(
        String(40).with_variant(String(40, collation="C"), "postgresql"), primary_key=True
    )
    """compared byte by byte on both databases: of one type, what begins with a text is a stretch of the key"""
    record_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
