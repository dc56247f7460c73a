"""What is deployed, and what designers are working on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json


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
