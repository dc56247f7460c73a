"""Tasks, who watches them, and every move they have made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id
from processes.kernel.columns import Stamped, append_only
from processes.organization.models import Employee


class Task(Stamped, Base):
    """Something to be done by one person for another."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("origin"),
        Index("ix_task_assignee", "assignee_id", "state", "due_at"),
        Index("ix_task_assigner", "assigner_id", "state", "due_at"),
        Index("ix_task_record", "record_type", "record_id"),
        Index("ix_task_warn_at", "warn_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    deliverable: Mapped[str] = mapped_column(String(500), default="")
    """what is to be handed in"""
    assigner_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    """who gave it and confirms it"""
    assignee_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    """with whom it lies"""
    due_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12))
    """assigned | accepted | declined | in_progress | submitted | returned | confirmed | cancelled"""
    result: Mapped[str] = mapped_column(Text, default="")
    """what was said when it was handed in last"""
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    """what it is about"""
    origin: Mapped[str | None] = mapped_column(String(200))
    """names the wish or the event that made it: the same again is the same task"""
    warn_at: Mapped[datetime | None]
    """when somebody is to be told next that it is overdue; null = nobody (any more)"""
    warned: Mapped[int] = mapped_column(SmallInteger, default=0)
    """0 nobody | 1 the assignee | 2 the assigner too"""

    assigner: Mapped[Employee] = relationship(foreign_keys=[assigner_id])
    assignee: Mapped[Employee] = relationship(foreign_keys=[assignee_id])

    def __str__(self) -> str:
        return self.title


class TaskWatcher(Base):
    """Somebody who may see a task and is told how it ends."""

    __tablename__ = "task_watcher"

    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True, index=True)


@append_only
class TaskMove(Base):
    """Who moved a task, from where to where, and what was said."""

    __tablename__ = "task_move"
    __table_args__ = (Index("ix_task_move_task", "task_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"))
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)
    actor_name: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(12))
    """assign | accept | decline | start | submit | confirm | return | reassign | hand_over | cancel"""
    from_state: Mapped[str] = mapped_column(String(12), default="")
    to_state: Mapped[str] = mapped_column(String(12))
    from_person: Mapped[int | None] = mapped_column(Id)
    to_person: Mapped[int | None] = mapped_column(Id)
    """when it passed from one person to another"""
    text: Mapped[str] = mapped_column(Text, default="")
