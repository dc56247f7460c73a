"""How the wires are: what each said of itself last, whether it may be used, and who wants to know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, false
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Json


class WireHealth(Base):
    """What a connector said of itself last; written by the process that holds it."""

    __tablename__ = "wire_health"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    """up | degraded | down"""
    reason: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime]
    since: Mapped[datetime]
    """since when it has been in this state"""
    alarmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """people have been told that it is down"""


class WireGate(Base):
    """Whether a wire may be used now: closed while its peer is down, and no faster than it bears. See engine.gates."""

    __tablename__ = "wire_gate"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """attempts in a row that brought nothing"""
    closings: Mapped[int] = mapped_column(Integer, default=0)
    """how often in a row it was closed: the pauses grow"""
    closed_until: Mapped[datetime | None]
    millitokens: Mapped[int | None] = mapped_column(Integer)
    """thousandths of a message that may still leave at once, where there is a limit"""
    filled_at: Mapped[datetime | None]


class WireTest(Base):
    """Somebody wants to know whether a wire works; the process that holds it answers."""

    __tablename__ = "wire_test"
    __table_args__ = (Index("ix_wire_test_waiting", "answered_at", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    asked_by: Mapped[int] = mapped_column(Id)
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    passed: Mapped[bool | None]
    steps: Mapped[list[Any]] = mapped_column(Json, default=list)
    """[{"step", "ok", "words"}]: how far it went"""
