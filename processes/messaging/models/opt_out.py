"""Who wants no more texts (退订)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id


class OptOut(Base):
    """A number that gets no more texts, until a person has lifted it again."""

    __tablename__ = "sms_opt_out"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """E.164"""
    at: Mapped[datetime]
    how: Mapped[str] = mapped_column(String(10))
    """reply | person"""
    words: Mapped[str] = mapped_column(String(100), default="")
    """what was answered, or why a person noted it"""
    noted_by: Mapped[int] = mapped_column(Id, default=0)
