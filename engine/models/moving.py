"""Running instances on their way to another version of their process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


class MigrationRun(Base):
    """Somebody takes the running instances of one version to another, a portion at a time."""

    __tablename__ = "migration_run"
    __table_args__ = (Index("ix_migration_run_key", "key", "id"), Index("ix_migration_run_state", "state"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    from_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    chosen: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """a person's word on the node map: {old element: new element, "" for none}; the rest is found"""
    state: Mapped[str] = mapped_column(String(10), default="simulating")
    """simulating | ready | running | reverting | finished | replaced (by a run with another map)"""
    started_at: Mapped[datetime]
    started_by: Mapped[int] = mapped_column(Id)
    started_by_name: Mapped[str] = mapped_column(String(100))
    changed_at: Mapped[datetime]


class MigrationItem(Base):
    """One instance of a run."""

    __tablename__ = "migration_item"
    __table_args__ = (
        Index("ix_migration_item_state", "run_id", "state", "instance_id"),
        Index("ix_migration_item_instance", "instance_id"),
        {"sqlite_with_rowid": False},
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("migration_run.id"), primary_key=True, autoincrement=False)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    """waiting | queued | migrated | refused | reverting | reverted"""
    verdict: Mapped[str] = mapped_column(String(10), default="")
    """of the simulation: "" (not yet) | fits | attention (it goes, and somebody should look) | refused"""
    reasons: Mapped[list[Any]] = mapped_column(Json, default=list)
    """why it needs attention, was refused, or was not taken back: sentences, translated for their reader"""
    by_id: Mapped[int] = mapped_column(Id, default=0)
    by_name: Mapped[str] = mapped_column(String(100), default="")
    """who asked for what is queued"""
    at: Mapped[datetime | None]
    """when its state changed last"""


class InstancePreimage(Base):
    """What an instance was before it was migrated; kept so that it can go back while nobody has stepped it since."""

    __tablename__ = "instance_preimage"
    __table_args__ = ({"sqlite_with_rowid": False},)

    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True, autoincrement=False)
    rev: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """the revision the migration left; at any other one it is no use"""
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("migration_run.id"), index=True)
    """null when a single instance was migrated"""
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    snapshot_format: Mapped[int] = mapped_column(SmallInteger)
    rows: Mapped[dict[str, Any]] = mapped_column(Json)
    """{"items": [...], "timers": [...], "waits": [...], "incidents": [...], "people": {...}} as they were"""
    kept_at: Mapped[datetime]
