"""Comments and every version of their text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id
from processes.kernel.columns import append_only


class Comment(Base):
    """One contribution to the talk about a record, as it reads now."""

    __tablename__ = "comment"
    __table_args__ = (
        UniqueConstraint("author_id", "submission"),
        Index("ix_comment_record", "record_type", "record_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    record_type: Mapped[str] = mapped_column(String(60))
    record_id: Mapped[int] = mapped_column(Id)
    author_id: Mapped[int] = mapped_column(Id)
    author_name: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    """as written, with "@[17]" where person 17 is mentioned"""
    mentions: Mapped[list[Any]] = mapped_column(default=list)
    """the persons its marks name, each once"""
    reply_to: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    revision: Mapped[int] = mapped_column(Integer, default=1)
    """number of its versions; an edit names the one it started from"""
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    voided_by: Mapped[int | None] = mapped_column(Id)
    void_reason: Mapped[str] = mapped_column(String(500), default="")
    submission: Mapped[str | None] = mapped_column(String(80))
    """names the wish to comment: the same again is the same comment"""


@append_only
class CommentVersion(Base):
    """The text as it was from some moment on."""

    __tablename__ = "comment_version"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
