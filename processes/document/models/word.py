"""Word templates with all their versions, and the documents that were made from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json
from engine.models import Attachment
from processes.kernel.columns import Stamped, append_only

QUEUED, SENT, FAILED = "queued", "sent", "failed"


class WordTemplate(Stamped, Base):
    """A paper the company uses again and again (范本), by its newest version."""

    __tablename__ = "word_template"
    __table_args__ = (UniqueConstraint("code"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    """what diagrams and other systems name it by"""
    title: Mapped[str] = mapped_column(String(100))
    number: Mapped[int] = mapped_column(Integer, default=0)
    """of its newest version"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    def __str__(self) -> str:
        return self.title


@append_only
class WordTemplateVersion(Base):
    """A template as it was uploaded; never changed, for documents were made from it."""

    __tablename__ = "word_template_version"
    __table_args__ = (UniqueConstraint("template_id", "number"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("word_template.id"))
    number: Mapped[int] = mapped_column(Integer)
    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id"))
    fields: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """[{"name", "kind", "required", "fields"}]: what its data must have"""
    uploaded_by: Mapped[int] = mapped_column(Id)
    uploaded_at: Mapped[datetime]

    template: Mapped[WordTemplate] = relationship()
    attachment: Mapped[Attachment] = relationship()


class WordDocument(Stamped, Base):
    """A document that was made: the Word file at once, its PDF soon after."""

    __tablename__ = "word_document"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_word_document_record", "record_type", "record_id"),
        Index("ix_word_document_created_by", "created_by", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(200))
    """names the wish that made it: the same again is the same document"""
    name: Mapped[str] = mapped_column(String(120))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("word_template_version.id"))
    """null: a print of a process, which has no template"""
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """what it was filled with"""
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    """what it is about"""
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"), index=True)
    """the process that made it by itself"""
    docx_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    pdf_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    pages: Mapped[int] = mapped_column(Integer, default=0)
    """of the PDF"""
    state: Mapped[str] = mapped_column(String(10), default=QUEUED)
    """queued (the PDF is being made) | sent (done, with or without one) | failed"""
    reason: Mapped[str] = mapped_column(String(40), default="")
    """why there is no PDF: no_office | timeout | failed | no_pages | refused | lost"""

    template_version: Mapped[WordTemplateVersion | None] = relationship()
    docx: Mapped[Attachment | None] = relationship(foreign_keys=[docx_id])
    pdf: Mapped[Attachment | None] = relationship(foreign_keys=[pdf_id])

    @property
    def template_title(self) -> str:
        """What it was made from; "" for a print."""
        return self.template_version.template.title if self.template_version is not None else ""

    def __str__(self) -> str:
        return self.name
