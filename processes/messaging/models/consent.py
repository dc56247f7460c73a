"""Who has agreed to be sent what (同意)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id

_VALID = text("ended_at IS NULL")


class Consent(Base):
    """A number's agreement to one purpose. It is ended, never deleted: it may have to be proved years later."""

    __tablename__ = "sms_consent"
    __table_args__ = (
        Index("uq_sms_consent_valid", "number", "purpose", unique=True, sqlite_where=_VALID, postgresql_where=_VALID),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(20))
    """E.164"""
    purpose: Mapped[str] = mapped_column(String(12))
    """commercial"""
    given_at: Mapped[datetime]
    how: Mapped[str] = mapped_column(String(10))
    """form | paper | phone | reply | import"""
    words: Mapped[str] = mapped_column(String(200), default="")
    """what was agreed to, or where it is kept"""
    noted_by: Mapped[int] = mapped_column(Id, default=0)
    ended_at: Mapped[datetime | None]
    """when it was taken back; null = it holds"""
    ended_by: Mapped[int | None] = mapped_column(Id)

    def __str__(self) -> str:
        return self.number
