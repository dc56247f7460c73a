"""What the archive keeps: a package for each end a process came to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, UniqueConstraint, event, inspect
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id
from engine.models import Attachment

WAITING, FILED, BROKEN = "waiting", "filed", "broken"

CHANGEABLE = frozenset({"state", "error", "checked_at"})
"""What still changes of a package once it is filed: what the integrity check found."""


class ArchivePackage(Base):
    """A record's package in the archive (归档): marked when its process ends, built and filed soon after."""

    __tablename__ = "archive_package"
    __table_args__ = (
        UniqueConstraint("record_type", "record_id", "edition"),
        Index("ix_archive_package_state", "state", "due_at"),
        Index("ix_archive_package_checked", "state", "checked_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    record_type: Mapped[str] = mapped_column(String(60))
    record_id: Mapped[int] = mapped_column(Id)
    edition: Mapped[int] = mapped_column(SmallInteger, default=1)
    """2 and more: it was reopened or voided after it had been filed; the earlier packages stay"""
    state: Mapped[str] = mapped_column(String(10), default=WAITING, active_history=True)
    """waiting | filed | broken"""
    number: Mapped[str | None] = mapped_column(String(40), unique=True)
    """the file number (档号); given before the package is built, for it stands in it"""
    title: Mapped[str] = mapped_column(String(300), default="")
    process_key: Mapped[str] = mapped_column(String(100))
    process: Mapped[str] = mapped_column(String(200), default="")
    """what the process is called, as it stands in the package"""
    starter_id: Mapped[int | None] = mapped_column(Id, index=True)
    starter_name: Mapped[str] = mapped_column(String(100), default="")
    outcome: Mapped[str] = mapped_column(String(12))
    """how the process ended: completed | rejected | …"""
    ended_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """when it is to be built; later after a failure"""
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    error: Mapped[str] = mapped_column(String(300), default="")
    """why it could not be filed, or how it is broken"""
    filed_at: Mapped[datetime | None]
    retention_years: Mapped[int | None] = mapped_column(SmallInteger)
    keep_until: Mapped[date | None]
    attachment_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    sha256: Mapped[str] = mapped_column(String(64), default="")
    size: Mapped[int] = mapped_column(Id, default=0)
    parts: Mapped[int] = mapped_column(Integer, default=0)
    """files in it"""
    checked_at: Mapped[datetime | None]

    attachment: Mapped[Attachment | None] = relationship(lazy="select")

    @property
    def file_name(self) -> str:
        """What it is saved as."""
        return f"{self.number}.zip"

    def __str__(self) -> str:
        return f"{self.number or self.id} {self.title}"


@event.listens_for(ArchivePackage, "before_update")
def _filed_is_filed(_mapper: Any, _connection: Any, package: ArchivePackage) -> None:
    """Read-only once filed, on every road through the session."""
    attributes = inspect(package).attrs
    was = attributes.state.history.deleted or [package.state]
    if WAITING in was:
        return
    changed = {one.key for one in attributes if one.history.has_changes()} - CHANGEABLE
    if changed or package.state == WAITING:
        raise PermissionError(f"package {package.number} is filed; {', '.join(sorted(changed)) or 'it'} stays")


@event.listens_for(ArchivePackage, "before_delete")
def _filed_stays(_mapper: Any, _connection: Any, package: ArchivePackage) -> None:
    if package.state != WAITING:
        raise PermissionError(f"package {package.number} is filed and stays")
