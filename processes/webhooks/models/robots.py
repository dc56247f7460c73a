"""Robots of group chats, and what is to be said there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id
from processes.kernel.columns import Stamped


class Robot(Stamped, Base):
    """A robot that speaks in one group. Its address and secret let anybody speak there: they are never shown again."""

    __tablename__ = "robot"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    """diagrams call the group by it"""
    kind: Mapped[str] = mapped_column(String(10))
    """wecom | dingtalk | feishu"""
    url: Mapped[str] = mapped_column(String(1000))
    secret: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    state: Mapped[str] = mapped_column(String(10), default="on")
    """on | off"""
    spoken: Mapped[list[Any]] = mapped_column(default=list)
    """instants, in seconds, at which it spoke last: the services count"""
    blocked_until: Mapped[datetime | None]
    """the service has said that this was too much"""

    def __str__(self) -> str:
        return self.name


class RobotLine(Base):
    """Something to say in a group. Several that wait leave together, carried by one message of the outbox."""

    __tablename__ = "robot_line"
    __table_args__ = (UniqueConstraint("key"), Index("ix_robot_line_robot", "robot_id", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    robot_id: Mapped[int] = mapped_column(ForeignKey("robot.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(200))
    """do twice = do once"""
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    message_id: Mapped[int | None] = mapped_column(Id)
    """its own message in the outbox"""
    carrier_id: Mapped[int | None] = mapped_column(Id, index=True)
    """the message it leaves with; null = it waits"""
