"""Doors for other systems: who may say what to our processes, and everything that came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id
from processes.kernel.columns import Stamped


class InboundHook(Stamped, Base):
    """An address of ours that another system may call, under a secret; what it says becomes a message or a start."""

    __tablename__ = "inbound_hook"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(40))
    """stands in the address; no secret, but not to be guessed"""
    action: Mapped[str] = mapped_column(String(10))
    """message (to whoever waits for it) | start (a process)"""
    target: Mapped[str] = mapped_column(String(100))
    """the message's name, or the process's key"""
    business_key: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    """where in the JSON the business key stands: "data.order.number"; "" = there is none"""
    variable: Mapped[str] = mapped_column(String(60), default="payload", server_default=text("'payload'"))
    """the process variable that holds what was said"""
    form: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    """of a start: where in the JSON the values of the start form stand; "" = no form is filled in"""
    owner_id: Mapped[int] = mapped_column(Id)
    """in whose name and with whose rights"""
    state: Mapped[str] = mapped_column(String(10), default="on")
    """on | off"""
    off_reason: Mapped[str] = mapped_column(String(20), default="", server_default=text("''"))
    """person | owner_left"""
    secret: Mapped[str] = mapped_column(String(100))
    old_secret: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    old_until: Mapped[datetime | None]

    def __str__(self) -> str:
        return self.name


class Reception(Base):
    """One signed message that came in, known by the sender's own id: the same again is the same."""

    __tablename__ = "inbound_reception"
    __table_args__ = (
        UniqueConstraint("hook_id", "message_id"),
        Index("ix_inbound_reception_at", "received_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    hook_id: Mapped[int] = mapped_column(ForeignKey("inbound_hook.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(String(100))
    received_at: Mapped[datetime]
    """last; a refused one may come again"""
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(10))
    """taken | refused"""
    why: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """the sentence of the refusal, as `engine.i18n.kept` stores it"""
    business_key: Mapped[str] = mapped_column(String(120), default="", server_default=text("''"))
    instance_id: Mapped[int | None] = mapped_column(Id)
    """whom it reached so far, or what it started"""
